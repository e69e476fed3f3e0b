import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually, startService } from "../support/service.ts";

const smallCsv = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";
const bigCsv = `a,b,label\n${Array.from({ length: 300_000 }, (_, n) => `${n},${n % 7},${n % 2 === 0 ? "x" : "y"}`).join("\n")}\n`;

test("a full disk is 507, leaves nothing behind, and the next upload that fits is taken", async () => {
  const first = await startService();
  await first.halt();
  const files = join(first.dataDir, "files");
  mkdirSync(files, { recursive: true });
  // A file system of 2 MiB for the files alone: the embedded database stands beside it.
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", files]);
  const service = await startService({ on: first });
  try {
    const refused = await service.upload(bigCsv, { name: "big" });
    expect(refused.json).toMatchObject({ code: "DISK_FULL", status: 507 });
    expect(refused.text).not.toContain(files);
    for (const folder of ["tmp", "dataset"]) expect(await readdir(join(files, folder))).toEqual([]);
    expect((await service.call("GET", "/datasets")).json.items).toEqual([]);
    expect(await service.metric("mlops_backend_dataset_uploads_total", { outcome: "failed" })).toBe(1);
    expect((await service.upload(smallCsv)).status).toBe(201);
    const size = 2 * 1024 * 1024;
    await eventually(async () => (await service.metric("mlops_backend_storage_filesystem_size_bytes")) === size);
  } finally {
    await service.halt();
    execFileSync("umount", [files]);
    await service.stop();
  }
});

test("with the disk of the embedded database almost full nothing large is taken, and what frees room still works", async () => {
  const first = await startService();
  await first.halt();
  if (first.databaseUrl !== "") return first.stop();
  const small = `${first.dataDir}-small`;
  mkdirSync(small);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=256m", "tmpfs", small]);
  cpSync(first.dataDir, small, { recursive: true });
  const service = await startService({ on: { dataDir: small, databaseUrl: "" } });
  try {
    const kept = await service.upload(smallCsv, { name: "kept" });
    expect(kept.status).toBe(201);
    const { bavail, bsize } = statfsSync(small);
    writeFileSync(join(small, "filler"), Buffer.alloc(bavail * bsize - 40 * 1024 * 1024));
    const refused = await service.upload(smallCsv, { name: "refused" });
    expect(refused.json).toMatchObject({ code: "DISK_FULL", status: 507 });
    await expect.poll(() => readdir(join(small, "files", "tmp"))).toEqual([]);
    const run = await service.call("POST", "/training-runs", { datasetId: kept.json.id, mode: "light" });
    expect(run.json).toMatchObject({ code: "DISK_FULL", status: 507 });
    expect((await service.call("DELETE", `/datasets/${kept.json.id}`)).status).toBe(204);
    rmSync(join(small, "filler"));
    expect((await service.upload(smallCsv, { name: "again" })).status).toBe(201);
  } finally {
    await service.halt();
    execFileSync("umount", [small]);
    await service.stop();
    await first.stop();
  }
});
