import { describe, expect, test } from "vitest";
import { estimateMs, laneOf, type PredictionWork, rowsAtMost } from "../../../src/artifacts/prediction-cost.ts";

const megabyte = 1_000_000;
const small: PredictionWork = {
  format: "json",
  bodyBytes: 500,
  rows: 5,
  mode: "heavy",
  modelBytes: 0.8 * megabyte,
  isModelRead: true,
  classes: ["rain", "sun"],
};
const classes = Array.from({ length: 100 }, (_, index) => `class ${index}`);

test.each<[string, Partial<PredictionWork>, string]>([
  ["a few rows of a usual model", {}, "loop"],
  ["the first of them, which reads the model", { isModelRead: false }, "loop"],
  ["a model that takes longer to read than others may wait", { modelBytes: 5 * megabyte, isModelRead: false }, "short"],
  ["the same, read already", { modelBytes: 5 * megabyte }, "loop"],
  ["many rows of a usual model", { rows: 1_000, bodyBytes: 60_000 }, "short"],
  ["4 MB of CSV", { format: "csv", bodyBytes: 4 * megabyte }, "long"],
  ["4 MB of JSON", { bodyBytes: 4 * megabyte }, "short"],
  ["a chance for each of 100 classes, 1,000 times", { rows: 1_000, modelBytes: 1_000, classes }, "short"],
  ["one row of 5,600 trees", { rows: 1, modelBytes: 50 * megabyte, isModelRead: false }, "long"],
  ["a few rows of a usual model, explained", { explainedColumns: ["size"] }, "loop"],
  ["100 rows of it, explained", { rows: 100, explainedColumns: ["size"] }, "short"],
  ["1,000 rows of it, explained", { rows: 1_000, explainedColumns: ["size"] }, "long"],
  ["1,000 rows of them", { rows: 1_000, modelBytes: 50 * megabyte }, "long"],
])("%s: %o goes to %s", (_, more, lane) => {
  expect(laneOf({ ...small, ...more })).toBe(lane);
});

test("more of anything is never taken for less work", () => {
  const more: Partial<PredictionWork>[] = [
    { bodyBytes: 1_000 },
    { rows: 6 },
    { modelBytes: megabyte },
    { isModelRead: false },
    { classes: ["rain", "sun", "snow"] },
    { explainedColumns: ["size"] },
  ];
  for (const change of more) expect(estimateMs({ ...small, ...change })).toBeGreaterThan(estimateMs(small));
});

describe("rows are never thought fewer than they are", () => {
  test.each([
    ["json", '{"rows":[{"a":1},{"a":2},{}]}', 3],
    ["csv", "a\n1\n2\n3", 3],
    ["csv", "a\r1\r2\r3\r", 3],
    ["csv", "a\r\n1\r\n2", 2],
  ] as const)("%s: %j", (format, text, rows) => {
    expect(rowsAtMost(format, Buffer.from(text), 1_000)).toBeGreaterThanOrEqual(rows);
  });

  test("and never more than are taken", () => {
    expect(rowsAtMost("csv", Buffer.from("1\n".repeat(5_000)), 1_000)).toBe(1_000);
  });
});
