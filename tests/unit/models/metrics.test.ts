import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Evaluated, evaluate } from "../../../src/models/evaluate.ts";
import { seededRandom } from "../../../src/models/split-rows.ts";

interface Known {
  readonly name: string;
  readonly actual: number[];
  readonly metrics: Record<string, number>;
}
interface KnownTwo extends Known {
  readonly chances: number[];
  readonly threshold: number;
  readonly positive: Record<string, number>;
  readonly curves: {
    readonly roc: Record<"fpr" | "tpr", number[]> & { readonly thresholds: (number | null)[] };
    readonly precisionRecall: Record<"precision" | "recall" | "thresholds", number[]>;
    readonly calibration: Record<"probTrue" | "probPred", number[]>;
  };
}
const known = JSON.parse(readFileSync("tests/fixtures/metrics-reference.json", "utf8")) as {
  readonly twoClasses: KnownTwo[];
  readonly numbers: (Known & { readonly predicted: number[]; readonly residuals: Record<string, number> })[];
  readonly moreClasses: (Known & { readonly probabilities: number[][] })[];
};

/** Of the class `positive`, whose chance each row has; the other one is `negative`. */
function evaluateTwo(
  { actual, chances, threshold = 0.5 }: { actual: readonly number[]; chances: readonly number[]; threshold?: number },
  isFirst = false,
  seed = 1,
): Evaluated {
  const share = actual.filter((value) => value === 1).length / actual.length;
  return evaluate(
    {
      task: "classification",
      classes: isFirst ? ["positive", "negative"] : ["negative", "positive"],
      actual: isFirst ? actual.map((value) => 1 - value) : actual,
      probabilities: Float64Array.from(
        chances.flatMap((chance) => (isFirst ? [chance, 1 - chance] : [1 - chance, chance])),
      ),
      priors: isFirst ? [share, 1 - share] : [1 - share, share],
      positiveClass: "positive",
      decision: { positiveClass: "positive", threshold },
    },
    seed,
  );
}

function expectNumbers(found: object, wanted: Record<string, number>, digits = 9): void {
  for (const [name, value] of Object.entries(wanted))
    expect([name, (found as Record<string, number>)[name]?.toFixed(digits)]).toEqual([name, value.toFixed(digits)]);
}

const sixDigits = (values: readonly (number | null)[]) => values.map((value) => value && Number(value.toPrecision(6)));

describe("as scikit-learn has them", () => {
  test.each(known.twoClasses)("curves: $name", ({ curves: { roc, precisionRecall, calibration }, ...each }) => {
    for (const isFirst of [false, true]) {
      const { curves } = evaluateTwo(each, isFirst);
      expect(curves?.roc).toEqual({
        fpr: sixDigits(roc.fpr),
        tpr: sixDigits(roc.tpr),
        thresholds: sixDigits(roc.thresholds),
      });
      expect(curves?.calibration.probTrue).toEqual(sixDigits(calibration.probTrue));
      expect(curves?.calibration.probPred).toEqual(sixDigits(calibration.probPred));
      expect(curves?.calibration.counts.reduce((sum, count) => sum + count)).toBe(each.actual.length);
      const known = precisionRecall.recall.map((recall, at) => [
        ...sixDigits([precisionRecall.precision[at]!, recall]),
        ...sixDigits(precisionRecall.thresholds.slice(at, at + 1)),
      ]);
      const { precision, recall, thresholds } = curves!.precisionRecall!;
      const found = recall.map((value, at) => [precision[at], value, ...thresholds.slice(at, at + 1)]);
      expect(found.length).toBe(Math.min(known.length, found.length));
      if (known.length <= 100) expect(found).toEqual(known);
      // Of more points some are left out, and none is another one.
      else expect(known).toEqual(expect.arrayContaining(found));
    }
  });

  test.each(known.twoClasses)("two classes: $name", (each) => {
    for (const isFirst of [false, true]) {
      const found = evaluateTwo(each, isFirst);
      expectNumbers(found, each.metrics);
      expectNumbers(found.positive!, each.positive);
      expect(found.positive).toMatchObject({ class: "positive", threshold: each.threshold });
      expect(found.positive?.support).toBe(each.actual.filter((value) => value === 1).length);
    }
  });

  test.each(known.moreClasses)("more classes: $name", ({ actual, probabilities, metrics }) => {
    const classes = probabilities[0]!.map((_, k) => `class ${k}`);
    const found = evaluate(
      {
        task: "classification",
        classes,
        actual,
        probabilities: Float64Array.from(probabilities.flat()),
        priors: classes.map(() => 1 / classes.length),
      },
      1,
    );
    expectNumbers(found, metrics);
    expect(found).not.toHaveProperty("positive");
    expect(found).not.toHaveProperty("brier");
  });
});

