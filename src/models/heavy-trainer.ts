import { fitBoostedTrees } from "./boosted-trees.ts";
import type { LinearFit } from "./linear-problem.ts";
import type { XgboostModel } from "./model.ts";
import { splitRows } from "./split-rows.ts";
import { treesToXgboost } from "./xgboost-json.ts";

/** What can be said of a heavy model. */
export interface HeavyParameters {
  /** Trees, or trees a class. Default 100. */
  readonly rounds?: number | undefined;
  /** Default 6. */
  readonly maxDepth?: number | undefined;
  /** Default 0.1. */
  readonly learningRate?: number | undefined;
  /** Rounds without a better validation loss after which to stop. Default 15. */
  readonly earlyStoppingRounds?: number | undefined;
  /** Least sum of second derivatives in a leaf. Default 1. */
  readonly minChildWeight?: number | undefined;
  /** Penalty on the squared leaf values. Default 1. */
  readonly lambda?: number | undefined;
}

const VALIDATION_FRACTION = 0.15;
// Below this, the validation part would be a handful of rows, and stopping by it a matter of luck.
const MIN_ROWS_FOR_EARLY_STOPPING = 60;

/** A heavy model, and what is to be told of it. */
export interface FittedHeavy {
  readonly model: XgboostModel;
  /** By the model's own features. */
  readonly importances: Float64Array;
}

/**
 * Fits boosted trees, on some of the rows; the others say when to stop.
 * @param seed of which rows these are
 */
export function trainHeavy(
  fit: Pick<LinearFit, "columns" | "target" | "loss" | "outputs">,
  parameters: HeavyParameters,
  seed: number,
  onProgress: (fraction: number) => void,
): FittedHeavy {
  const places = Int32Array.from(fit.target.keys());
  const classOf = fit.loss === "squared" ? undefined : Int32Array.from(fit.target);
  const fraction = places.length < MIN_ROWS_FOR_EARLY_STOPPING ? 0 : VALIDATION_FRACTION;
  const { kept, heldOut } = splitRows(places, fraction, seed + 1, classOf);
  const fitted = fitBoostedTrees(
    {
      ...fit,
      fitRows: kept,
      validationRows: heldOut,
      rounds: parameters.rounds ?? 100,
      maxDepth: parameters.maxDepth ?? 6,
      learningRate: parameters.learningRate ?? 0.1,
      earlyStoppingRounds: parameters.earlyStoppingRounds ?? 15,
      minChildWeight: parameters.minChildWeight ?? 1,
      lambda: parameters.lambda ?? 1,
    },
    onProgress,
  );
  return { model: treesToXgboost(fitted, fit.loss, fit.outputs, fit.columns.length), importances: fitted.gains };
}
