import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { expect, test } from "vitest";
import { createDatabase, dropDatabase, serviceEnvironment, startService } from "../support/service.ts";

const execute = promisify(execFile);
const root = new URL("../..", import.meta.url).pathname;

/** `node src/migrate.ts`, to its end. */
async function migrate(databaseUrl: string, more = {}): Promise<{ code: number; output: string }> {
  const env = serviceEnvironment({ dataDir: "/nowhere", databaseUrl }, more);
  return execute(process.execPath, ["src/migrate.ts"], { cwd: root, env }).then(
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
