import { type FeatureColumn, floatsOf } from "./feature-column.ts";
import type { XgboostLinearBooster, XgboostModel, XgboostTreeBooster } from "./model.ts";
import { largestFloat32 } from "./xgboost-json.ts";

/** What a model holds in 32-bit floats. */
export interface NumberBounds {
  /**
   * By the model's own features: up to where numbers may go, all of them at once, so that there is an answer; a power of ten,
   * never below what was learnt from, or null where any number of 32 bits may come.
   */
  readonly upTo: readonly (number | null)[];
  /** Why there may be no answer even to what was learnt from; the feature counts among the model's own, where it is one's. */
  readonly fault?: { readonly feature: number | undefined };
}

/**
 * Looks whether a model of 32-bit floats holds its own weights, and every sum of them on the way to an answer.
 * @param columns what it was learnt from
 */
export function numberBounds({ learner }: XgboostModel, columns: readonly FeatureColumn[]): NumberBounds {
  const { gradient_booster: booster, learner_model_param: parameters } = learner;
  if (booster.name === "gblinear") return boundsOfSums(booster, columns);
  // Trees compare numbers, and add none of them.
  const upTo = columns.map(() => null);
  const most = Math.abs(Number(parameters.base_score)) + sumOfLeaves(booster);
  return most <= largestFloat32 / 2 ? { upTo } : { upTo, fault: { feature: undefined } };
}

function boundsOfSums({ model: { weights } }: XgboostLinearBooster, columns: readonly FeatureColumn[]): NumberBounds {
  const outputs = weights.length / (columns.length + 1);
  /** The largest of a feature's over the classes; the biases come last. */
  const largest = Array.from({ length: columns.length + 1 }, (_, feature) => {
    let most = 0;
    for (let k = 0; k < outputs; k++) most = Math.max(most, Math.abs(Math.fround(weights[feature * outputs + k]!)));
    return most;
  });
  const learnt = columns.map((column) => Math.min(powerOfTenFrom(largestOf(floatsOf(column))), largestFloat32));
  const parts = learnt.map((number, feature) => number * largest[feature]!);
  const most = parts.reduce((sum, part) => sum + part, largest.at(-1)!);
  const upTo = learnt.map((number, feature) => {
    const share = largestFloat32 / 4 / columns.length / largest[feature]!;
    const bound = Math.max(number, share >= largestFloat32 ? largestFloat32 : powerOfTenUpTo(share));
    return bound >= largestFloat32 ? null : bound;
  });
  // What is learnt from may have one half, and what goes beyond it a quarter.
  if (most <= largestFloat32 / 2) return { upTo };
  return { upTo, fault: { feature: parts.reduce((best, part, at) => (part > parts[best]! ? at : best), 0) } };
}

function largestOf(column: Float32Array): number {
  let largest = 0;
  for (const value of column) largest = Math.max(largest, Math.abs(value));
  return largest;
}

// From text, since 10 ** -30 is not the number that 1e-30 is.
const powerOfTen = (exponent: number): number => Number(`1e${exponent}`);
const powerOfTenUpTo = (number: number): number => powerOfTen(Math.floor(Math.log10(number)));
const powerOfTenFrom = (number: number): number => (number === 0 ? 0 : powerOfTen(Math.ceil(Math.log10(number))));

/** No row gets more; not finite where one of a tree's other numbers is not, which would be null in its file. */
function sumOfLeaves({ model: { trees } }: XgboostTreeBooster): number {
  let sum = 0;
  for (const { left_children, split_conditions, base_weights, loss_changes } of trees) {
    let most = 0;
    for (const [node, left] of left_children.entries()) {
      if (!Number.isFinite(base_weights[node]! + loss_changes[node]! + split_conditions[node]!))
        return Number.POSITIVE_INFINITY;
      if (left < 0) most = Math.max(most, Math.abs(split_conditions[node]!));
    }
    sum += most;
  }
  return sum;
}
