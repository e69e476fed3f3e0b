import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluate } from "../../../src/models/evaluate.ts";
import { binColumns } from "../../../src/models/feature-bins.ts";
import { solveCholesky } from "../../../src/models/newton.ts";
import { splitRows } from "../../../src/models/split-rows.ts";
import { toXgboostFloat } from "../../../src/models/xgboost-json.ts";

describe("split", () => {
  test("keeps every row once, the same by seed, each class in its share", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 200 }), fc.integer(), (classes, seed) => {
        const rows = Int32Array.from(classes.keys());
        const classOf = Int32Array.from(classes);
        const { kept, heldOut } = splitRows(rows, 0.25, seed, classOf);
        expect([...kept, ...heldOut].sort((a, b) => a - b)).toEqual([...rows]);
        expect(splitRows(rows, 0.25, seed, classOf)).toEqual({ kept, heldOut });
        for (let k = 0; k < 4; k++) {
          const size = classes.filter((value) => value === k).length;
          expect(heldOut.filter((row) => classes[row] === k)).toHaveLength(Math.round(size / 4));
        }
      }),
    );
  });
});

describe("metrics", () => {
  test("of classes, counted by hand", () => {
    // Said: b, b, a, b; true: b, a, a, b.
    const probabilities = Float64Array.of(0.2, 0.8, 0.4, 0.6, 0.9, 0.1, 0.3, 0.7);
    const result = evaluate(
      {
        task: "classification",
        classes: ["a", "b"],
        actual: [1, 0, 0, 1],
        probabilities,
        priors: [0.5, 0.5],
      },
      1,
    );
    expect(result.accuracy).toBe(0.75);
    expect(result.precision).toBeCloseTo((1 + 2 / 3) / 2, 12);
    expect(result.recall).toBeCloseTo((0.5 + 1) / 2, 12);
    expect(result.f1).toBeCloseTo((2 / 3 + 4 / 5) / 2, 12);
    expect(result.auc).toBe(1);
    expect(result.logLoss).toBeCloseTo(-(Math.log(0.8) + Math.log(0.4) + Math.log(0.9) + Math.log(0.7)) / 4, 12);
    expect(result.confusionMatrix).toEqual({
      classes: ["a", "b"],
      counts: [
        [1, 1],
        [0, 2],
      ],
    });
    expect(result.baseline).toMatchObject({ accuracy: 0.5, auc: 0.5, logLoss: Math.log(2) });
    expect(result.relativeError).toBeCloseTo(result.logLoss! / Math.log(2), 12);
  });

  test("of numbers, counted by hand", () => {
    const result = evaluate({ task: "regression", actual: [1, 2, 3], predicted: Float64Array.of(1, 2, 5), mean: 2 }, 1);
    expect(result.mse).toBeCloseTo(4 / 3, 12);
    expect(result.mae).toBeCloseTo(2 / 3, 12);
    expect(result.r2).toBeCloseTo(-1, 12);
    expect(result.baseline.r2).toBeCloseTo(0, 12);
    expect(result.relativeError).toBeCloseTo(Math.sqrt(2), 12);
  });

  test("no NaN where all held-out values are the same", () => {
    const result = evaluate({ task: "regression", actual: [2, 2], predicted: Float64Array.of(2, 3), mean: 2 }, 1);
    expect(result).not.toHaveProperty("r2");
    expect(result).not.toHaveProperty("relativeError");
  });
});

test("bins agree with their thresholds, and missing has its own", () => {
  const value = fc.oneof(
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: 0, max: 5 }),
    fc.constant(Number.NaN),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 600 }), (values) => {
      const column = Float32Array.from(values);
      const bins = binColumns([column], Int32Array.from(values.keys()), { maxBins: 255 });
      const cuts = bins.thresholds[0]!;
      expect(cuts.length).toBeLessThanOrEqual(255);
      for (const [row, cell] of column.entries()) {
        const bin = bins.ofFeature[0]![row]!;
        if (Number.isNaN(cell)) expect(bin).toBe(cuts.length);
        // The training's `bin < b` and the model's `value < threshold` must be one question.
        else expect(cuts.findLastIndex((cut) => !(cell < cut))).toBe(bin);
      }
    }),
  );
});

test("a float for XGBoost is the same float, and never written as an integer", () => {
  fc.assert(
    fc.property(fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.integer()), (value) => {
      const written = toXgboostFloat(value);
      expect(Math.fround(written) === Math.fround(value)).toBe(true);
      if (Math.abs(value) < 2 ** 51) expect(JSON.stringify(written)).toMatch(/[.e]/);
    }),
    { numRuns: 2000 },
  );
});

test("Cholesky solves a small system", () => {
  expect(
    [...solveCholesky(Float64Array.of(4, 2, 2, 3), Float64Array.of(2, 5), 2)].map((x) => Math.round(x * 1e9) / 1e9),
  ).toEqual([-0.5, 2]);
});
