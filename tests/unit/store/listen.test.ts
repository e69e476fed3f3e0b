import { AsyncLocalStorage } from "node:async_hooks";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, context, createContextKey, ROOT_CONTEXT } from "@opentelemetry/api";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { notify, openStore, type Store } from "../../../src/store/database.ts";

const resources = new AsyncDisposableStack();
const stores: Store[] = [];
const key = createContextKey("who");

beforeAll(async () => {
  const running = new AsyncLocalStorage<Context>();
  context.setGlobalContextManager({
    active: () => running.getStore() ?? ROOT_CONTEXT,
    with: (active, work, self, ...given) => running.run(active, () => work.apply(self as never, given)),
    bind: (_active, target) => target,
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  });
  resources.defer(async () => context.disable());
  const dataDir = await mkdtemp(join(tmpdir(), "listen-"));
  resources.defer(() => rm(dataDir, { recursive: true, force: true }));
  await cp(inject("migratedFolder"), dataDir, { recursive: true });
  const server = process.env.TEST_DATABASE_URL;
  for (const databaseUrl of ["", ...(server === undefined || server === "" ? [] : [server])]) {
    const store = await openStore({ databaseUrl, dataDir });
    resources.defer(() => store.stop());
    stores.push(store);
  }
});
afterAll(() => resources.disposeAsync());

test("whoever listens hears outside of the traces of those who notify, and of who listened first", async () => {
  for (const { listen, db } of stores) {
    const heard: unknown[] = [];
    const as = <Value>(who: string, work: () => Value): Value => context.with(ROOT_CONTEXT.setValue(key, who), work);
    const stop = await as("listens", () =>
      listen("listen_test", (payload) => heard.push([payload, context.active().getValue(key)])),
    );
    await as("notifies", () => notify(db, "listen_test", "changed"));
    await expect.poll(() => heard).toEqual([["changed", undefined]]);
    await stop();
  }
});
