import { readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fileKinds } from "../../src/storage/file-storage.ts";
import { penguinsCsv } from "../support/real-data.ts";
import { startService } from "../support/service.ts";

interface Flush {
  readonly ino: number;
  readonly size: number;
  readonly folder?: string;
  readonly names?: readonly string[];
}

/** Does to the files of a folder what a loss of power may: names whose folder was not flushed go, and so do bytes. */
function forgetWhatWasNotFlushed(folder: string, flushes: readonly Flush[]): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const { ino, size } = statSync(path);
    const isNameKept = flushes.some((flush) => flush.folder === folder && flush.names?.includes(name));
    if (!isNameKept) rmSync(path);
    else if (!flushes.some((flush) => flush.ino === ino && flush.size === size)) truncateSync(path);
  }
}

test("an upload and a model that were acknowledged are whole after a loss of power", async () => {
  const folder = await mkdtemp(join(tmpdir(), "flushes-"));
  const record = join(folder, "flushes");
  const script = new URL("../support/record-flushes.cjs", import.meta.url).pathname;
  const killed = await startService({ env: { NODE_OPTIONS: `--require=${script}`, FLUSHES: record } });
  const { json: dataset } = await killed.upload(penguinsCsv());
  const { json: run } = await killed.train(dataset.id);
  const contents = [`/datasets/${dataset.id}/content`, `/artifacts/${run.artifactId}/content`];
  const before = await Promise.all(contents.map(async (path) => (await killed.call("GET", path)).text));
  await killed.kill("SIGKILL");
  const flushes = readFileSync(record, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Flush);
  for (const kind of fileKinds) forgetWhatWasNotFlushed(join(killed.dataDir, "files", kind), flushes);

  const service = await startService({ on: killed });
  try {
    const after = await Promise.all(contents.map(async (path) => (await service.call("GET", path)).text));
    expect(after).toEqual(before);
  } finally {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