const rows = fc.array(
  fc.record({
    isPositive: fc.boolean(),
    chance: fc.oneof(fc.constantFrom(0, 0.25, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  }),
  { minLength: 1, maxLength: 400 },
);
const evaluateRows = (drawn: readonly { readonly isPositive: boolean; readonly chance: number }[]) =>
  evaluateTwo({
    actual: drawn.map(({ isPositive }) => Number(isPositive)),
    chances: drawn.map(({ chance }) => chance),
  });
const isRising = (values: readonly number[]) => values.every((value, at) => at === 0 || value >= values[at - 1]!);

test("curves have few points, go one way, and the area below the ROC curve is auc", () => {
  fc.assert(
    fc.property(rows, (drawn) => {
      const { curves, auc } = evaluateRows(drawn);
      const { roc, precisionRecall, calibration } = curves!;
      expect(calibration.counts.reduce((sum, count) => sum + count)).toBe(drawn.length);
      expect(isRising(calibration.probPred)).toBe(true);
      expect(roc === undefined).toBe(auc === undefined);
      if (precisionRecall !== undefined) {
        expect(precisionRecall.recall.length).toBeLessThanOrEqual(100);
        expect(isRising(precisionRecall.recall.toReversed()) && isRising(precisionRecall.thresholds)).toBe(true);
        expect([precisionRecall.recall[0], precisionRecall.recall.at(-1)]).toEqual([1, 0]);
      }
      if (roc === undefined) return;
      const { fpr, tpr, thresholds } = roc;
      expect(fpr.length).toBeLessThanOrEqual(100);
      expect(isRising(fpr) && isRising(tpr) && isRising(thresholds.slice(1).map((value) => -value!))).toBe(true);
      expect([fpr[0], tpr[0], fpr.at(-1), tpr.at(-1)]).toEqual([0, 0, 1, 1]);
      const area = fpr.slice(1).reduce((sum, x, at) => sum + ((x - fpr[at]!) * (tpr[at + 1]! + tpr[at]!)) / 2, 0);
      expect(Math.abs(area - auc!)).toBeLessThan(fpr.length < 100 ? 1e-5 : 0.005);
    }),
  );
});

describe("of numbers", () => {
  const evaluateNumbers = (actual: readonly number[], predicted: readonly number[], seed = 1) =>
    evaluate({ task: "regression", actual, predicted: Float64Array.from(predicted), mean: 10 }, seed);

  test.each(known.numbers)("as scikit-learn has them: $name", ({ actual, predicted, metrics, residuals }) => {
    const found = evaluateNumbers(actual, predicted);
    expectNumbers(found, metrics);
    expectNumbers(found.residuals!, residuals);
    const {
      intervals: _,
      baseline: _baseline,
      residuals: _residuals,
      relativeError,
      ...guessed
    } = evaluateNumbers(
      actual,
      actual.map(() => 10),
    );
    expect(found.baseline).toEqual(guessed);
    expect(relativeError).toBe(1);
  });

  test("a mean percentage error is told only where no value is 0 or near it", () => {
    const mapeOf = (...actual: number[]) =>
      evaluateNumbers(
        actual,
        actual.map((value) => value * 1.5),
      ).mape;
    expect(mapeOf(1, -100, 100, 100)).toBeCloseTo(0.5, 12);
    expect(mapeOf(0.99, -100, 100, 100)).toBeUndefined();
    expect(mapeOf(0, 1, 1, 1)).toBeUndefined();
    expect(mapeOf(0, 0)).toBeUndefined();
  });

  test("the median distance of an even number of rows is the mean of the two in the middle", () => {
    expect(evaluateNumbers([1, 2, 3, 10], [0, 0, 0, 0]).medianAbsoluteError).toBe(2.5);
  });

  test("residuals are what is less what was said, by size and not by their letters", () => {
    expect(evaluateNumbers([10, 9, 100], [0, 0, 0]).residuals).toMatchObject({ p25: 9.5, p50: 10, p75: 55 });
  });
});

describe("intervals", () => {
  /** Every number of the metrics has one around it, and no other has. */
  function expectAround(found: Evaluated): void {
    const { baseline: _, confusionMatrix: _matrix, curves: _curves, residuals: _residuals, intervals, ...told } = found;
    const { positive, ...flat } = told;
    const { positive: ofPositive, ...ofFlat } = intervals;
    const numbers = (of: object = {}) =>
      Object.entries(of).filter(([name]) => !["class", "threshold", "support", "found", "predicted"].includes(name));
    for (const [values, ranges] of [
      [numbers(flat), ofFlat],
      [numbers(positive), ofPositive ?? {}],
    ] as const) {
      expect(values.map(([name]) => name).toSorted()).toEqual(Object.keys(ranges).toSorted());
      for (const [name, value] of values) {
        const [low, high] = (ranges as Record<string, [number, number]>)[name]!;
        expect([name, low <= value && value <= high]).toEqual([name, true]);
      }
    }
  }

  test("hold what was measured, and are the same by seed", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (drawn, seed) => {
        const rated = {
          actual: drawn.map(({ isPositive }) => Number(isPositive)),
          chances: drawn.map(({ chance }) => chance),
        };
        const found = evaluateTwo(rated, false, seed);
        expectAround(found);
        expect(evaluateTwo(rated, false, seed).intervals).toEqual(found.intervals);
        const numbers = {
          task: "regression",
          actual: rated.actual,
          predicted: Float64Array.from(rated.chances),
          mean: 0.5,
        } as const;
        expectAround(evaluate(numbers, seed));
      }),
      { numRuns: 40 },
    );
  });

  test("hold it also where all rows are alike, whose sums are rounded otherwise", () => {
    for (let count = 1; count < 60; count++) {
      const ones = Array.from({ length: count }, () => 1);
      expectAround(evaluateTwo({ actual: ones, chances: ones.map(() => 0.1) }));
    }
  });

  test("of accuracy and squared error are as wide as the formulas say, also of more rows than are drawn from", () => {
    const draw = seededRandom(5);
    const expectWidth = (interval: unknown, deviation: number): void => {
      const [low, high] = interval as [number, number];
      const share = (high - low) / (2 * 1.96 * deviation);
      expect(share).toBeGreaterThan(0.8);
      expect(share).toBeLessThan(1.25);
    };
    for (const count of [2000, 60_000]) {
      const chances = Array.from({ length: count }, () => draw());
      const { accuracy, intervals } = evaluateTwo({
        actual: chances.map((chance) => Number(draw() < chance)),
        chances,
      });
      expectWidth(intervals.accuracy, Math.sqrt((accuracy! * (1 - accuracy!)) / Math.min(count, 25_000)));
    }
    // Errors that are spread evenly from 0 to 1: their squares have the variance 4 / 45.
    const errors = Array.from({ length: 3000 }, () => draw());
    const found = evaluate({ task: "regression", actual: errors, predicted: new Float64Array(3000), mean: 0 }, 1);
    expectWidth(found.intervals.mse, Math.sqrt(4 / 45 / 3000));
  });
});

