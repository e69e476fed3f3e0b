import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { test } from "vitest";
import { endless, noiseCsv } from "../endless-training.ts";
import { startService } from "../service.ts";

/** What a test of a run that is about to be killed has started; it says so to the file that KILLED_RUN_TOLD names. */
test("has what tests have, and never ends", async () => {
  const service = await startService();
  const { json: dataset } = await service.upload(noiseCsv());
  const { json: run } = await service.call("POST", "/training-runs", { datasetId: dataset.id, ...endless });
  await service.waitForRun(run.id, ({ status }) => status === "running");
  // With nothing but PATH, and of a session of its own.
  const { PATH } = process.env;
  const stubborn = spawn("sh", ["-c", "trap '' TERM HUP INT; echo up; while :; do sleep 1; done"], {
    env: { PATH },
    detached: true,
  });
  await once(stubborn.stdout, "data");
  const { pid, dataDir, databaseUrl } = service;
  const told = { pids: [pid, stubborn.pid, process.pid], dataDir, databaseUrl, folder: process.env.TMPDIR };
  writeFileSync(process.env.KILLED_RUN_TOLD ?? "", JSON.stringify(told));
  await once(stubborn, "close");
});
