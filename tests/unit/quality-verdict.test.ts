import { expect, test } from "vitest";
import { heldOf, worseThan } from "../quality/held.ts";
import type { QualitySet } from "../quality/python-side.ts";
import { isRuleHeld, type Measured, qualityOf, tableOf, verdictOf } from "../quality/verdict.ts";

const setNamed = (name: string): QualitySet => ({
  ...{ name, source: "somewhere/some.csv", version: "1.0", target: "y", metric: "AUC", positive: "yes" },
  ...{ rows: 200, columns: 3, seeds: [1, 2] },
});

/** Scores of both splits: the same for all but `light`, which has the given ones. */
function measured(
  light: Readonly<Record<string, readonly number[]>>,
  more: Readonly<Record<string, number>>,
): Measured {
  const scores = Object.entries(light).flatMap(([set, values]) => [
    ...values.map((score, at) => ({ set, seed: at + 1, who: "light", score })),
    ...Object.entries(more).flatMap(([who, score]) => [1, 2].map((seed) => ({ set, seed, who, score }))),
  ]);
  return { scores, versions: {} };
}

test("behind is the best rival's mean less that of our better model, with its error by splits", () => {
  const [one] = qualityOf(
    [setNamed("one")],
    measured({ one: [0.8, 0.9] }, { heavy: 0.7, xgboost: 0.95, lightgbm: 0.9 }),
  );
  expect(one!.means).toEqual({ light: expect.closeTo(0.85), heavy: 0.7, xgboost: 0.95, lightgbm: 0.9 });
  expect(one!.behind).toBeCloseTo(0.1);
  expect(one!.error).toBeCloseTo(0.05);
});

test("the rule allows one set in ten, and names each that is behind by more than 0.01", () => {
  const names = Array.from({ length: 10 }, (_, at) => `set${at}`);
  const sets = names.map(setNamed);
  const scoresOf = (worse: number): Measured =>
    measured(Object.fromEntries(names.map((name, at) => [name, at < worse ? [0.8, 0.8] : [0.8901, 0.8901]])), {
      "scikit-learn": 0.9,
    });
  const allowed = qualityOf(sets, scoresOf(1));
  expect(isRuleHeld(allowed)).toBe(true);
  expect(verdictOf(allowed)).toContain("on 1 of 10 sets: set0. That is one in ten at most");
  const tooMany = qualityOf(sets, scoresOf(2));
  expect(isRuleHeld(tooMany)).toBe(false);
  expect(verdictOf(tooMany)).toContain("on 2 of 10 sets: set0, set1. It should be");
});

test("who did not answer on a split has no mean, and a set without an answer of ours is behind", () => {
  const half = qualityOf([setNamed("one")], measured({ one: [0.8] }, { xgboost: 0.5 }));
  expect(half[0]!.means).toEqual({ xgboost: 0.5 });
  expect(isRuleHeld(half)).toBe(false);
  expect(tableOf(half).at(-1)).toContain("| none | none | none | **0.500** | none | no answer |");
});

test("the best are bold, all that look the same", () => {
  const [, , line] = tableOf(
    qualityOf([setNamed("one")], measured({ one: [0.9, 0.9] }, { heavy: 0.5, xgboost: 0.9001 })),
  );
  expect(line).toBe("| one | somewhere | 200 | AUC | 2 | **0.900** | 0.500 | none | **0.900** | none |  |");
});

test("what was measured is held: a set by 0.02, the mean of all by 0.005, and nothing is wrong with better models", () => {
  const names = ["one", "two", "three"];
  const qualitiesOf = (...light: number[]) =>
    qualityOf(
      names.map(setNamed),
      measured(Object.fromEntries(names.map((name, at) => [name, [light[at]!, light[at]!]])), { heavy: 0.8 }),
    );
  const held = heldOf(qualitiesOf(0.9, 0.9, 0.9));
  expect(held.one).toEqual({ light: 0.9, heavy: 0.8 });
  expect(worseThan(held, qualitiesOf(0.9, 0.9, 0.9))).toEqual([]);
  expect(worseThan(held, qualitiesOf(0.95, 0.9, 0.881))).toEqual([]);
  expect(worseThan(held, qualitiesOf(0.93, 0.9, 0.879))).toEqual(["three: light is worse by 0.021"]);
  expect(worseThan(held, qualitiesOf(0.894, 0.894, 0.894))).toEqual([
    "light is worse by 0.006 on the mean of all sets",
  ]);
});

test("a model that gives no answer any more is worse", () => {
  const sets = [setNamed("one")];
  const held = heldOf(qualityOf(sets, measured({ one: [0.9, 0.9] }, { heavy: 0.8 })));
  expect(worseThan(held, qualityOf(sets, measured({ one: [0.9] }, { heavy: 0.8 })))[0]).toBe(
    "one: light is worse by all, it gave no answer",
  );
});