test("of thousands of points a hundred are kept, and the area stays", () => {
  const draw = seededRandom(8);
  const chances = Array.from({ length: 4000 }, () => draw());
  const { curves, auc } = evaluateTwo({ actual: chances.map((chance) => Number(draw() < chance)), chances });
  const { fpr, tpr } = curves!.roc!;
  expect(fpr.length).toBeGreaterThan(95);
  expect(fpr.length).toBeLessThanOrEqual(100);
  expect(curves!.precisionRecall!.recall).toHaveLength(100);
  const area = fpr.slice(1).reduce((sum, x, at) => sum + ((x - fpr[at]!) * (tpr[at + 1]! + tpr[at]!)) / 2, 0);
  expect(Math.abs(area - auc!)).toBeLessThan(0.005);
});

test("of 132 positives one is found, and it reads so", () => {
  const actual = Array.from({ length: 13_200 }, (_, row) => (row < 132 ? 1 : 0));
  const found = evaluateTwo({ actual, chances: actual.map((_, row) => (row === 0 || row > 13_197 ? 0.9 : 0.01)) });
  expect(found.accuracy).toBeGreaterThan(0.98);
  expect(found.balancedAccuracy).toBeLessThan(0.51);
  expect(found.positive).toEqual({
    class: "positive",
    threshold: 0.5,
    support: 132,
    found: 1,
    predicted: 3,
    precision: 1 / 3,
    recall: 1 / 132,
    f1: 2 / 135,
  });
  expect(found.baseline.positive).toMatchObject({
    support: 132,
    found: 0,
    predicted: 0,
    precision: 0,
    recall: 0,
    f1: 0,
  });
  expect(found.baseline).toMatchObject({ accuracy: 0.99, balancedAccuracy: 0.5, auc: 0.5 });
  expect(found.baseline.averagePrecision).toBeCloseTo(0.01, 12);
});

test("the rarer class of the training rows is the positive one, of equals the second", () => {
  const positiveOf = (...priors: number[]) =>
    evaluate(
      {
        task: "classification",
        classes: ["a", "b"],
        actual: [0, 1],
        probabilities: Float64Array.of(0.5, 0.5, 0.5, 0.5),
        priors,
      },
      1,
    ).positive?.class;
  expect([positiveOf(0.4, 0.6), positiveOf(0.6, 0.4), positiveOf(0.5, 0.5)]).toEqual(["a", "b", "b"]);
});

test("what no held-out row can tell is absent", () => {
  const found = evaluateTwo({ actual: [0, 0, 0], chances: [0.2, 0.7, 0.1] });
  for (const name of ["auc", "averagePrecision"]) expect(found).not.toHaveProperty(name);
  expect(found.positive).toEqual({
    class: "positive",
    threshold: 0.5,
    support: 0,
    found: 0,
    predicted: 1,
    precision: 0,
  });
  expect(found.balancedAccuracy).toBeCloseTo(2 / 3, 12);
});
