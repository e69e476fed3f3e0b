import { createHash } from "node:crypto";
import { mkdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually, startService } from "../support/service.ts";

const csv = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";

test("expired datasets go by themselves, and the metrics tell of it", async () => {
  const service = await startService({ env: { DATASET_TTL_DAYS: "0.00003", DATASET_TTL_CHECK_INTERVAL_SECONDS: "1" } });
  try {
    const { json } = await service.upload(csv);
    expect(new Date(json.expiresAt).getTime() - new Date(json.createdAt).getTime()).toBeCloseTo(2592, -1);
    await eventually(async () => (await service.call("GET", `/datasets/${json.id}`)).status === 404);
    await eventually(async () => (await service.metric("mlops_backend_dataset_ttl_datasets_removed_total")) === 1);
    expect(await service.metric("mlops_backend_dataset_ttl_files_removed_total")).toBe(1);
    expect(await service.metric("mlops_backend_dataset_ttl_cycles_total", { result: "success" })).toBe(1);
    expect(await service.metric("mlops_backend_dataset_ttl_enabled")).toBe(1);
  } finally {
    await service.stop();
  }
});

test("a file that is missing already does not stop the cycle", async () => {
  const service = await startService({
    env: { DATASET_TTL_DAYS: "0.00001", DATASET_TTL_CHECK_INTERVAL_SECONDS: "86400", SERVICE_ROLE: "api" },
  });
  try {
    const { json } = await service.upload(csv);
    await rm(join(service.dataDir, "files", "dataset", json.id));
    const report = await eventually(async () => {
      const answer = await service.call("DELETE", "/datasets/expired");
      return answer.json.deleted === 1 ? answer : undefined;
    });
    expect(report.json).toMatchObject({ deleted: 1, filesRemoved: 0, filesMissing: 1, errors: 0 });
  } finally {
    await service.stop();
  }
});

test("a dataset that a run still needs outlives its TTL", async () => {
  // No worker: the run stays queued.
  const service = await startService({ env: { DATASET_TTL_DAYS: "0.00001", SERVICE_ROLE: "api" } });
  try {
    const { json } = await service.upload(csv);
    const run = await service.call("POST", "/training-runs", { datasetId: json.id, mode: "light" });
    expect(run.status).toBe(202);
    const other = await service.upload(csv, { name: "unused" });
    const report = await eventually(async () => {
      const answer = await service.call("DELETE", "/datasets/expired");
      return answer.json.deleted > 0 ? answer : undefined;
    });
    expect(report.json.deleted).toBe(1);
    expect((await service.call("GET", `/datasets/${other.json.id}`)).status).toBe(404);
    expect((await service.call("GET", `/datasets/${json.id}`)).status).toBe(200);
  } finally {
    await service.stop();
  }
});

test("a cycle that a caller asks for is about the caller's datasets alone", async () => {
  const hash = (key: string) => createHash("sha256").update(key).digest("hex");
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  // No worker: nothing is scheduled.
  const env = { SERVICE_ROLE: "api", API_KEYS: `anna:${hash("key-a")},ben:${hash("key-b")}` };
  const service = await startService({ env });
  try {
    const startedMs = Date.now();
    const cycleOf = async (key: string) => (await service.call("DELETE", "/datasets/expired", undefined, as(key))).json;
    const { json } = await service.upload(csv, {}, "b.csv", as("key-b"));
    // A folder in the file's place makes a removal fail half-way.
    const file = join(service.dataDir, "files", "dataset", json.id);
    await rm(file);
    await mkdir(file);
    expect((await service.call("DELETE", `/datasets/${json.id}`, undefined, as("key-b"))).status).toBe(500);
    await rmdir(file);
    expect(await cycleOf("key-a")).toMatchObject({ deleted: 0, filesMissing: 0 });
    expect(await cycleOf("key-b")).toMatchObject({ deleted: 1, filesMissing: 1 });
    const lastSuccessSeconds = await service.metric("mlops_backend_dataset_ttl_last_success_timestamp_seconds");
    expect(lastSuccessSeconds * 1000).toBeLessThan(startedMs);
    expect(await service.metric("mlops_backend_dataset_ttl_cycles_total")).toBe(0);
    expect(await service.metric("mlops_backend_dataset_ttl_datasets_removed_total")).toBe(1);
  } finally {
    await service.stop();
  }
});
