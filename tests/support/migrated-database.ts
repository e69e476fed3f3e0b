import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { createLog } from "../../src/log.ts";
import { startQueue } from "../../src/queue/job-queue.ts";
import { openStore } from "../../src/store/database.ts";

/** Makes one migrated embedded database before all tests; each test copies its folder. It goes with the run's folder. */
export async function setup(project: TestProject): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "mlops-migrated-"));
  const store = await openStore({ databaseUrl: "", dataDir: folder });
  const queue = await startQueue(store, { log: createLog("silent") });
  await queue.stop();
  await store.stop();
  project.provide("migratedFolder", folder);
}
