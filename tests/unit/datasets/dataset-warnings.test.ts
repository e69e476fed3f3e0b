import { expect, test } from "vitest";
import { type WarningFacts, warningsOf } from "../../../src/datasets/checks/dataset-warnings.ts";
import { plainDialect } from "../../../src/tables/dialect.ts";

const good: WarningFacts = {
  columns: [
    { name: "a", type: "number" },
    { name: "b", type: "text" },
    { name: "label", type: "text" },
  ],
  dialect: plainDialect,
  emptyRows: 0,
  target: { index: 2, missingRows: 0, distinct: 2 },
  classes: ["x", "y"],
  strays: [],
  passedOver: [],
  datesPassedOver: [],
};

test("a good table has none", () => {
  expect(warningsOf(good)).toEqual({ count: 0, first: [] });
});

test("the gravest come first, each with its place in the file", () => {
  const { count, first } = warningsOf({
    ...good,
    dialect: { ...plainDialect, skippedLines: 1, leftOutColumns: [0, 2] },
    target: { index: 2, missingRows: 3, distinct: 101 },
    classes: ["Yes", "yes ", "no", "YES"],
    strays: [{ of: "numbers", index: 1, count: 2, numbers: 98, firstCell: "abc", firstLine: 7, areNearly: false }],
  });
  expect(count).toBe(7);
  expect(first.map(({ code, column, place }) => [code, column, place])).toEqual([
    ["TOO_MANY_CLASSES", "label", 5],
    ["TARGET_ROWS_MISSING", "label", 5],
    ["CLASSES_ALIKE", "label", 5],
    ["NUMBERS_AND_TEXT", "b", 4],
    ["LINES_LEFT_OUT", undefined, undefined],
    ["COLUMN_LEFT_OUT", "", 1],
    ["COLUMN_LEFT_OUT", "", 3],
  ]);
  expect(first[2]!.message).toContain("«Yes», «yes », «YES»");
  expect(first[3]).toMatchObject({ line: 7, cell: "abc" });
});

test("100 classes are not too many, and numbers are none", () => {
  expect(warningsOf({ ...good, target: { index: 2, missingRows: 0, distinct: 100 } }).count).toBe(0);
  expect(warningsOf({ ...good, target: { index: 0, missingRows: 0, distinct: 5_000 }, classes: undefined }).count).toBe(
    0,
  );
});

test("of many the first 50 are kept, with short names and cells, and all are counted", () => {
  const leftOutColumns = Array.from({ length: 60 }, (_, place) => place);
  const name = `${"x".repeat(79)}😀`;
  const { count, first } = warningsOf({
    ...good,
    columns: [{ name, type: "text" }, ...good.columns.slice(1)],
    dialect: { ...plainDialect, leftOutColumns },
    strays: [
      { of: "numbers", index: 0, count: 1, numbers: 99, firstCell: name.repeat(9), firstLine: 2, areNearly: false },
    ],
  });
  expect([count, first.length]).toEqual([61, 50]);
  expect(first[0]).toMatchObject({ place: 61, column: `${"x".repeat(79)}\uFFFD` });
  expect(first[0]!.cell).toHaveLength(80);
  expect(JSON.stringify(first).length).toBeLessThan(10_000);
});
