import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seattleWeatherCsv } from "../support/real-data.ts";
import { eventually, serviceEnvironment, startService } from "../support/service.ts";
import { root } from "./processes.ts";
import { type ScratchPostgres, startScratchPostgres } from "./scratch-postgres.ts";
import { startVersitygw, type VersitygwProcess } from "./versitygw-process.ts";

let folder: string;
let gateway: VersitygwProcess;
let postgres: ScratchPostgres;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "move-database-"));
  await chmod(folder, 0o755);
  gateway = await startVersitygw(join(folder, "buckets"));
  await gateway.createBucket("files");
  postgres = await startScratchPostgres(join(folder, "postgres"));
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test("rows go to PostgreSQL and files to the bucket in one call, which goes on where the bucket failed it", async () => {
  const env = { ...gateway.env, S3__BUCKET: "files", S3__MAX_ATTEMPTS: "1", S3__TIMEOUT_SECONDS: "2" };
  const dataDir = join(folder, "data");
  const local = join(dataDir, "files");
  const place = { dataDir, databaseUrl: await postgres.newDatabase() };
  const move = (): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const options = { cwd: root, env: serviceEnvironment(place, env) };
      execFile(
        process.execPath,
        ["src/commands/move-database.ts", "--to", "postgres"],
        options,
        (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  const first = await startService({ on: { dataDir, databaseUrl: "" } });
  for (const name of ["a", "b"]) expect((await first.upload(seattleWeatherCsv(), { name })).status).toBe(201);
  const { items } = (await first.call("GET", "/datasets")).json;
  const { artifactId } = (await first.train(items[0].id)).json;
  for (const { id } of items)
    await eventually(async () => (await first.call("GET", `/datasets/${id}`)).json.typedBytes !== null);
  await first.halt();

  const aside = join(folder, "aside");
  await rename(join(local, "dataset", items[1].id), aside);
  const without = await move();
  expect([without.code, without.stderr]).toEqual([1, expect.stringContaining("Not every row has its file")]);
  expect(without.stdout).toContain('"copied":4,"copiedBytes"');
  await rename(aside, join(local, "dataset", items[1].id));
  await gateway.kill();
  const away = await move();
  expect([away.code, away.stderr]).toEqual([1, expect.stringContaining("S3__ENDPOINT")]);
  await gateway.restart();

  const whole = await move();
  expect([whole.code, whole.stderr]).toEqual([0, ""]);
  expect(whole.stdout).toMatch(
    /"copied":1,"copiedBytes":\d+,"alreadyThere":4,"missing":0,"damaged":0,"typedForgotten":0,"failed":0/,
  );
  expect(whole.stdout).toContain("all rows and jobs are there");
  expect((await readdir(join(gateway.folderOf("files"), "dataset"))).length).toBe(2);

  // Nothing of the local files is asked for any more.
  await rename(local, join(folder, "old-files"));
  const second = await startService({ on: place, env });
  expect((await second.call("GET", "/datasets")).json.items).toEqual(items);
  expect((await second.call("GET", `/artifacts/${artifactId}/content`)).status).toBe(200);
  expect(await second.metric("mlops_backend_files_missing")).toBe(0);
  await second.halt();
});
