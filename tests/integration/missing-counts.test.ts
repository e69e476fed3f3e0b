import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, type RunningService, startService } from "../support/service.ts";

let service: RunningService;
beforeAll(async () => {
  service = await startService({ env: { MAX_EMPTY_RATIO: "0.2" } });
});
afterAll(() => service?.stop());

type Counted = { name: string; missing: number }[];
const missingOf = (columns: Counted) => Object.fromEntries(columns.map(({ name, missing }) => [name, missing]));

/** A table of 400 rows, in which each tenth number is said to be missing. */
const saidMissing = (otherRow: number, other: string): string => {
  const lines = Array.from({ length: 400 }, (_, row) => {
    const isMissing = row % 10 === 9;
    return [
      isMissing ? "-999.0" : row / 8,
      isMissing ? '"$-999"' : `"$${row}.50"`,
      row === otherRow ? other : row * 2,
      row % 2 ? "x" : "y",
    ].join(",");
  });
  return `plain,money,other,label\n${lines.join("\n")}\n`;
};

// Numbers are read in another way where a column has words for missing ones among the first rows, or later alone.
test.each([
  ["nothing else", -1, ""],
  ["a word among the first rows", 3, "?"],
  ["a late word", 390, "?"],
  ["a late NA", 390, "NA"],
])("what its sender says to be missing is counted as the profile counts it, beside %s", async (name, row, word) => {
  const { json } = await service.upload(saidMissing(row, word), { name, missing: "-999" });
  expect(json.understood.columns).toMatchObject([{ type: "number" }, { type: "number" }, { type: "number" }, {}]);
  const missing = missingOf(json.understood.columns);
  expect(missing).toEqual({ plain: 40, money: 40, other: row < 0 ? 0 : 1, label: 0 });
  const profile = await eventually(
    async () => (await service.call("GET", `/datasets/${json.id}`)).json.profile ?? undefined,
  );
  expect(missingOf(profile)).toEqual(missing);
});

test("examples are values of the type that a column has", async () => {
  const rows = Array.from({ length: 40 }, (_, row) => `${row % 3 ? `2024-01-${10 + (row % 20)}` : "?"},?,${row % 2}`);
  const { json } = await service.upload(`day,mark,label\n${rows.join("\n")}\n`, { name: "examples" });
  expect(json.understood.columns).toMatchObject([
    { type: "date", missing: 14, examples: ["2024-01-11", "2024-01-12", "2024-01-14"] },
    { type: "text", missing: 0, examples: ["?"] },
    { type: "number", missing: 0, examples: ["0", "1"] },
  ]);
});

test("a correction may leave more cells without a value than an upload may have", async () => {
  const rows = Array.from({ length: 100 }, (_, row) => `${row % 10 ? "none" : row},${row % 7},${row % 2 ? "x" : "y"}`);
  const table = `many,size,label\n${rows.join("\n")}\n`;
  const refused = await service.upload(table, { name: "refused", types: '{"many":"number"}' });
  expect(refused.json.code).toBe("TOO_MANY_EMPTY_CELLS");
  const { json } = await service.upload(table, { name: "corrected" });
  const corrected = await service.call("PATCH", `/datasets/${json.id}`, { types: { many: "number" } });
  expect(corrected.status, corrected.text).toBe(200);
  expect(missingOf(corrected.json.understood.columns)).toEqual({ many: 90, size: 0, label: 0 });
});
