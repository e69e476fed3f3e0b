import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { refusedStart, serviceEnvironment, startService } from "../support/service.ts";

const root = new URL("../..", import.meta.url).pathname;

interface Ended {
  readonly code: number;
  readonly output: string;
}

function call(command: string, dataDir: string, options: string[], databaseUrl = ""): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [`src/commands/${command}.ts`, ...options],
      { cwd: root, env: serviceEnvironment({ dataDir, databaseUrl }) },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}
const backup = (dataDir: string, ...options: string[]) => call("backup-data", dataDir, options);
const restore = (dataDir: string, ...options: string[]) => call("restore-data", dataDir, options);

// Each starts several processes, one after another.
describe("backup and restore of the embedded database with its files", { timeout: 600_000 }, () => {
  const resources = new AsyncDisposableStack();
  let place: string;
  let dataDir: string;
  let archive: string;
  let before: unknown;
  let keptId: string;

  const startOn = async (folder: string) => {
    const service = await startService({ on: { dataDir: folder, databaseUrl: "" }, env: { SERVICE_ROLE: "api" } });
    resources.defer(async () => void (await service.halt()));
    return service;
  };
  const datasetsOf = async (folder: string): Promise<unknown> => {
    const service = await startOn(folder);
    const { items } = (await service.call("GET", "/datasets?limit=100")).json;
    expect(service.lines.find((line) => line.includes("files swept"))).toContain('"orphansRemoved":0,"filesMissing":0');
    await service.halt();
    return items;
  };
  /** Of what is there beside, names alone. */
  const besides = async (folder: string): Promise<string[]> =>
    (await readdir(folder)).filter((name) => !["database", "database.ready", "files"].includes(name));

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), "backup-"));
    resources.defer(() => rm(place, { recursive: true, force: true }));
    dataDir = join(place, "data");
    archive = join(place, "backup.tar.gz");
    await cp(inject("migratedFolder"), dataDir, { recursive: true });
    const service = await startOn(dataDir);
    keptId = (await service.upload("a,b,label\n1,2,x\n3,4,y\n5,6,x\n", { name: "kept" })).json.id;

    const refused = await backup(dataDir, "--to", archive);
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining(`in use by process ${service.pid}`) });
    expect(await readdir(place)).toEqual(["data"]);
    before = (await service.call("GET", "/datasets?limit=100")).json.items;
    await service.halt();
    const made = await backup(dataDir, "--to", archive);
    expect(made).toMatchObject({ code: 0, output: expect.stringContaining('"whole":1,"missing":0,"damaged":0') });
  }, 600_000);
  afterAll(() => resources.disposeAsync());

  test("what was there at the backup is there again, and what had come since is kept beside it", async () => {
    expect((await stat(archive)).mode & 0o777).toBe(0o600);
    expect([await readdir(place), await besides(dataDir)]).toEqual([["backup.tar.gz", "data"], []]);
    const later = await startOn(dataDir);
    const laterId = (await later.upload("a,label\n1,x\n2,y\n", { name: "later" })).json.id;
    expect((await later.call("DELETE", `/datasets/${keptId}`)).status).toBe(204);
    const inUse = await restore(dataDir, "--from", archive);
    expect(inUse).toMatchObject({ code: 1, output: expect.stringContaining(`in use by process ${later.pid}`) });
    await later.halt();

    expect(await restore(dataDir, "--from", archive)).toMatchObject({ code: 0 });
    const [replaced = "", ...others] = await besides(dataDir);
    expect([replaced, others]).toEqual([expect.stringMatching(/^replaced-20/), []]);
    expect(await readdir(join(dataDir, replaced, "files/dataset"))).toEqual([laterId]);
    expect(await datasetsOf(dataDir)).toEqual(before);
  });

  test("an empty folder takes it too, with a start that a restore by half would not have", async () => {
    const empty = join(place, "new");
    await mkdir(empty);
    await writeFile(join(empty, "restore.unfinished"), "");
    const half = await refusedStart({ dataDir: empty, databaseUrl: "" });
    expect(half).toEqual({ code: 1, stderr: expect.stringMatching(/^A restore into [^\n]* was broken off[^\n]*\n$/) });
    expect(await backup(empty, "--to", join(place, "half.tar.gz"))).toMatchObject({ code: 1 });
    expect(await restore(empty, "--from", archive)).toMatchObject({ code: 0 });
    expect(await besides(empty)).toEqual([]);
    expect(await datasetsOf(empty)).toEqual(before);
  });

  test("an archive that is broken off, of something else, or of files and rows that don't match changes nothing", async () => {
    const target = join(place, "target");
    await mkdir(join(target, "files"), { recursive: true });
    await writeFile(join(target, "files", "mine"), "mine");
    const broken = join(place, "broken.tar.gz");
    await cp(archive, broken);
    await truncate(broken, Math.floor((await stat(broken)).size / 2));
    await writeFile(join(place, "text.tar.gz"), "no archive");
    for (const [file, says] of [
      [broken, "The archive is not whole"],
      [join(place, "text.tar.gz"), "The archive is not whole"],
    ] as const) {
      const refused = await restore(target, "--from", file);
      expect(refused).toMatchObject({ code: 1, output: expect.stringContaining(says) });
      expect(refused.output).toContain("Nothing was replaced.");
    }
    // The folder of another deployment, with these files.
    const mixed = join(place, "mixed");
    await cp(inject("migratedFolder"), mixed, { recursive: true });
    await cp(join(dataDir, "files"), join(mixed, "files"), { recursive: true });
    const foreign = await backup(mixed, "--to", join(place, "mixed.tar.gz"));
    expect(foreign).toMatchObject({ code: 1, output: expect.stringContaining("belong to another database") });
    expect(await readdir(place)).not.toContain("mixed.tar.gz");
    expect([await readdir(target), await readFile(join(target, "files", "mine"), "utf8")]).toEqual([["files"], "mine"]);
  });

  test("a row without its file is told, and taken only by who says so", async () => {
    const gaps = join(place, "gaps");
    await cp(dataDir, gaps, { recursive: true });
    await rm(join(gaps, "files/dataset", keptId));
    const file = join(place, "gaps.tar.gz");
    const refused = await backup(gaps, "--to", file);
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining("--with-gaps") });
    expect(refused.output).toContain(keptId);
    expect(await backup(gaps, "--to", file, "--with-gaps")).toMatchObject({ code: 0 });
    expect(await restore(gaps, "--check", "--from", file)).toMatchObject({
      code: 1,
      output: expect.stringContaining("--with-gaps"),
    });
    expect(await restore(gaps, "--check", "--from", archive)).toMatchObject({ code: 0 });
    const again = await backup(gaps, "--to", file, "--with-gaps");
    expect(again).toMatchObject({ code: 1, output: expect.stringContaining("is there already: name another file") });
    expect(await restore(gaps, "--from", join(place, "nowhere"))).toMatchObject({
      code: 1,
      output: expect.stringContaining("can't be read (ENOENT). Nothing was replaced."),
    });
  });
});

