import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { getRollbackPlans } from "pg-boss";
import { expect, inject, test } from "vitest";
import { createDatabase, dropDatabase, refusedStart, serviceEnvironment, startService } from "../support/service.ts";

const execute = promisify(execFile);
const root = new URL("../..", import.meta.url).pathname;

/** `node src/commands/migrate.ts`, to its end. */
async function migrate(databaseUrl: string, more = {}): Promise<{ code: number; output: string }> {
  const env = serviceEnvironment({ dataDir: "/nowhere", databaseUrl }, more);
  return execute(process.execPath, ["src/commands/migrate.ts"], { cwd: root, env }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ code, output: stdout + stderr }),
  );
}

test("the embedded database is left to its own process; wrong settings and a database that is away are told apart", async () => {
  expect(await migrate("")).toMatchObject({ code: 2, output: expect.stringContaining("DATABASE_URL is empty") });
  expect(await migrate("", { SERVICE_PORT: "x" })).toMatchObject({
    code: 2,
    output: expect.stringContaining("SERVICE_PORT"),
  });
  expect(await migrate("postgres://postgres@127.0.0.1:1/none")).toMatchObject({
    code: 1,
    output: expect.stringContaining("ECONNREFUSED"),
  });
});

test.runIf(process.env.TEST_DATABASE_URL)(
  "several at once make the tables of rows and jobs, and a service starts on them",
  async () => {
    const databaseUrl = await createDatabase();
    const dataDir = await mkdtemp(join(tmpdir(), "mlops-test-"));
    try {
      const ends = await Promise.all([1, 2, 3].map(() => migrate(databaseUrl)));
      expect(ends.map(({ code, output }) => (code === 0 ? code : output))).toEqual([0, 0, 0]);
      const tables = async (): Promise<unknown> => {
        const client = new pg.Client({ connectionString: databaseUrl });
        await client.connect();
        const { rows } = await client.query(
          "select schemaname, tablename from pg_tables where schemaname in ('public', 'pgboss') order by 1, 2",
        );
        await client.end();
        return rows;
      };
      const made = await tables();
      expect(made).toContainEqual({ schemaname: "public", tablename: "datasets" });
      expect(made).toContainEqual({ schemaname: "pgboss", tablename: "job" });
      const service = await startService({ env: { SERVICE_ROLE: "api" }, on: { dataDir, databaseUrl } });
      await service.halt();
      expect(await tables()).toEqual(made);
    } finally {
      await dropDatabase(databaseUrl);
      await rm(dataDir, { recursive: true });
    }
  },
);

const fromTheFuture = "insert into kysely_migration (name, timestamp) values ('0099-of-tomorrow', now()::text)";
const newerQueue = "update pgboss.version set version = version + 1";
const refusal = (what: string) => ({
  code: 1,
  stderr: expect.stringMatching(
    new RegExp(`^The database was brought up to date by a newer version[^\n]*${what}[^\n]*Nothing was changed\\.\n$`),
  ),
});

test("an embedded database of a newer version is refused in one line", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "mlops-test-"));
  try {
    await cp(inject("migratedFolder"), dataDir, { recursive: true });
    const database = await PGlite.create(join(dataDir, "database"));
    await database.query(fromTheFuture);
    await database.close();
    expect(await refusedStart({ dataDir, databaseUrl: "" })).toEqual(refusal("its migration 0099-of-tomorrow"));
  } finally {
    await rm(dataDir, { recursive: true });
  }
});

async function onDatabase(
  use: (databaseUrl: string, dataDir: string, client: pg.Client) => Promise<void>,
): Promise<void> {
  const databaseUrl = await createDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), "mlops-test-"));
  const client = new pg.Client({ connectionString: databaseUrl });
  try {
    await client.connect();
    await use(databaseUrl, dataDir, client);
  } finally {
    await client.end();
    await dropDatabase(databaseUrl);
    await rm(dataDir, { recursive: true });
  }
}

test.runIf(process.env.TEST_DATABASE_URL)(
  "tables of a newer version, of rows or of the queue, are refused in one line and not touched",
  () =>
    onDatabase(async (databaseUrl, dataDir, client) => {
      expect(await migrate(databaseUrl)).toMatchObject({ code: 0 });
      const shape = async (): Promise<unknown> => {
        const { rows } = await client.query(`
          select table_schema, table_name, column_name, data_type from information_schema.columns
          where table_schema in ('public', 'pgboss')
          union all select 'migrations', name, null, timestamp from kysely_migration
          union all select 'queue', version::text, null, null from pgboss.version order by 1, 2, 3`);
        return rows;
      };
      for (const [change, what] of [
        [fromTheFuture, "its migration 0099-of-tomorrow"],
        [newerQueue, "of the queue's tables"],
      ] as const) {
        // A migration that this version has and the database does not: it must not be run either.
        await client.query("delete from kysely_migration where name like '0003%'");
        await client.query(change);
        const before = await shape();
        const refused = await refusedStart({ dataDir, databaseUrl });
        expect(refused).toEqual(refusal(what));
        expect(await migrate(databaseUrl)).toEqual({ code: 1, output: refused.stderr });
        expect(await shape()).toEqual(before);
        await client.query("delete from kysely_migration where name like '0099%'");
      }
    }),
);

test.runIf(process.env.TEST_DATABASE_URL)(
  "five services at once on an empty database all start, and five migrations beside an old process that works",
  () =>
    onDatabase(async (databaseUrl, dataDir, client) => {
      const services = await Promise.all(
        [1, 2, 3, 4, 5].map(() => startService({ on: { dataDir, databaseUrl }, env: { SERVICE_ROLE: "api" } })),
      );
      const [old, ...others] = services;
      if (old === undefined) throw new Error("None has started.");
      for (const service of services) expect((await service.call("GET", "/api/health/ready")).status).toBe(200);
      await Promise.all(others.map((service) => service.halt()));
      const { rows: queueVersion } = await client.query("select version from pgboss.version");
      // As it was before the last five migrations of ours, and before the queue's.
      await client.query(`
        drop index training_runs_dataset;
        alter table datasets drop column said, drop column reading, drop column version, drop column version_of;
        create unique index datasets_content on datasets (owner, name, sha256) where deleting_at is null;
        alter table training_runs drop column metric_details, drop column leaderboard, drop column kept_measures,
          drop column ends_early;
        delete from kysely_migration where name >= '0011'`);
      await client.query(getRollbackPlans());
      let isOver = false;
      const statuses = new Set<number>();
      const work = (async () => {
        // A list, which asks for none of the new columns: it is of this code, and not really of an older one.
        while (!isOver) statuses.add((await old.call("GET", "/artifacts")).status);
      })();
      const ends = await Promise.all([1, 2, 3, 4, 5].map(() => migrate(databaseUrl)));
      isOver = true;
      await work;
      expect(ends.map(({ code, output }) => (code === 0 ? code : output))).toEqual([0, 0, 0, 0, 0]);
      expect([...statuses]).toEqual([200]);
      const { rows } = await client.query("select name from kysely_migration where name >= '0011'");
      expect(rows).toHaveLength(5);
      expect((await client.query("select version from pgboss.version")).rows).toEqual(queueVersion);
      expect((await old.call("GET", "/datasets")).status).toBe(200);
      await old.halt();
    }),
);
