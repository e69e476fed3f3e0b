import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseTarget, taskOf } from "../../../src/datasets/checks/target-policy.ts";

const usual = fc.constantFrom("target", "label", "y").chain((name) => fc.constantFrom(name, name.toUpperCase()));
const unusual = fc.string({ minLength: 1 }).filter((name) => !/^(target|label|y)$/i.test(name));

test("the target is one of the columns; without a usual name it is the last", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.oneof(usual, unusual), { minLength: 1 }), (names) => {
      const target = chooseTarget(names);
      expect(names).toContain(target);
      const hasUsual = names.some((name) => /^(target|label|y)$/i.test(name));
      if (hasUsual) expect(target).toMatch(/^(target|label|y)$/i);
      else expect(target).toBe(names.at(-1));
    }),
  );
});

test.each([
  [["y", "label", "target", "z"], "target"],
  [["y", "Label", "z"], "Label"],
  [["Y", "z"], "Y"],
  [["label", "LABEL"], "label"],
  [["targets", "my_label", "yy"], "yy"],
  [[], ""],
])("of %j it is %s", (names, target) => {
  expect(chooseTarget(names)).toBe(target);
});

test("text is always classes; a number becomes a quantity once and for all above 20 values", () => {
  fc.assert(
    fc.property(fc.nat({ max: 1_000_000 }), (distinct) => {
      expect(taskOf({ type: "text", distinct })).toBe("classification");
      if (taskOf({ type: "number", distinct }) === "regression")
        expect(taskOf({ type: "number", distinct: distinct + 1 })).toBe("regression");
    }),
  );
  expect(taskOf({ type: "number", distinct: 20 })).toBe("classification");
  expect(taskOf({ type: "number", distinct: 21 })).toBe("regression");
});
