import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { Logger } from "../../../src/log.ts";
import { JobReturnedError, startQueue } from "../../../src/queue/job-queue.ts";
import { openStore, type Store } from "../../../src/store/database.ts";

const resources = new AsyncDisposableStack();
const warnings: { readonly fields: Record<string, unknown>; readonly message: string }[] = [];
const log = {
  warn: (fields: Record<string, unknown>, message: string) => void warnings.push({ fields, message }),
} as unknown as Logger;
let store: Store;

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "job-queue-"));
  resources.defer(() => rm(dataDir, { recursive: true, force: true }));
  await cp(inject("migratedFolder"), dataDir, { recursive: true });
  store = await openStore({ databaseUrl: "", dataDir });
  resources.defer(() => store.stop());
});
afterAll(() => resources.disposeAsync());

test("a job whose handler throws is logged with its queue and run, one that is given back on purpose is not", async () => {
  const queue = await startQueue(store, { log });
  let taken = 0;
  const stopTaking = await queue.work("dataset-profile", { concurrency: 1 }, async ({ data }) => {
    taken += 1;
    throw data.isFault === true ? new Error("no such dataset") : new JobReturnedError("the service stops");
  });
  try {
    await queue.send("dataset-profile", { isFault: false }, store.db);
    await expect.poll(() => taken).toBe(1);
    await queue.send("dataset-profile", { isFault: true, runId: "0190b6a0" }, store.db);
    await expect.poll(() => warnings.length).toBeGreaterThan(0);
    expect(warnings[0]).toMatchObject({
      message: "queue: a job failed",
      fields: { queue: "dataset-profile", attempt: 1, run_id: "0190b6a0", err: { message: "no such dataset" } },
    });
  } finally {
    await stopTaking();
    await queue.stop();
  }
});
