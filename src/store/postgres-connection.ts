import pg from "pg";
import { type Given, readPemFiles } from "../../otel/settings/pem-files.ts";

/** How a connection is encrypted, in libpq's words; `prefer` and `allow` are not among them, as they may go without. */
export const sslModes = ["disable", "require", "verify-ca", "verify-full"] as const;
type SslMode = (typeof sslModes)[number];

/** What of the settings says how PostgreSQL is reached. */
export interface PostgresSettings {
  readonly databaseUrl: string;
  readonly databaseSslMode?: SslMode | "";
  /** Paths of PEM files. */
  readonly databaseSslRootCert?: string;
  readonly databaseSslCert?: string;
  readonly databaseSslKey?: string;
}

/** How every connection is made, whoever makes it. */
export interface PostgresConnection {
  readonly client: pg.ClientConfig;
  /** For messages to people; never the password. */
  readonly about: { readonly user: string; readonly place: string; readonly database: string };
  /** Encrypted, but to whoever answers. */
  readonly isUnchecked: boolean;
}

const parameters = {
  sslmode: { key: "databaseSslMode", env: "DATABASE__SSL_MODE" },
  sslrootcert: { key: "databaseSslRootCert", env: "DATABASE__SSL_ROOT_CERT" },
  sslcert: { key: "databaseSslCert", env: "DATABASE__SSL_CERT" },
  sslkey: { key: "databaseSslKey", env: "DATABASE__SSL_KEY" },
} as const;
type Parameter = keyof typeof parameters;

/**
 * The address without what is said about TLS: node-postgres 8 takes `require` and `verify-ca` for `verify-full`, warns of
 * each, and will take them as libpq does in its next major version. Here they mean the same before and after that.
 */
function takeTlsOut(url: string): { bare: string; taken: Map<string, string> } {
  const [address = "", ...rest] = url.split("?");
  const taken = new Map<string, string>();
  const kept = rest
    .join("?")
    .split("&")
    .filter((pair) => {
      const [entry] = new URLSearchParams(pair);
      if (entry === undefined || !(entry[0] in parameters || entry[0] === "ssl" || entry[0] === "uselibpqcompat"))
        return pair !== "";
      taken.set(...entry);
      return false;
    });
  // node-postgres' own word, from before it knew sslmode.
  const ssl = taken.get("ssl");
  if (ssl !== undefined && !taken.has("sslmode"))
    taken.set("sslmode", { true: "verify-full", "1": "verify-full", false: "disable", "0": "disable" }[ssl] ?? ssl);
  return { bare: kept.length === 0 ? address : `${address}?${kept.join("&")}`, taken };
}

function readTls(settings: PostgresSettings, taken: ReadonlyMap<string, string>, faults: string[]) {
  const given = (name: Parameter): Given | undefined => {
    const { key, env } = parameters[name];
    const [inUrl, own] = [taken.get(name) ?? "", settings[key] ?? ""];
    if (inUrl !== "" && own !== "" && inUrl !== own)
      faults.push(`${env} and ${name} of DATABASE_URL are both set: keep one of them`);
    if (own !== "") return { value: own, setBy: env };
    return inUrl === "" ? undefined : { value: inUrl, setBy: `DATABASE_URL: ${name}` };
  };
  const [mode, root, certFile, keyFile] = (["sslmode", "sslrootcert", "sslcert", "sslkey"] as const).map(given);
  if (mode !== undefined && !sslModes.some((known) => known === mode.value))
    faults.push(`${mode.setBy} must be one of ${sslModes.join(", ")}`);
  if (mode?.value === "disable" && (root ?? certFile ?? keyFile) !== undefined)
    faults.push(`${(root ?? certFile ?? keyFile)?.setBy} is of no use with ${mode.setBy}=disable`);
  if (mode?.value === "verify-ca" && (root === undefined || root.value === "system"))
    // Any certificate of any public authority would do.
    faults.push(`${mode.setBy}=verify-ca needs DATABASE__SSL_ROOT_CERT, a file with your own authority's certificate`);
  const files = readPemFiles(
    {
      authority: root?.value === "system" ? undefined : root,
      certificate: certFile,
      key: keyFile,
      pair: "DATABASE__SSL_CERT and DATABASE__SSL_KEY",
    },
    faults,
  );
  const hasFiles = root !== undefined || certFile !== undefined;
  return { mode: (mode?.value ?? (hasFiles ? "verify-full" : undefined)) as SslMode | undefined, root, files };
}

/** Reads how PostgreSQL is reached. Faults name the settings, and never hold the address: the password is part of it. */
export function readPostgresConnection(settings: PostgresSettings): {
  connection: PostgresConnection;
  faults: string[];
} {
  const faults: string[] = [];
  const { bare, taken } = takeTlsOut(settings.databaseUrl);
  const { mode, root, files } = readTls(settings, taken, faults);
  const isUnchecked = mode === "require" && root === undefined;
  // Undefined leaves the choice to PGSSLMODE, which node-postgres reads.
  let ssl: pg.ClientConfig["ssl"];
  if (mode === "disable") ssl = false;
  else if (isUnchecked) ssl = { ...files, rejectUnauthorized: false };
  else if (mode === "verify-full") ssl = files;
  // As libpq has it: with an authority `require` is `verify-ca`, whatever the host is called.
  else if (mode !== undefined) ssl = { ...files, checkServerIdentity: () => undefined };
  const client: pg.ClientConfig = { connectionString: bare, ...(ssl === undefined ? {} : { ssl }) };
  let about = { user: "", place: "", database: "" };
  try {
    const { user, host, port, database } = new pg.Client(client);
    about = { user: user ?? "", place: host.startsWith("/") ? host : `${host}:${port}`, database: database ?? "" };
  } catch {
    faults.push(
      "DATABASE_URL is no address: what is special in its user or password must be percent-encoded (@ as %40, / as %2F, % as %25)",
    );
  }
  return { connection: { client, about, isUnchecked }, faults };
}
