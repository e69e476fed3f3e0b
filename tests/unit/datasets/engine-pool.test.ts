import { tmpdir } from "node:os";
import { afterEach, expect, test } from "vitest";
import { createEnginePool, type EnginePool } from "../../../src/datasets/engines/engine-pool.ts";
import { openCsvEngine } from "../../../src/tables/csv-engine.ts";
import { faultOf } from "../../support/fault-of.ts";

const endless = "SELECT count(*) FROM range(1000000000000) AS a, range(1000000) AS b";
let pool: EnginePool;
const openPool = (limits: { size: number; maxWaiting: number }): EnginePool => {
  pool = createEnginePool(() => openCsvEngine([tmpdir()], 32), limits);
  return pool;
};
afterEach(() => pool.stop());

test("who holds none comes before who does, else who came first; more than may wait are told to come back", async () => {
  const { use } = openPool({ size: 1, maxWaiting: 3 });
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const works = [use({ owner: "anna" }, () => first.promise)];
  for (const [owner, name] of [
    ["anna", "a2"],
    ["ben", "b1"],
    ["ben", "b2"],
  ] as const)
    works.push(use({ owner }, async () => void order.push(name)));
  const refused = await faultOf(() => use({ owner: "cleo" }, async () => {}));
  expect(refused).toMatchObject({ code: "CHECKS_BUSY", retryAfterSeconds: 2 });
  first.resolve();
  await Promise.all(works);
  expect(order).toEqual(["a2", "b1", "b2"]);
});

test("two places: an owner who holds one waits behind who holds none", async () => {
  const { use } = openPool({ size: 2, maxWaiting: 9 });
  const order: string[] = [];
  const [held, other] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const works = [use({ owner: "anna" }, () => held.promise), use({ owner: "anna" }, () => other.promise)];
  works.push(use({ owner: "anna" }, async () => void order.push("a3")));
  works.push(use({ owner: "ben" }, async () => void order.push("b1")));
  other.resolve();
  await works[3];
  held.resolve();
  await Promise.all(works);
  expect(order).toEqual(["b1", "a3"]);
});

test("what waits or works ends with its signal, and the place is free", async () => {
  const { use } = openPool({ size: 1, maxWaiting: 9 });
  const [working, waiting] = [new AbortController(), new AbortController()];
  const work = use({ owner: "anna", signal: working.signal }, (reader) => reader.query(endless));
  const wait = use({ owner: "anna", signal: waiting.signal }, async () => "never");
  waiting.abort(new Error("has gone"));
  await expect(wait).rejects.toThrow("has gone");
  working.abort(new Error("has gone too"));
  await expect(work).rejects.toThrow("has gone too");
  expect(await use({ owner: "ben" }, (reader) => reader.query("SELECT 42"))).toEqual([[42]]);
});

test("an engine that ran out of memory is replaced, and nobody else notices", async () => {
  const { use } = openPool({ size: 1, maxWaiting: 9 });
  const greedy = use({ owner: "anna" }, (reader) =>
    reader.query("SELECT count(DISTINCT i) FROM range(50000000) AS r(i)"),
  );
  await expect(greedy).rejects.toThrow("Out of Memory Error");
  expect(await use({ owner: "ben" }, (reader) => reader.query("SELECT 42"))).toEqual([[42]]);
});

test("stopping ends what is asked in the middle, and takes nothing more", async () => {
  const { use, stop } = openPool({ size: 1, maxWaiting: 9 });
  const asked = [0, 1].map(() => use({ owner: "anna" }, (reader) => reader.query(endless)));
  const ends = Promise.all(asked.map((work) => faultOf(() => work)));
  await stop();
  expect((await ends).map(({ code }) => code)).toEqual(["NOT_READY", "NOT_READY"]);
  expect(await faultOf(() => use({ owner: "ben" }, async () => {}))).toMatchObject({ code: "NOT_READY" });
});
