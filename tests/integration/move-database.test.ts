import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { noiseCsv } from "../support/endless-training.ts";
import { seattleWeatherCsv } from "../support/real-data.ts";
import {
  type Answer,
  createDatabase,
  dropDatabase,
  eventually,
  type RunningService,
  refusedStart,
  serviceEnvironment,
  startService,
} from "../support/service.ts";

const root = new URL("../..", import.meta.url).pathname;
const command = ["src/commands/move-database.ts", "--to", "postgres"];

interface Moved {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line, which counts. */
  readonly report: Record<string, unknown>;
}

function move(place: { dataDir: string; databaseUrl: string }, parameters = command): Promise<Moved> {
  return new Promise((resolve) => {
    execFile(process.execPath, parameters, { cwd: root, env: serviceEnvironment(place) }, (error, stdout, stderr) => {
      const last = stdout.trim().split("\n").at(-1) ?? "";
      const report = last.startsWith("{") ? JSON.parse(last) : {};
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr, report });
    });
  });
}

async function ask(databaseUrl: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** What every file below a folder holds. */
async function hashOf(folder: string): Promise<string> {
  const hash = createHash("sha256");
  for (const entry of (await readdir(folder, { recursive: true, withFileTypes: true })).sort((one, other) =>
    join(one.parentPath, one.name) < join(other.parentPath, other.name) ? -1 : 1,
  )) {
    const path = join(entry.parentPath, entry.name);
    hash.update(path);
    if (entry.isFile()) hash.update(await readFile(path));
  }
  return hash.digest("hex");
}

const listed = ["/datasets?limit=100", "/training-runs?limit=100", "/artifacts?limit=100", "/metrics/summary"];

async function listsOf(service: RunningService): Promise<unknown[]> {
  const { json } = await service.call("GET", "/datasets?limit=100");
  const profiles = json.items.map(({ id }: { id: string }) => `/datasets/${id}`);
  const answers: Answer[] = [];
  for (const path of [...listed, ...profiles]) answers.push(await service.call("GET", path));
  return answers.map((answer) => answer.json);
}

test("a wrong call, and settings that don't say where to move to, are refused", async () => {
  const place = { dataDir: "/nowhere", databaseUrl: "" };
  const wrong = await move(place, ["src/commands/move-database.ts", "--to", "sqlite"]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("npm run database:move -- --to postgres")]);
  const nowhere = await move(place);
  expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining("DATABASE_URL is empty")]);
});

