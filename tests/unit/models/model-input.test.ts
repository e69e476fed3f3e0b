import { expect, test } from "vitest";
import type { ModelFeature } from "../../../src/models/model.ts";
import { describeInput } from "../../../src/models/model-input.ts";
import { codeTexts } from "../../../src/models/text-codes.ts";
import type { TableColumn } from "../../../src/models/training-table.ts";

/** Describes a model of these columns, each learnt from its own cells. */
function describeTexts(columns: readonly { name: string; texts: readonly string[] }[]) {
  const features = columns.map(
    ({ name, texts }): ModelFeature => ({ column: name, kind: "text", categories: [...new Set(texts)].sort() }),
  );
  return describeInput({
    features,
    notNeeded: [],
    bounds: columns.map(() => null),
    columns: new Map(
      columns.map(({ name, texts }): [string, TableColumn] => [name, { name, kind: "text", ...codeTexts(texts) }]),
    ),
    trainRows: Int32Array.from(columns[0]!.texts.keys()),
  });
}

function describeNumbers(numbers: readonly number[], mean: number) {
  return describeInput({
    features: [{ column: "n", kind: "number", mean }],
    notNeeded: [],
    bounds: [null],
    columns: new Map([["n", { name: "n", kind: "number", numbers: Float64Array.from(numbers) }]]),
    trainRows: Int32Array.from(numbers.keys()),
  });
}

test("2,000 columns of 50 long categories are described within a bound, which is told", () => {
  const columns = Array.from({ length: 2_000 }, (_, column) => ({
    name: `${"a long name ".repeat(9)}${column}`,
    texts: Array.from({ length: 50 }, (_, row) => `a category that is rather long, ${column} of ${row}`),
  }));
  const { features, example } = describeTexts(columns);
  expect(JSON.stringify({ features, example }).length).toBeLessThan(800_000);
  expect(features.map(({ name }) => name)).toEqual(columns.map(({ name }) => name));
  for (const feature of features) {
    if (feature.type !== "category") throw new Error("All are text.");
    expect(feature.categories.length).toBeGreaterThan(0);
    expect(feature.categories.length + feature.more).toBe(50);
  }
  expect(Object.values(example)).not.toContain(null);
});

test.each([
  ["control characters", "\u0001"],
  ["letters of three bytes", "数"],
  ["quotes", '"'],
])("the bound of categories is of their JSON, also of %s", (_, letter) => {
  const columns = Array.from({ length: 500 }, (_, column) => ({
    name: `c${column}`,
    texts: Array.from({ length: 50 }, (_, row) => `${row}`.padStart(20, letter)),
  }));
  const { features, example } = describeTexts(columns);
  const shown = features.map((feature) => (feature.type === "category" ? feature.categories : []));
  const bytes = Buffer.byteLength(JSON.stringify(shown));
  expect(bytes).toBeLessThan(132 * 1024);
  expect(bytes).toBeGreaterThan(80 * 1024);
  expect(Object.values(example)).not.toContain(null);
});

test("a column of few categories has them all beside one of many, whose most frequent are shown in order", () => {
  const wide = Array.from({ length: 800 }, (_, column) => ({
    name: `wide${column}`,
    texts: Array.from({ length: 100 }, (_, row) =>
      row < 50 ? `${row}`.padStart(150, "w") : `${row % 2}`.padStart(150, "w"),
    ),
  }));
  const small = { name: "small", texts: Array.from({ length: 100 }, (_, row) => `${row % 20}`) };
  const { features, example } = describeTexts([...wide, small]);
  expect(features.at(-1)).toMatchObject({ name: "small", more: 0 });
  expect(features[0]).toMatchObject({ categories: ["0".padStart(150, "w")], more: 49 });
  expect(example.wide0).toBe("0".padStart(150, "w"));
});

test("what is too long to be shown is no example either", () => {
  const { features, example } = describeTexts([{ name: "text", texts: ["x".repeat(201), "y".repeat(201)] }]);
  expect([features, example]).toEqual([[{ name: "text", type: "category", categories: [], more: 2 }], { text: null }]);
});

test("a typical number is the mean: whole where all are, else to a hundredth of their spread, and never beyond them", () => {
  expect(describeNumbers([1, 2, Number.NaN, 4], 7 / 3).example).toEqual({ n: 2 });
  expect(describeNumbers([1.5, 2, 4], 2.5).example).toEqual({ n: 2.5 });
  expect(describeNumbers([1 / 3, 2, 4], 2.1111111).example).toEqual({ n: 2.11 });
  expect(describeNumbers([123456.5, 123457.5], 123456.9876).example).toEqual({ n: 123456.99 });
  expect(describeNumbers([1e-30, 3e-30], 2.01234e-30).example).toEqual({ n: 2.01e-30 });
  expect(describeNumbers([-1, 1.5], 0).example).toEqual({ n: 0 });
  expect(describeNumbers([0.5, 1000, 1e39], 0.64).example).toEqual({ n: 0.6 });
  expect(describeNumbers([0.42, 1000], 0.43).example).toEqual({ n: 0.42 });
  // Its 32 bits lie below all of them.
  expect(describeNumbers([16_777_217, 16_777_219], 16_777_216).example).toEqual({ n: 16_777_217 });
});
