import { type FeatureColumn, floatsOf, pickPlaces } from "./feature-column.ts";
import { dealOut, splitsOf } from "./folds.ts";
import { numbersAt } from "./in-order.ts";
import type { XgboostModel } from "./model.ts";
import { seededRandom } from "./split-rows.ts";
import { predictXgboost } from "./xgboost-json.ts";

/** Each is learnt without once: two more models' work, since each learns from two thirds. */
const foldCount = 3;

/** What of the way is behind when all of these have been learnt and the model itself has not: it learns from more rows. */
export const shareOfFolds = (foldCount - 1) / foldCount;

/** Rows that are learnt from. */
interface FoldedRows {
  readonly columns: readonly FeatureColumn[];
  readonly target: Float64Array;
  /** How much each row counts; all the same when absent. */
  readonly weights?: Float64Array | undefined;
}

/** Rows that are learnt from, and how. */
export interface OutOfFold extends FoldedRows {
  readonly seed: number;
  readonly learn: (part: FoldedRows, onProgress: (fraction: number) => void) => XgboostModel;
}

/**
 * What is said of each row by a model that was learnt without it, every class in its share. Means that stand for missing
 * cells, and which categories there are, are of all rows: neither knows the target.
 */
export function predictOutOfFold(
  { columns, target, weights, seed, learn }: OutOfFold,
  onProgress: (fraction: number) => void,
): Float64Array {
  const foldOf = dealOut(target.length, foldCount, seededRandom(seed), target);
  const outputs = new Float64Array(target.length);
  let learnt = 0;
  for (const { kept, heldOut } of splitsOf(foldOf, foldCount)) {
    const part = {
      columns: pickPlaces(columns, kept),
      target: numbersAt(kept, (place) => target[place]!),
      weights: weights && numbersAt(kept, (place) => weights[place]!),
    };
    const model = learn(part, (fraction) => onProgress((learnt + fraction) / foldCount));
    const said = predictXgboost(model, pickPlaces(columns, heldOut).map(floatsOf), heldOut.length);
    for (const [at, place] of heldOut.entries()) outputs[place] = said[at]!;
    learnt++;
  }
  return outputs;
}
