import { type PostgresSettings, readPostgresConnection } from "./postgres-connection.ts";

/** Where a process can wait: someone else's connections end. */
export function isConnectionLimit(error: unknown): boolean {
  return codeOf(error) === "53300";
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** Node's words for a certificate that no known authority stands behind. */
const untrusted = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

const refusedSockets = new Set(["ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"]);
const timeOuts = /timeout exceeded when trying to connect|Connection terminated due to connection timeout/;

/**
 * One line for a fault that people can mend by a setting or at the server: it names the setting, says what to do, and
 * never holds the address with its password. Undefined for any other.
 */
export function explainDatabaseFault(error: unknown, settings: PostgresSettings): string | undefined {
  if (!(error instanceof Error) || settings.databaseUrl === "") return undefined;
  const { user, place, database } = readPostgresConnection(settings).connection.about;
  const host = place.replace(/:\d+$/, "");
  const code = codeOf(error);
  const url = (what: string, todo: string): string => `DATABASE_URL: ${what} (${code || error.message}): ${todo}.`;
  const tls = (setting: string, what: string, todo: string): string =>
    `DATABASE__SSL_${setting}: ${what} (${code || error.message}): ${todo}.`;

  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return url(`the host name ${host} does not resolve`, "correct it, or the name service");
  const isSocketFile = code === "ENOENT" && "syscall" in error && error.syscall === "connect";
  if (refusedSockets.has(code) || isSocketFile)
    return url(`PostgreSQL at ${place} can't be reached`, "start it, or correct host and port");
  if (timeOuts.test(error.message))
    return url(`PostgreSQL at ${place} does not answer`, "correct host and port, or let the firewall pass them");

  if (untrusted.has(code))
    return tls(
      "ROOT_CERT",
      `the certificate of ${place} is not signed by an authority that is known here`,
      "name the file with its authority's certificate",
    );
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return tls(
      "MODE",
      `the certificate of ${place} is for another host name`,
      "use the name that it was made for in DATABASE_URL, or verify-ca",
    );
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID")
    return tls("MODE", `the certificate of ${place} is not valid today`, "renew it, or set the clock");
  if (error.message === "The server does not support SSL connections")
    return tls("MODE", `PostgreSQL at ${place} has no TLS`, "switch it on there (ssl = on), or set disable");
  if (
    (code === "28000" && /certificate/i.test(error.message)) ||
    /^ERR_SSL_.*ALERT_(UNKNOWN_CA|.*CERTIFICATE)/.test(code)
  )
    return tls(
      "CERT",
      `PostgreSQL at ${place} wants a client certificate that it trusts`,
      "name its file and DATABASE__SSL_KEY",
    );

  if (code === "28P01") return url(`PostgreSQL at ${place} refuses the password of user ${user}`, "correct it");
  if (code === "28000")
    return url(
      `PostgreSQL at ${place} does not let user ${user} in: ${error.message}`,
      "make the role, or allow it in pg_hba.conf, with TLS if that is asked for",
    );
  if (code === "3D000")
    return url(`there is no database ${database} at ${place}`, `create it (createdb -O ${user} ${database})`);
  if (code === "42501")
    return url(
      `user ${user} may not make tables in database ${database}: ${error.message}`,
      `make it the owner (alter database … owner to …)`,
    );
  if (code === "53300")
    return `DATABASE__MAX_CONNECTIONS: PostgreSQL at ${place} has no connection left (53300): all processes together must stay below its max_connections; lower it, start fewer, or raise that.`;
  if (code === "57P03") return url(`PostgreSQL at ${place} is starting or stopping`, "try again");
  return undefined;
}
