import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore } from "../../src/store/database.ts";
import { type RunningService, startService } from "../support/service.ts";

const header = "same,none,name,kind,size,aside,y";
const table = `${header}\n${Array.from({ length: 80 }, (_, row) => {
  const kind = row % 5 === 0 ? "" : row % 2 === 0 ? "b" : "a";
  const size = row % 8 === 0 ? "" : row;
  // One without a target: its missing cells are none of those that are told.
  const target = row === 40 ? "" : row % 3 === 0 ? "p" : "q";
  return `1,,name${row},${kind},${size},${row},${target}`;
}).join("\n")}\n`;
const features = ["size", "kind", "name", "none", "same"];

let service: RunningService;
let datasetId: string;
beforeAll(async () => {
  service = await startService();
  datasetId = (await service.upload(table, { target: "y" })).json.id;
});
afterAll(() => service?.stop());

const imputedBy = { light: 9, heavy: 0 };
test.each(["light", "heavy"] as const)(
  "a %s run says what became of each column, and warns of those asked for in vain",
  async (mode) => {
    const { json: run } = await service.train(datasetId, { mode, features });
    expect(run).toMatchObject({
      columns: [
        { name: "same", as: "left_out", reason: "constant" },
        { name: "none", as: "left_out", reason: "empty" },
        { name: "name", as: "left_out", reason: "identifier" },
        { name: "kind", as: "categories", missing: 15, categories: 2 },
        { name: "size", as: "number", missing: 9, imputed: imputedBy[mode], rounded: 0 },
        { name: "aside", as: "left_out", reason: "not_asked_for" },
        { name: "y", as: "left_out", reason: "target" },
      ],
      warnings: [
        { code: "COLUMN_CONSTANT", column: "same" },
        { code: "COLUMN_EMPTY", column: "none" },
        { code: "COLUMN_IS_IDENTIFIER", column: "name" },
      ],
      warningCount: 3,
    });
    expect(run.warnings[0].message).toBe(
      "«same» has one value in all rows that were learnt from: the model was trained without it.",
    );
    const events = await service.call("GET", `/training-runs/${run.id}/events`);
    expect(JSON.parse(/^data: (.*)$/m.exec(events.text)![1]!).columns).toEqual(run.columns);
  },
);

test("who names no columns is told the same of them, and warned of none", async () => {
  const { json: run } = await service.train(datasetId, { mode: "light" });
  expect(run.columns).toContainEqual({ name: "same", as: "left_out", reason: "constant" });
  expect(run.columns).toContainEqual(expect.objectContaining({ name: "aside", as: "number" }));
  expect(run).toMatchObject({ warnings: [], warningCount: 0 });
});

test("a run without a model knows nothing of its columns yet, and a list never tells", async () => {
  const submitted = await service.call("POST", "/training-runs", { datasetId, mode: "light" });
  expect(submitted.json).toMatchObject({ columns: null, warnings: null, warningCount: null });
  const { json: failed } = await service.train(datasetId, { mode: "light", features: ["same"] });
  expect(failed).toMatchObject({ status: "failed", columns: null, warnings: null });
  const { json: page } = await service.call("GET", "/training-runs?limit=100");
  for (const run of page.items) for (const name of ["columns", "warnings"]) expect(run).not.toHaveProperty(name);
});

// The last one: it goes on with what the others left.
test("a run from before this was kept says so", async () => {
  const { json: page } = await service.call("GET", "/training-runs?status=succeeded&limit=1");
  await service.halt();
  const store = await openStore(service);
  await sql`update training_runs set column_uses = null, column_warnings = null`.execute(store.db);
  await store.stop();
  service = await startService({ on: service });
  const { json: run } = await service.call("GET", `/training-runs/${page.items[0].id}`);
  expect(run).toMatchObject({ status: "succeeded", columns: null, warnings: null, warningCount: null });
});

test("numbers that a model sees rounded are told, whoever asked for them", async () => {
  const rows = Array.from({ length: 80 }, (_, row) => [1_700_000_000 + row, 16_777_216 - row, row / 7, row % 2]);
  const sent = await service.upload(`meter,whole,part,y\n${rows.map((cells) => `${cells.join(",")}\n`).join("")}`, {
    name: "times",
  });
  const { json: run } = await service.train(sent.json.id, { mode: "heavy", task: "classification" });
  const rounded = rows.filter(([meter]) => Math.fround(meter!) !== meter).length;
  expect(rounded).toBeGreaterThan(70);
  expect(run.columns).toMatchObject([
    { name: "meter", rounded },
    { name: "whole", rounded: 0 },
    { name: "part", rounded: 0 },
    { name: "y", as: "left_out" },
  ]);
  expect(run.warnings).toMatchObject([{ code: "NUMBERS_ROUNDED", column: "meter" }]);
  expect(run.warnings[0].message).toContain(`${rounded} whole numbers`);
});

test("numbers that are one, or none, as 32-bit floats are told as that", async () => {
  const rows = Array.from({ length: 60 }, (_, row) => `${1_700_000_000 + row},${row + 1}e39,${row},${row % 2}\n`);
  const sent = await service.upload(`meter,far,size,y\n${rows.join("")}`, { name: "offset" });
  const features = ["meter", "far", "size"];
  const { json: run } = await service.train(sent.json.id, { mode: "heavy", task: "classification", features });
  expect(run.columns).toMatchObject([
    { name: "meter", reason: "constant_when_rounded" },
    { name: "far", reason: "out_of_range" },
    { name: "size", as: "number" },
    { name: "y" },
  ]);
  expect(run.warnings).toMatchObject([
    { code: "NUMBERS_ROUNDED", column: "meter" },
    { code: "COLUMN_EMPTY", column: "far" },
  ]);
  expect(run.warnings[0].message).toMatch(/^«meter» has several values, .*one as 32-bit floats.*subtract/);
  expect(run.warnings[1].message).toMatch(/^«far» has numbers beyond 3\.4e38 alone/);
  const { json: unasked } = await service.train(sent.json.id, { mode: "heavy", task: "classification" });
  expect(unasked.warnings).toMatchObject([{ code: "NUMBERS_ROUNDED", column: "meter" }]);
  const { json: failed } = await service.train(sent.json.id, { mode: "light", features: ["meter", "far"] });
  expect(failed).toMatchObject({ status: "failed", error: { code: "NO_USABLE_FEATURES" } });
  expect(failed.error.message).toMatch(/«meter» has several values.*«far» has numbers beyond/);
});
