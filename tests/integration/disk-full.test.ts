import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
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
    expect(await eventually(() => service.metric("mlops_backend_storage_filesystem_size_bytes"))).toBe(2 * 1024 * 1024);
  } finally {
    await service.halt();
    execFileSync("umount", [files]);
    await service.stop();
  }
});