// Each starts several processes, one after another.
describe.runIf(process.env.TEST_DATABASE_URL)("from the embedded database to PostgreSQL", { timeout: 600_000 }, () => {
  const resources = new AsyncDisposableStack();
  const key = { "Idempotency-Key": "kept" };
  const oddName = "\"Quotes\", 'single', back\\slash \\N, Ünïcödé 漢字 🌲";
  let dataDir: string;
  let embedded: { dataDir: string; databaseUrl: string };
  let before: unknown[];
  let predicted: unknown;
  let artifactId: string;
  let queued: { id: string; body: object };
  let interruptedId: string;
  let sourceHash: string;

  const newDatabase = async (): Promise<{ dataDir: string; databaseUrl: string }> => {
    const databaseUrl = await createDatabase();
    resources.defer(() => dropDatabase(databaseUrl));
    return { dataDir, databaseUrl };
  };
  const predict = async (service: RunningService): Promise<unknown> => {
    const rows = [{ date: "2015-12-24", precipitation: 0, temp_max: 12.5, temp_min: 3, wind: 4.1 }];
    return (await service.call("POST", `/artifacts/${artifactId}/predictions`, { rows })).json;
  };

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "move-"));
    resources.defer(() => rm(dataDir, { recursive: true, force: true }));
    await cp(inject("migratedFolder"), dataDir, { recursive: true });
    embedded = { dataDir, databaseUrl: "" };

    const working = await startService({ on: embedded });
    resources.defer(async () => void (await working.halt()));
    const weather = await working.upload(seattleWeatherCsv(), { name: oddName });
    const small = await working.upload("a\tb,label\n1,x\ty\n2,z\\N\n3,x\ty\n", { name: "small" });
    const noise = await working.upload(noiseCsv(), { name: "noise" });
    expect([weather.json, small.status, noise.status]).toEqual([expect.objectContaining({ name: oddName }), 201, 201]);
    for (const { json } of [weather, small, noise])
      await eventually(async () => (await working.call("GET", `/datasets/${json.id}`)).json.profile !== null);
    const run = await working.train(weather.json.id);
    artifactId = run.json.artifactId;
    await working.call("PATCH", `/artifacts/${artifactId}`, { pinned: true });
    expect((await working.train(small.json.id)).json.status).toBe("failed");
    predicted = await predict(working);
    const heavy = { datasetId: noise.json.id, mode: "heavy", parameters: { rounds: 15, earlyStoppingRounds: 15 } };
    interruptedId = (await working.call("POST", "/training-runs", heavy)).json.id;
    await working.waitForRun(interruptedId, ({ status }) => status === "running");
    await working.kill("SIGKILL");

    // Nobody trains here: what is submitted waits.
    const waiting = await startService({ on: embedded, env: { SERVICE_ROLE: "api" } });
    resources.defer(async () => void (await waiting.halt()));
    const body = { datasetId: weather.json.id, mode: "light", parameters: { seed: 7 } };
    queued = { id: (await waiting.call("POST", "/training-runs", body, key)).json.id, body };
    before = await listsOf(waiting);

    const refused = await move(await newDatabase());
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`in use by process ${waiting.pid}`)]);
    await waiting.halt();
    sourceHash = await hashOf(join(dataDir, "database"));
  }, 600_000);
  afterAll(() => resources.disposeAsync());

  test("rows, jobs and files are the same, queued and interrupted runs are trained, and the source is as it was", async () => {
    const place = await newDatabase();
    const moved = await move(place);
    expect(moved.stderr).toBe("");
    expect([moved.code, moved.report]).toEqual([0, expect.objectContaining({ msg: "all rows and jobs are there" })]);
    expect(moved.report.tables).toMatchObject({
      datasets: { rows: 3, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      training_runs: { rows: 4 },
      artifacts: { rows: 1 },
      idempotency_keys: { rows: 1 },
      "pgboss.job": { rows: 7 },
    });
    // Three datasets with their typed copies, and a model.
    expect(moved.stdout).toContain('"whole":7,"missing":0,"damaged":0');
    expect(await hashOf(join(dataDir, "database"))).toBe(sourceHash);
    expect(await readdir(dataDir)).not.toContain("database.moving");

    // A second time there is nothing to do.
    const again = await move(place);
    expect([again.code, again.report.msg]).toEqual([0, "all rows and jobs were there already"]);
    expect(again.report.tables).toEqual(moved.report.tables);

    const idle = await startService({ on: place, env: { SERVICE_ROLE: "api" } });
    expect(await listsOf(idle)).toEqual(before);
    expect(idle.lines.find((line) => line.includes("files swept"))).toContain('"orphansRemoved":0,"filesMissing":0');
    const same = await idle.call("POST", "/training-runs", queued.body, key);
    expect(same.json.id).toBe(queued.id);
    const served = await move(place);
    expect([served.code, served.stderr]).toEqual([1, expect.stringContaining("A service is connected")]);
    await idle.halt();

    const service = await startService({ on: place });
    expect((await service.waitForRun(queued.id)).json).toMatchObject({ status: "succeeded", attempt: 1 });
    expect((await service.waitForRun(interruptedId)).json).toMatchObject({ status: "succeeded", attempt: 2 });
    expect(await predict(service)).toEqual(predicted);
    expect((await service.call("GET", `/artifacts/${artifactId}`)).json.pinned).toBe(true);
    await service.halt();

    // Now it holds more than the source.
    const changed = await move(place);
    expect([changed.code, changed.stderr]).toEqual([1, expect.stringContaining("is not empty")]);
    expect(changed.stderr).toContain("artifacts has 3 rows, of 1");
    // By mistake nobody goes on with the old rows, and takes the new files for left over; on purpose the way back is open.
    const mistaken = await refusedStart(embedded);
    expect(mistaken).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^The embedded database in [^\n]* was moved[^\n]*\n$/),
    });
    await rm(join(dataDir, "database.moved"));
    const back = await startService({ on: embedded, env: { SERVICE_ROLE: "api" } });
    expect((await back.call("GET", `/training-runs/${queued.id}`)).json.status).toBe("queued");
    await back.halt();
    sourceHash = await hashOf(join(dataDir, "database"));
  });

  test("killed in the middle it leaves nothing behind, and is called again", async () => {
    const place = await newDatabase();
    const { databaseUrl } = place;
    await new Promise((resolve) =>
      execFile(process.execPath, ["src/commands/migrate.ts"], { cwd: root, env: serviceEnvironment(place) }, resolve),
    );
    // Datasets are in by then, runs are not.
    await ask(
      databaseUrl,
      "create function hold() returns trigger language plpgsql as $$ begin perform pg_sleep(600); return new; end $$",
    );
    await ask(
      databaseUrl,
      "create trigger hold before insert on idempotency_keys for each row execute function hold()",
    );
    const child = spawn(process.execPath, command, { cwd: root, env: serviceEnvironment(place), stdio: "ignore" });
    const sleeping = "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
    const [{ pid } = {}] = await eventually(async () => {
      const rows = await ask(databaseUrl, sleeping);
      return rows.length > 0 && rows;
    });
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    await ask(databaseUrl, `select pg_terminate_backend(${pid}, 10000)`);
    for (const table of ["datasets", "artifacts", "training_runs", "pgboss.job"])
      expect([table, await ask(databaseUrl, `select 1 from ${table}`)]).toEqual([table, []]);
    expect(await readdir(dataDir)).toContain("database.moving");
    expect(await readdir(dataDir)).not.toContain("database.moved");

    await ask(databaseUrl, "drop trigger hold on idempotency_keys");
    const again = await move(place);
    expect([again.code, again.report]).toEqual([0, expect.objectContaining({ msg: "all rows and jobs are there" })]);
    expect(await hashOf(join(dataDir, "database"))).toBe(sourceHash);
    expect(await readdir(dataDir)).not.toContain("database.moving");
  });

  test("what a first start by mistake has left in the new database is no obstacle", async () => {
    const place = await newDatabase();
    // On the files it is refused, as it knows none of them, and has made its mark by then; without them it runs.
    const mistaken = await refusedStart(place);
    expect([mistaken.code, mistaken.stderr]).toEqual([1, expect.stringContaining("belong to another database")]);
    const elsewhere = await mkdtemp(join(tmpdir(), "move-elsewhere-"));
    resources.defer(() => rm(elsewhere, { recursive: true }));
    await (await startService({ on: { ...place, dataDir: elsewhere } })).halt();
    const [mark] = await ask(place.databaseUrl, "select value_ms from deployment_state where key = 'deployment_id'");
    expect(mark).toBeDefined();

    const moved = await move(place);
    expect([moved.code, moved.stderr, moved.report.msg]).toEqual([0, "", "all rows and jobs are there"]);
    expect(moved.stdout).toContain("an empty deployment was in the new database");
    expect(
      await ask(place.databaseUrl, "select value_ms from deployment_state where key = 'deployment_id'"),
    ).not.toEqual([mark]);
    const service = await startService({ on: place, env: { SERVICE_ROLE: "api" } });
    expect(await listsOf(service)).toEqual(before);
    await service.halt();
    await rm(join(dataDir, "database.moved"));
  });

  test("a row without its file, a database of somebody else's and an empty folder are refused, each by its name", async () => {
    const place = await newDatabase();
    const [id = ""] = await readdir(join(dataDir, "files", "dataset"));
    const [file, aside] = [join(dataDir, "files", "dataset", id), join(dataDir, "aside")];
    await rename(file, aside);
    const without = await move(place);
    await rename(aside, file);
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining("Not every row has its file")]);
    expect(without.stdout).toContain(id);
    expect(await ask(place.databaseUrl, "select 1 from datasets")).toEqual([]);

    await ask(
      place.databaseUrl,
      "insert into idempotency_keys values ('somebody', 'else', repeat('0', 64), gen_random_uuid(), now())",
    );
    const foreign = await move(place);
    expect([foreign.code, foreign.stderr]).toEqual([1, expect.stringContaining("is not empty")]);

    const empty = await mkdtemp(join(tmpdir(), "move-empty-"));
    resources.defer(() => rm(empty, { recursive: true }));
    const nothing = await move({ ...place, dataDir: empty });
    expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining("holds no embedded database")]);
    // Opened, it would be taken for one that a killed start has left half made.
    await cp(join(dataDir, "database", "base"), join(empty, "database", "base"), { recursive: true });
    const half = await move({ ...place, dataDir: empty });
    expect([half.code, half.stderr]).toEqual([1, expect.stringContaining("none that was made whole")]);
  });
});
