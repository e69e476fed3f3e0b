import { expect, test } from "vitest";
import { corrected, saidOf, wishesOf } from "../../../src/datasets/correction/correction.ts";
import { type Dialect, plainDialect } from "../../../src/tables/dialect.ts";
import { missingWords } from "../../../src/tables/missing.ts";

const said = { target: "price", decimal: ",", types: { zip: "text", kg: "number" }, leftOut: ["id"] } as const;

test.each<[string, object, object]>([
  ["nothing", {}, said],
  ["a target", { target: " kg " }, { ...said, target: "kg" }],
  ["one type", { types: { kg: "text" } }, { ...said, types: { zip: "text", kg: "text" } }],
  ["a type back", { types: { kg: null } }, { ...said, types: { zip: "text" } }],
  ["a type that was never said", { types: { id: null } }, said],
  ["other columns to leave out", { leftOut: ["zip", "kg", "zip"] }, { ...said, leftOut: ["zip", "kg"] }],
  ["all back", { target: null, types: null, leftOut: null }, { decimal: "," }],
  ["all back one by one", { target: null, types: { zip: null, kg: null }, leftOut: [] }, { decimal: "," }],
])("a correction says %s", (_what, correction, expected) => {
  expect(corrected(said, correction)).toEqual(expected);
});

test.each([[[]], ["text"], [5], [{ zip: "colour" }], [{ zip: { type: "text" } }]])("types are none: %j", (types) => {
  expect(() => corrected(said, { types })).toThrow("`types`");
});

test("a column may be named as a part of each object", () => {
  const types = JSON.parse('{"__proto__":"text","constructor":"number"}');
  const now = corrected(said, { types });
  expect(Object.keys(now.types!).sort()).toEqual(["__proto__", "constructor", "kg", "zip"]);
  expect(corrected(now, { types: JSON.parse('{"__proto__":null,"constructor":null}') })).toEqual(said);
});

test("wishes are told apart by what is said, and not by its order", () => {
  const turned = { leftOut: ["id"], types: { kg: "number", zip: "text" }, decimal: ",", target: "price" } as const;
  expect(wishesOf(turned)).toBe(wishesOf(said));
  expect(wishesOf({ ...said, leftOut: ["kg", "id"] })).toBe(wishesOf({ ...said, leftOut: ["id", "kg"] }));
  expect(wishesOf({ ...said, leftOut: [] })).not.toBe(wishesOf(said));
  expect(wishesOf({ ...said, types: { zip: "text" } })).not.toBe(wishesOf(said));
});

const before = (dialect: Dialect | null) => saidOf({ said: null, dialect, target: "y" });
const found: Dialect = { ...plainDialect, delimiter: ";", decimal: ",", missing: [...missingWords, "none"] };

test("a dataset from before is said to be what its dialect tells", () => {
  expect(saidOf({ said, dialect: null, target: "y" })).toBe(said);
  expect(before(null)).toEqual({ target: "y", delimiter: ",", decimal: ".", header: true });
  expect(before(found)).toEqual({ target: "y", delimiter: ";", decimal: ",", header: true, missing: ["none"] });
  // Lines above a header are looked for where nobody says that there is one.
  expect(before({ ...found, skippedLines: 2 })).not.toHaveProperty("header");
  expect(before({ ...found, isHeaderless: true })).toMatchObject({ header: false });
  const workbook = { format: "xlsx", encoding: "utf-8", isUntidy: false, sheet: "May" } as const;
  expect(before({ ...plainDialect, source: workbook })).toEqual({ target: "y", sheet: "May", header: true });
  const records = { format: "jsonl", encoding: "utf-8", isUntidy: false } as const;
  expect(before({ ...plainDialect, source: records })).toEqual({ target: "y" });
});
