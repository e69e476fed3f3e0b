import { execFile } from "node:child_process";
import { copyFileSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Certificate, makeAuthority, place } from "../support/certificates.ts";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { eventually, refusedStart, serviceEnvironment, startService } from "../support/service.ts";
import { root } from "./processes.ts";
import { type ScratchPostgres, startScratchPostgres } from "./scratch-postgres.ts";

const password = "pass-word-of-a-test";
const resources = new AsyncDisposableStack();
let folder: string;
let ours: string;
let theirs: string;
let client: Certificate;
let foreignClient: Certificate;
let postgres: ScratchPostgres;
let database: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "database-tls-"));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const [right, wrong] = [makeAuthority(folder, "right"), makeAuthority(folder, "wrong")];
  const server = right.issue("server", "DNS:localhost");
  [ours, theirs, client, foreignClient] = [right.cert, wrong.cert, right.issue("strict"), wrong.issue("strict")];
  postgres = await startScratchPostgres(join(folder, "postgres"), {
    settings: ["listen_addresses=localhost", "ssl=on", "ssl_ca_file=right.crt"],
    configure(data) {
      place(server, join(data, "server.crt"), join(data, "server.key"));
      copyFileSync(right.cert, join(data, "right.crt"));
    },
    // Nobody gets in by TCP without TLS, and `strict` not without a certificate of the right authority.
    clients: ["hostssl all strict all trust clientcert=verify-ca", "hostssl all all all trust"],
  });
  resources.defer(() => postgres[Symbol.asyncDispose]());
  database = new URL(await postgres.newDatabase()).pathname.slice(1);
  await postgres.ask(database, "create role strict login superuser");
});
afterAll(() => resources.disposeAsync());

const url = (parameters: string, { user = "postgres", host = "localhost" } = {}): string =>
  `postgres://${user}:${password}@${host}:${postgres.port}/${database}${parameters}`;

/** `node src/commands/migrate.ts`, to its end: it opens the pool and the queue's. */
function migrate(
  databaseUrl: string,
  env: Record<string, string> = {},
  command = ["src/commands/migrate.ts"],
): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: root, env: serviceEnvironment({ dataDir: folder, databaseUrl }, env) };
    execFile(process.execPath, command, options, (error, stdout, stderr) => {
      expect(stdout + stderr).not.toContain(password);
      expect(stderr).not.toContain("SECURITY WARNING");
      resolve({ code: error === null ? 0 : Number(error.code), stderr });
    });
  });
}

const ok = { code: 0, stderr: "" };
/** One line on stderr that begins so. */
const says = (code: number, line: string) => ({ code, stderr: expect.stringMatching(new RegExp(`^${line}[^\n]*\n$`)) });

test("every connection of the service is encrypted, to a server that was checked", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "tls-data-"));
  resources.defer(() => rm(dataDir, { recursive: true, force: true }));
  const service = await startService({
    on: { dataDir, databaseUrl: url("") },
    env: { DATABASE__SSL_MODE: "verify-full", DATABASE__SSL_ROOT_CERT: ours },
  });
  try {
    const { json: dataset } = await service.upload(noiseCsv());
    const { json: run } = await service.call("POST", "/training-runs", { datasetId: dataset.id, ...endless });
    const following = new AbortController();
    const events = await fetch(`${service.url}/api/ml/v1/training-runs/${run.id}/events`, { signal: following.signal });
    expect(events.status).toBe(200);
    await service.waitForRun(run.id, ({ status }) => status === "running");
    const connections = await eventually(async () => {
      const rows = await postgres.ask(
        database,
        `select application_name as name, ssl, count(*)::int as count from pg_stat_ssl
        join pg_stat_activity using (pid)
        where datname = '${database}' and client_addr is not null group by 1, 2 order by 1`,
      );
      return rows.find(({ name }) => name === "mlops-backend-listen")?.count === 2 && rows;
    });
    expect(connections.map(({ name, ssl }) => [name, ssl])).toEqual([
      ["mlops-backend", true],
      ["mlops-backend-listen", true],
      ["mlops-backend-queue", true],
    ]);
    following.abort();
    expect(service.lines.filter((line) => line.includes("whoever answers"))).toEqual([]);
  } finally {
    await service.halt();
  }
});

