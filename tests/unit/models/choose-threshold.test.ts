import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseThreshold, type ThresholdAim } from "../../../src/models/choose-threshold.ts";
import { floatsOf } from "../../../src/models/feature-column.ts";
import { predictOutOfFold } from "../../../src/models/out-of-fold.ts";
import { linearToXgboost } from "../../../src/models/xgboost-json.ts";

const row = fc.record({
  isPositive: fc.boolean(),
  chance: fc.oneof(fc.constantFrom(0, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true })),
});

test("no other threshold does better on the same rows", () => {
  const aim = fc.oneof(
    fc.constant<ThresholdAim>("f1"),
    fc.record({ falsePositive: fc.integer({ min: 1, max: 9 }), falseNegative: fc.integer({ min: 1, max: 9 }) }),
  );
  fc.assert(
    fc.property(aim, fc.array(row, { maxLength: 40 }), (wanted, more) => {
      const rows = [{ isPositive: true, chance: 0.4 }, ...more];
      const lossAt = (threshold: number): number => {
        const said = rows.filter(({ chance }) => chance >= threshold);
        const found = said.filter(({ isPositive }) => isPositive).length;
        const positives = rows.filter(({ isPositive }) => isPositive).length;
        return wanted === "f1"
          ? -(2 * found) / (said.length + positives)
          : wanted.falsePositive * (said.length - found) + wanted.falseNegative * (positives - found);
      };
      const chosen = chooseThreshold(
        wanted,
        rows.map(({ isPositive }) => isPositive),
        Float64Array.from(rows, ({ chance }) => chance),
      );
      expect(chosen).toBeGreaterThanOrEqual(0);
      expect(chosen).toBeLessThanOrEqual(1);
      for (const { chance } of rows) expect(lossAt(chosen)).toBeLessThanOrEqual(lossAt(chance));
    }),
  );
});

test("it is half-way between the chances that it parts, and of equally good ones the nearest to a half", () => {
  const choose = (aim: ThresholdAim, isPositive: boolean[], ...chances: number[]) =>
    chooseThreshold(aim, isPositive, Float64Array.from(chances));
  expect(choose("f1", [false, true, true], 0.1, 0.3, 0.8)).toBeCloseTo(0.2, 12);
  // Above 0.8 one is missed, below 0.4 one too many is said: as dear.
  const costs = { falsePositive: 1, falseNegative: 1 };
  expect(choose(costs, [true, false, true, false], 0.9, 0.8, 0.7, 0.1)).toBeCloseTo(0.4, 12);
  expect(choose({ falsePositive: 9, falseNegative: 1 }, [true, false], 0.2, 0.6)).toBeCloseTo(0.8, 12);
  expect(choose({ falsePositive: 1, falseNegative: 9 }, [true, false], 0, 0.6)).toBe(0);
});

test("each row is predicted by a model that has not seen it, and each class is dealt out evenly", () => {
  const target = Float64Array.from({ length: 31 }, (_, place) => (place % 10 === 0 ? 1 : 0));
  const columns = [Float32Array.from(target.keys())];
  const seen: number[][] = [];
  const heard: number[] = [];
  const outputs = predictOutOfFold(
    {
      columns,
      target,
      seed: 3,
      learn: (part, onProgress) => {
        const said = floatsOf(part.columns[0]!);
        seen.push([...said]);
        expect([...part.target]).toEqual(Array.from(said, (place) => target[place]));
        expect(part.target.filter((k) => k === 1).length).toBeGreaterThanOrEqual(2);
        onProgress(1);
        const weights = { weights: Float32Array.of(0), biases: Float32Array.of(seen.length) };
        return linearToXgboost(
          {
            ...weights,
            standardised: new Float64Array(1),
            means: new Float64Array(1),
            deviations: new Float64Array(1),
          },
          "squared",
          1,
        );
      },
    },
    (fraction) => heard.push(fraction),
  );
  expect(seen.map(({ length }) => length).toSorted()).toEqual([20, 21, 21]);
  for (const [place, output] of outputs.entries()) expect(seen[Math.round(output) - 1]).not.toContain(place);
  expect(heard.map((fraction) => fraction.toFixed(3))).toEqual(["0.333", "0.667", "1.000"]);
});
