import { expect, test } from "vitest";
import type { InputFeature, Model } from "../../../src/console/api/answers.ts";
import { readNumber, rowOf, textsOf } from "../../../src/console/words/form-row.ts";

const features: InputFeature[] = [
  { name: "kg", type: "number", numbersUpTo: null },
  { name: "day", type: "date", from: "2024-01-01", to: "2024-12-31" },
  { name: "new", type: "boolean" },
  { name: "colour", type: "category", categories: ["red"], more: 0 },
  { name: "__proto__", type: "number", numbersUpTo: null },
];
const input: NonNullable<Model["input"]> = {
  features,
  cut: false,
  example: JSON.parse('{"kg": 2.5, "day": "2024-06-01", "new": false, "colour": null, "__proto__": 7}'),
  notNeeded: [],
};

test("the form opens with the example, numbers as the language writes them, and gives it back as it was", () => {
  const texts = textsOf(input, ",");
  expect(Object.entries(texts)).toEqual([
    ["kg", "2,5"],
    ["day", "2024-06-01"],
    ["new", "false"],
    ["colour", ""],
    ["__proto__", "7"],
  ]);
  const { row, faulty } = rowOf(features, texts, ",");
  expect([JSON.parse(JSON.stringify(row)), faulty]).toEqual([input.example, []]);
});

test("an empty field is a missing value, blanks around a text are none of it", () => {
  const { row } = rowOf(features, { kg: " ", colour: " red ", new: "true" }, ".");
  expect(row).toMatchObject({ kg: null, colour: "red", new: true, day: null });
});

test("what is no number is told by its column", () => {
  expect(rowOf(features, { kg: "much" }, ".").faulty).toEqual(["kg"]);
});

test.each([
  ["2.5", 2.5],
  ["2,5", 2.5],
  ["1 234,5", 1234.5],
  ["1\u00a0234", 1234],
  ["−3", -3],
  [".5", 0.5],
  ["1e3", 1000],
  ["1.234", 1.234],
  ["0,123", 0.123],
  ["1234,567", 1234.567],
  // May be a thousand and more: the pages write them so.
  ["1,234", undefined],
  ["-12,345", undefined],
  ["1e999", undefined],
  ["1.234,5", undefined],
  ["1,2,3", undefined],
  ["0x10", undefined],
  ["12 kg", undefined],
  ["Infinity", undefined],
])("«%s» is read as %s", (text, number) => expect(readNumber(text, ".")).toBe(number));

test("where the comma is the decimal sign, a point before three digits may be one of thousands", () => {
  expect([readNumber("1,234", ","), readNumber("1.234", ","), readNumber("1.5", ",")]).toEqual([1.234, undefined, 1.5]);
});