test("modes mean what they mean to libpq, in the address as in the settings", async () => {
  const ip = { host: "127.0.0.1" };
  expect(await migrate(url(`?sslmode=verify-full&sslrootcert=${ours}`))).toEqual(ok);
  expect(await migrate(url(`?sslrootcert=${ours}`))).toEqual(ok);
  // Its certificate is made for localhost.
  const otherName = says(1, "DATABASE__SSL_MODE: the certificate of 127.0.0.1:\\d+ is for another host name");
  expect(await migrate(url(`?sslmode=verify-full&sslrootcert=${ours}`, ip))).toEqual(otherName);
  expect(await migrate(url(`?sslmode=verify-ca&sslrootcert=${ours}`, ip))).toEqual(ok);
  expect(await migrate(url("?sslmode=require", ip))).toEqual(ok);
  // With an authority it is checked.
  const unknown = says(1, "DATABASE__SSL_ROOT_CERT: the certificate of [\\w.]+:\\d+ is not signed by an authority");
  expect(await migrate(url(`?sslmode=require&sslrootcert=${theirs}`, ip))).toEqual(unknown);
  expect(await migrate(url(`?sslmode=require&sslrootcert=${ours}`, ip))).toEqual(ok);
  expect(await migrate(url(`?sslmode=verify-full&sslrootcert=${theirs}`))).toEqual(unknown);
  expect(await migrate(url("?sslmode=verify-full&sslrootcert=system"))).toEqual(unknown);
  expect(await migrate(url("?sslmode=verify-full"), { DATABASE__SSL_ROOT_CERT: theirs })).toEqual(unknown);
  const plain = says(
    1,
    "DATABASE_URL: PostgreSQL at localhost:\\d+ does not let user postgres in: [^\n]*no encryption",
  );
  expect(await migrate(url("?sslmode=disable"))).toEqual(plain);
  expect(await migrate(url(""))).toEqual(plain);
});

test("require alone is said at the start, and a start that is refused says why in one line", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "tls-data-"));
  resources.defer(() => rm(dataDir, { recursive: true, force: true }));
  const service = await startService({ on: { dataDir, databaseUrl: url("?sslmode=require") } });
  await service.halt();
  expect(service.lines.filter((line) => line.includes("encrypts to whoever answers"))).toHaveLength(1);
  expect(service.errorLines).toEqual([]);
  const refused = await refusedStart({ dataDir, databaseUrl: url(`?sslmode=verify-full&sslrootcert=${theirs}`) });
  expect(refused).toEqual(says(1, "DATABASE__SSL_ROOT_CERT: "));
});

test("a server that wants a client certificate gets it, and without one it is named", async () => {
  const strict = { user: "strict" };
  const tls = { DATABASE__SSL_MODE: "verify-full", DATABASE__SSL_ROOT_CERT: ours };
  const files = (of: Certificate) => ({ ...tls, DATABASE__SSL_CERT: of.cert, DATABASE__SSL_KEY: of.key });
  const wanted = says(1, "DATABASE__SSL_CERT: PostgreSQL at localhost:\\d+ wants a client certificate");
  expect(await migrate(url("", strict), tls)).toEqual(wanted);
  expect(await migrate(url("", strict), files(foreignClient))).toEqual(wanted);
  expect(await migrate(url("", strict), files(client))).toEqual(ok);
  const inUrl = `?sslmode=verify-full&sslrootcert=${ours}&sslcert=${client.cert}&sslkey=${client.key}`;
  expect(await migrate(url(inUrl, strict))).toEqual(ok);
  const mixed = await migrate(url("", strict), { ...files(client), DATABASE__SSL_KEY: foreignClient.key });
  expect(mixed).toEqual({ code: 2, stderr: expect.stringContaining("DATABASE__SSL_KEY is not the key of") });
});

test("the move to PostgreSQL is encrypted too", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "tls-data-"));
  resources.defer(() => rm(dataDir, { recursive: true, force: true }));
  const embedded = await startService({ on: { dataDir, databaseUrl: "" }, env: { SERVICE_ROLE: "api" } });
  await embedded.halt();
  const target = `${url("").replace(database, new URL(await postgres.newDatabase()).pathname.slice(1))}?sslmode=verify-full`;
  const command = ["src/commands/move-database.ts", "--to", "postgres"];
  expect(await migrate(target, { DATA_DIR: dataDir, DATABASE__SSL_ROOT_CERT: ours }, command)).toEqual(ok);
});

test("a server without TLS is named", async () => {
  await using bare = await startScratchPostgres(join(folder, "bare"));
  const databaseUrl = `${await bare.newDatabase()}?sslmode=verify-full`;
  expect(await migrate(databaseUrl)).toEqual(says(1, "DATABASE__SSL_MODE: PostgreSQL at 127.0.0.1:\\d+ has no TLS"));
});
