import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seattleWeatherCsv } from "../support/real-data.ts";
import { eventually, type RunningService, serviceEnvironment, startService } from "../support/service.ts";
import { root } from "./processes.ts";
import { startVersitygw, type VersitygwProcess } from "./versitygw-process.ts";

let folder: string;
let gateway: VersitygwProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "copy-files-"));
  gateway = await startVersitygw(join(folder, "buckets"));
  await gateway.createBucket("files");
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const bucket = (): Record<string, string> => ({ ...gateway.env, S3__BUCKET: "files" });

interface Copied {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line, which counts. */
  readonly report: Record<string, unknown>;
}

function runCopy(place: { dataDir: string; databaseUrl: string }, to: string, env = bucket()): Promise<Copied> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["src/commands/copy-files.ts", "--to", to],
      { cwd: root, env: serviceEnvironment(place, env) },
      (error, stdout, stderr) => {
        const last = stdout.trim().split("\n").at(-1) ?? "";
        const report = last.startsWith("{") ? JSON.parse(last) : {};
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr, report });
      },
    );
  });
}

const sha256 = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

async function expectWhole(service: RunningService): Promise<number> {
  const { items } = (await service.call("GET", "/datasets")).json;
  for (const { id, sha256: expected } of items) {
    const answer = await fetch(`${service.url}/api/ml/v1/datasets/${id}/content`);
    expect(sha256(Buffer.from(await answer.arrayBuffer()))).toBe(expected);
  }
  return items.length;
}

async function allTyped(service: RunningService): Promise<void> {
  for (const { id } of (await service.call("GET", "/datasets")).json.items)
    await eventually(async () => (await service.call("GET", `/datasets/${id}`)).json.typedBytes !== null);
}

test("files go to a bucket and back: not while the service runs, in as many runs as it takes, each one verified", async () => {
  const place = { dataDir: join(folder, "data"), databaseUrl: "" };
  const local = join(place.dataDir, "files");
  const first = await startService({ on: place });
  for (const name of ["a", "b", "c"]) expect((await first.upload(seattleWeatherCsv(), { name })).status).toBe(201);
  const dataset = (await first.call("GET", "/datasets")).json.items[0];
  const { artifactId } = (await first.train(dataset.id)).json;
  await allTyped(first);

  const refused = await runCopy(place, "s3");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`in use by process ${first.pid}`)]);
  await first.halt();

  // One is away and one is damaged: the others are copied all the same.
  const [away, damaged] = (await readdir(join(local, "dataset"))) as [string, string];
  await rename(join(local, "dataset", away), join(folder, "away"));
  const content = await readFile(join(local, "dataset", damaged));
  await writeFile(join(local, "dataset", damaged), content.toString().replace("2012", "2013"));
  // A typed copy is made again: no gap.
  const [lost] = (await readdir(join(local, "typed"))) as [string];
  await writeFile(join(local, "typed", lost), "something else");
  const faulty = await runCopy(place, "s3");
  expect([faulty.code, faulty.report]).toEqual([
    1,
    expect.objectContaining({ copied: 4, alreadyThere: 0, missing: 1, damaged: 1, typedForgotten: 1, failed: 0 }),
  ]);
  for (const id of [away, damaged]) expect(faulty.stdout).toContain(id);
  expect((await readdir(join(gateway.folderOf("files"), "dataset"))).length).toBe(1);

  await rename(join(folder, "away"), join(local, "dataset", away));
  await writeFile(join(local, "dataset", damaged), content);
  const whole = await runCopy(place, "s3");
  expect([whole.code, whole.report]).toEqual([
    0,
    expect.objectContaining({ copied: 2, alreadyThere: 4, missing: 0, damaged: 0, copiedBytes: 2 * content.length }),
  ]);
  expect(await readdir(join(local, "tmp"))).toEqual([]);

  await rename(join(local, "dataset"), join(folder, "old-datasets"));
  const second = await startService({ on: place, env: bucket() });
  expect(await expectWhole(second)).toBe(3);
  expect((await second.call("GET", `/artifacts/${artifactId}/content`)).status).toBe(200);
  expect(await second.metric("mlops_backend_files_missing")).toBe(0);
  await second.upload(seattleWeatherCsv(), { name: "d" });
  await allTyped(second);
  expect((await readdir(join(gateway.folderOf("files"), "typed"))).length).toBe(4);
  await second.halt();

  const back = await runCopy(place, "local");
  expect([back.code, back.report]).toEqual([0, expect.objectContaining({ copied: 6, alreadyThere: 3, failed: 0 })]);
  const third = await startService({ on: place });
  expect(await expectWhole(third)).toBe(4);
  await third.stop();
});

test("a bucket of another database is left alone; a wrong call says how it is called", async () => {
  const place = { dataDir: join(folder, "other"), databaseUrl: "" };
  const service = await startService({ on: place });
  await service.upload(seattleWeatherCsv());
  await service.halt();
  await gateway.createBucket("foreign");
  const put = (Key: string, Body: string) =>
    gateway.client.send(new PutObjectCommand({ Bucket: "foreign", Key, Body }));
  await put("deployment", "1");
  await put(`dataset/${randomUUID()}`, "a,b\n1,2\n");
  const foreign = await runCopy(place, "s3", { ...bucket(), S3__BUCKET: "foreign" });
  expect([foreign.code, foreign.stderr]).toEqual([1, expect.stringContaining("belong to another database")]);
  expect(await runCopy(place, "s3", {})).toMatchObject({ code: 2, stderr: expect.stringContaining("S3__BUCKET") });
  expect(await runCopy(place, "tape")).toMatchObject({ code: 2, stderr: expect.stringContaining("--to local") });
});
