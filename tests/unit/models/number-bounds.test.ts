import { expect, test } from "vitest";
import type { XgboostModel } from "../../../src/models/model.ts";
import { numberBounds } from "../../../src/models/number-bounds.ts";
import { seededRandom } from "../../../src/models/split-rows.ts";
import { predictXgboost } from "../../../src/models/xgboost-json.ts";

const linear = (features: number, weights: readonly number[]) =>
  ({
    learner: {
      gradient_booster: { name: "gblinear", model: { weights } },
      learner_model_param: {
        base_score: "0E0",
        num_class: String(weights.length / (features + 1)),
        num_feature: String(features),
      },
      objective: { name: "reg:squarederror" },
    },
  }) as unknown as XgboostModel;

const boundsOf = (learnt: readonly number[], weights: readonly number[]) =>
  numberBounds(
    linear(learnt.length, weights),
    learnt.map((number) => Float32Array.of(0, number)),
  );

test("numbers have an end where their sum has, each column its own", () => {
  expect(boundsOf([2], [0.1, 0]).upTo).toEqual([null]);
  expect(boundsOf([2], [-30, 5]).upTo).toEqual([1e36]);
  expect(boundsOf([1.5e-30, 400_000], [1e31, 2, 0]).upTo).toEqual([1e6, 1e37]);
  // Of three classes, the worst: seven of a column and of none.
  expect(boundsOf([1, 1], [1, -5e5, 1, 0, 0, 0, 3, 3, 3]).upTo).toEqual([1e31, null]);
});

test("never below what was learnt from", () => {
  expect(boundsOf([3e30, 1], [1e7, 1e7, 0])).toEqual({ upTo: [1e31, 1e30] });
  expect(boundsOf([3e30, 1], [1e8, 1, 0])).toMatchObject({ fault: { feature: 0 } });
  expect(boundsOf([1, 1], [1, Number.POSITIVE_INFINITY, 0])).toMatchObject({ fault: { feature: 1 } });
  expect(boundsOf([1, 1], [1, 1, Number.NaN])).toHaveProperty("fault");
});

test("all columns at their ends at once, with the worst signs, have an answer", () => {
  const random = seededRandom(5);
  for (let round = 0; round < 500; round++) {
    const features = 1 + Math.floor(random() * 12);
    const outputs = 1 + Math.floor(random() * 3);
    const learnt = Array.from({ length: features }, () => 10 ** (random() * 70 - 35));
    const weights = Array.from({ length: (features + 1) * outputs }, (_, at) =>
      at >= features * outputs
        ? 1e37 * random()
        : (10 ** (random() * 70 - 33) / (learnt[Math.floor(at / outputs)]! + 1)) * (random() - 0.5),
    );
    const { upTo, fault } = boundsOf(learnt, weights.map(Math.fround));
    if (fault !== undefined) continue;
    for (let k = 0; k < outputs; k++) {
      const worst = upTo.map((bound, feature) =>
        Float32Array.of((bound ?? 3.4e38) * (Math.sign(weights[feature * outputs + k]!) || 1)),
      );
      const answers = predictXgboost(linear(features, weights), worst, 1);
      expect([...answers].every(Number.isFinite), JSON.stringify({ learnt, weights })).toBe(true);
    }
    for (const [at, bound] of upTo.entries()) expect(bound ?? 3.4e38).toBeGreaterThanOrEqual(learnt[at]! * 0.9999);
  }
});
