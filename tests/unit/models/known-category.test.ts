import { expect, test } from "vitest";
import { categoryFinder } from "../../../src/models/known-category.ts";

test.each<[string[], string, string | undefined]>([
  [["True", "False"], "true", "True"],
  [["TRUE", "FALSE", "unknown"], "false", "FALSE"],
  [["1.0", "0.0", "none"], "1", "1.0"],
  [["1,0", "none"], "1", undefined],
  [["01", "02"], "1", "01"],
  [["01", "1"], "1", "1"],
  [["01", "1.0"], "1", undefined],
  [["a", "b"], "A", undefined],
  [["a", "b"], "a", "a"],
  [["a ", "b"], "a", undefined],
  [["1e3"], "1000", "1e3"],
  [["__proto__", "toString"], "toString", "toString"],
  [["a"], "constructor", undefined],
  [[], "1", undefined],
])("of %j %j is %j", (categories, text, category) => {
  expect(categoryFinder(categories)(text)).toBe(category);
});