test("what a command tells of its settings is not in an archive on stdout", async () => {
  const folder = await mkdtemp(join(tmpdir(), "backup-"));
  await cp(inject("migratedFolder"), folder, { recursive: true });
  // A name that looks meant for the service, and is the platform's.
  const env = { ...serviceEnvironment({ dataDir: folder, databaseUrl: "" }), PORT: "8000" };
  const parameters = ["src/commands/backup-data.ts", "--to", "-"];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, parameters, {
    cwd: root,
    env,
    encoding: "buffer",
    maxBuffer: Number.POSITIVE_INFINITY,
  });
  await rm(folder, { recursive: true });
  expect(String(stderr)).toContain("PORT (SERVICE_PORT?)");
  // It throws at anything before, after or between.
  expect(gunzipSync(stdout).byteLength).toBeGreaterThan(1_000_000);
});

test("a wrong call, and rows that are elsewhere, are refused", async () => {
  for (const command of ["backup-data", "restore-data"]) {
    const wrong = await call(command, "/nowhere", []);
    expect(wrong).toMatchObject({ code: 2, output: expect.stringContaining("npm run data:") });
    const file = command === "backup-data" ? ["--to", "file"] : ["--from", "file"];
    const elsewhere = await call(command, "/nowhere", file, "postgres://localhost/m");
    expect(elsewhere).toMatchObject({ code: 2, output: expect.stringContaining("DATABASE_URL is set") });
  }
});
