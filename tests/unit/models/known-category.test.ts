import { expect, test } from "vitest";
import { categoryFinder } from "../../../src/models/known-category.ts";

test.each<[string[], string | number | boolean, string | undefined]>([
  [["True", "False"], true, "True"],
  [["True", "False"], "true", "True"],
  [["TRUE", "FALSE", "unknown"], false, "FALSE"],
  [["1.0", "0.0", "none"], 1, "1.0"],
  [["1.0", "0.0", "none"], "1", undefined],
  [["1", "0"], "1", "1"],
  [["1,0", "none"], 1, undefined],
  [["1.10", "2.10"], 1.1, "1.10"],
  [["02134", "02135"], 2134, undefined],
  [["1E5"], 100_000, undefined],
  [["+49123"], 49_123, undefined],
  [["1e400"], Number.POSITIVE_INFINITY, undefined],
  [["9007199254740993"], 9_007_199_254_740_992, undefined],
  [["1", "1.0"], 1, "1"],
  [["1.00", "1.0"], 1, undefined],
  [["a", "b"], "A", undefined],
  [["a", "b"], "a", "a"],
  [["a ", "b"], "a", undefined],
  [["__proto__", "toString"], "toString", "toString"],
  [["a"], "constructor", undefined],
  [[], 1, undefined],
])("of %j %j is %j", (categories, value, category) => {
  expect(categoryFinder(categories)(value)).toBe(category);
});
