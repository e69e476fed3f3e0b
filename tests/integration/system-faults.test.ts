import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loseTable } from "../support/lose-table.ts";
import { penguinsCsv } from "../support/real-data.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";

async function expectFailedOnce(service: RunningService, errorType: string): Promise<void> {
  // Counted once the row says so; a client may be faster.
  await eventually(async () => (await service.metric("mlops_backend_training_failures_total")) > 0);
  const failures = { mode: "light", error_type: errorType };
  expect(await service.metric("mlops_backend_training_failures_total", failures)).toBe(1);
  expect(await service.metric("mlops_backend_training_failures_total")).toBe(1);
  expect(await service.metric("mlops_backend_training_runs_total", { outcome: "failed" })).toBe(1);
  expect(await service.metric("mlops_backend_training_retries_total", { mode: "light" })).toBe(2);
}

test("a training whose file can't be read is tried three times, then failed with its code, and counted once", async () => {
  const service = await startService();
  try {
    const { json: broken } = await service.upload(penguinsCsv(), { name: "broken" });
    const { json: whole } = await service.upload(penguinsCsv(), { name: "whole" });
    await loseTable(service, broken.id);
    const run = await service.train(broken.id);
    expect(run.json).toMatchObject({
      status: "failed",
      attempt: 3,
      error: { code: "STORAGE_FAILED" },
      artifactId: null,
    });
    expect(run.text).not.toContain(service.dataDir);
    // stdout may reach us after the answer
    const attempts = await eventually(async () => {
      const entries = service.lines.map((line) => JSON.parse(line));
      const failed = entries.filter(({ msg }) => msg === "training: an attempt failed");
      return failed.length >= 3 ? failed : undefined;
    });
    expect(attempts.map(({ attempt, code }) => [attempt, code])).toEqual(
      [1, 2, 3].map((attempt) => [attempt, "STORAGE_FAILED"]),
    );
    await expectFailedOnce(service, "storage");
    // The slot is free again, and a good dataset does not suffer.
    expect((await service.train(whole.id)).json).toMatchObject({ status: "succeeded", attempt: 1 });
    expect(await service.metric("mlops_backend_training_retries_total")).toBe(2);
  } finally {
    await service.stop();
  }
});

test("a training whose process dies is tried three times, then failed as a crash; the process lives on", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dying-process-"));
  const script = join(folder, "die.cjs");
  // Loaded into the service: what trains is killed when its table is loaded. An answer may be on its way, and does not count.
  await writeFile(
    script,
    `const { ChildProcess } = require("node:child_process");
    const { emit } = ChildProcess.prototype;
    ChildProcess.prototype.emit = function (event, message, ...more) {
      if (event === "message" && message !== null && typeof message === "object") this.kill("SIGKILL");
      else return emit.call(this, event, message, ...more);
    };`,
  );
  const service = await startService({ env: { NODE_OPTIONS: `--require=${script}` } });
  try {
    const { json } = await service.upload(penguinsCsv());
    const run = await service.train(json.id);
    expect(run.json).toMatchObject({
      status: "failed",
      attempt: 3,
      error: { code: "TRAINING_CRASHED" },
      artifactId: null,
    });
    await expectFailedOnce(service, "crash");
    expect((await service.call("GET", "/api/health/ready")).status).toBe(200);
    await eventually(
      async () => (await service.metric("mlops_backend_training_worker_slots", { state: "busy" })) === 0,
    );
  } finally {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
