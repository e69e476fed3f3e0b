import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConfigError, readConfig } from "../../../src/settings/config.ts";
import { readPostgresConnection } from "../../../src/store/postgres-connection.ts";

let folder: string;
let garbage: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "postgres-connection-"));
  garbage = join(folder, "garbage.pem");
  await writeFile(garbage, "-----BEGIN NOTHING-----\n");
});
afterAll(() => rm(folder, { recursive: true }));

function faultsOf(databaseUrl: string, env: Record<string, string> = {}): readonly string[] {
  try {
    readConfig({ DATABASE_URL: databaseUrl, ...env });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).not.toContain("geheim");
    return error.faults;
  }
}

test("modes and files that can't be used are refused by the name under which they were set", () => {
  const url = "postgres://anna:geheim@db.example.org/mlops";
  const modes = "must be one of disable, require, verify-ca, verify-full";
  expect(faultsOf(`${url}?sslmode=prefer`)).toEqual([`DATABASE_URL: sslmode ${modes}`]);
  expect(faultsOf(`${url}?sslmode=no-verify`)).toEqual([`DATABASE_URL: sslmode ${modes}`]);
  expect(faultsOf(`${url}?ssl=maybe`)).toEqual([`DATABASE_URL: sslmode ${modes}`]);
  expect(faultsOf(url, { DATABASE__SSL_MODE: "full" })).toEqual([`DATABASE__SSL_MODE ${modes}`]);
  expect(faultsOf(url, { DATABASE__SSLMODE: "require" })).toEqual([
    "DATABASE__SSLMODE is not a setting of this service: is DATABASE__SSL_MODE meant?",
  ]);
  expect(faultsOf(`${url}?sslmode=require`, { DATABASE__SSL_MODE: "verify-full" })).toEqual([
    "DATABASE__SSL_MODE and sslmode of DATABASE_URL are both set: keep one of them",
  ]);
  expect(faultsOf(`${url}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem`)).toEqual([
    "DATABASE_URL: sslrootcert names a file that can't be read (ENOENT): /nowhere/ca.pem",
  ]);
  const files = { DATABASE__SSL_ROOT_CERT: garbage, DATABASE__SSL_CERT: garbage, DATABASE__SSL_KEY: garbage };
  expect(faultsOf(url, files)).toEqual([
    `DATABASE__SSL_ROOT_CERT names a file that holds no certificate in PEM form: ${garbage}`,
    `DATABASE__SSL_CERT names a file that holds no certificate in PEM form: ${garbage}`,
    `DATABASE__SSL_KEY names a file that holds no private key without a passphrase in PEM form: ${garbage}`,
  ]);
  expect(faultsOf(url, { DATABASE__SSL_CERT: garbage })).toContain(
    "DATABASE__SSL_CERT is set alone: a client certificate needs DATABASE__SSL_CERT and DATABASE__SSL_KEY",
  );
  for (const root of ["", "&sslrootcert=system"])
    expect(faultsOf(`${url}?sslmode=verify-ca${root}`)[0]).toContain("verify-ca needs DATABASE__SSL_ROOT_CERT");
  expect(faultsOf(`${url}?sslmode=disable`, { DATABASE__SSL_ROOT_CERT: garbage })[0]).toContain("is of no use with");
  expect(faultsOf("postgres://anna:geheim/1@db/mlops")[0]).toContain("DATABASE_URL is no address");
  expect(faultsOf(url, { DATABASE__MAX_CONNECTIONS: "6" })).toEqual([
    "DATABASE__MAX_CONNECTIONS must be a whole number from 7 to 10000",
  ]);
  expect(faultsOf(`${url}?sslmode=require&application_name=x`)).toEqual([]);
});

test("the address goes on without what is said about TLS, and an unchecked server is known as one", () => {
  const read = (databaseUrl: string) => readPostgresConnection({ databaseUrl }).connection;
  const { client, about, isUnchecked } = read(
    "postgres://anna:p%40ss@db:5433/mlops?a=b%20c&sslmode=require&options=-c%20x=1",
  );
  expect(client.connectionString).toBe("postgres://anna:p%40ss@db:5433/mlops?a=b%20c&options=-c%20x=1");
  expect([about, isUnchecked]).toEqual([{ user: "anna", place: "db:5433", database: "mlops" }, true]);
  expect(read("postgres://db/mlops").client).toEqual({ connectionString: "postgres://db/mlops" });
  expect(read("postgres://db/mlops?ssl=true").client).toEqual({ connectionString: "postgres://db/mlops", ssl: {} });
  expect(read("postgres://db/mlops?ssl=0").client.ssl).toBe(false);
  expect(read("postgres:///mlops?host=/run/postgresql").about).toMatchObject({ place: "/run/postgresql" });
});
