import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openStore, type Store } from "../../../src/store/database.ts";
import type { Tables } from "../../../src/store/schema.ts";

const resources = new AsyncDisposableStack();
let store: Store;

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "turns-"));
  resources.defer(() => rm(dataDir, { recursive: true, force: true }));
  await cp(inject("migratedFolder"), dataDir, { recursive: true });
  store = await openStore({ databaseUrl: "", dataDir });
  resources.defer(() => store.stop());
});
afterAll(() => resources.disposeAsync());

const statements = 20;
const work = async (db: Kysely<Tables>): Promise<void> => {
  for (let index = 0; index < statements; index += 1) await sql`select ${index}::int`.execute(db);
};

/** How often others had their turn of the event loop meanwhile. */
async function turnsOf(working: Promise<void>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const ending = working.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await setImmediate();
    turns += 1;
  }
  await ending;
  return turns;
}

test("others have their turn of the event loop between statements of the embedded database, in a transaction too", async () => {
  expect(await turnsOf(work(store.db))).toBeGreaterThanOrEqual(statements);
  expect(await turnsOf(store.db.transaction().execute(work))).toBeGreaterThanOrEqual(statements);
});
