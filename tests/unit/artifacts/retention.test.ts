import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { insertArtifact, setPinned } from "../../../src/artifacts/artifact-repository.ts";
import { applyRetention, removeArtifact } from "../../../src/artifacts/retention.ts";
import { systemClock } from "../../../src/clock.ts";
import { createLog } from "../../../src/log.ts";
import { readConfig } from "../../../src/settings/config.ts";
import { openLocalStorage } from "../../../src/storage/local-storage.ts";
import { openStore, type Store } from "../../../src/store/database.ts";

const owner = "anna";
const resources = new AsyncDisposableStack();
let dataDir: string;
let store: Store;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "retention-"));
  resources.defer(() => rm(dataDir, { recursive: true, force: true }));
  await cp(inject("migratedFolder"), dataDir, { recursive: true });
  store = await openStore({ databaseUrl: "", dataDir });
  resources.defer(() => store.stop());
});
afterAll(() => resources.disposeAsync());

test("a model that is pinned after it was chosen, and before it is removed, lives", async () => {
  const { db } = store;
  const storage = await openLocalStorage(join(dataDir, "files"));
  const addModel = async (ageMs: number): Promise<string> => {
    const id = uuidv7();
    const [size, of] = [
      { sizeBytes: 1, sha256: "x" },
      { runId: uuidv7(), datasetId: uuidv7(), target: "y" },
    ];
    const createdAt = new Date(Date.now() - ageMs);
    const more = { mode: "light", task: "regression", metrics: {}, createdAt } as const;
    await insertArtifact(db, { id, owner, input: "{}", ...size, ...of, ...more });
    await writeFile(join(dataDir, "files", "artifact", id), "x");
    return id;
  };
  const [kept, chosen, alsoChosen] = [await addModel(0), await addModel(1_000), await addModel(2_000)];
  // Both are chosen by then, and the second is yet to be removed.
  const removing: typeof storage = {
    ...storage,
    async remove(kind, id) {
      await setPinned(db, owner, id === chosen ? alsoChosen : chosen, true);
      return storage.remove(kind, id);
    },
  };
  const config = readConfig({ MAX_MODEL_ARTIFACTS: "1" });
  const parts = { db, storage: removing, config, clock: systemClock, log: createLog("silent") };
  await applyRetention(parts, owner);

  const living = await db
    .selectFrom("artifacts")
    .select(["id", "pinned", "deleting_at"])
    .orderBy("created_at")
    .execute();
  expect(living).toEqual([
    { id: alsoChosen, pinned: true, deleting_at: null },
    { id: kept, pinned: false, deleting_at: null },
  ]);
  expect((await storage.list("artifact")).map(({ id }) => id).toSorted()).toEqual([alsoChosen, kept].toSorted());
  // Who asks for it by its name means it, pinned or not.
  expect(await removeArtifact(parts, alsoChosen, "request")).toBe(true);
});
