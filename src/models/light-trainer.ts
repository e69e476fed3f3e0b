import { type ClassWeight, weightsOfClasses } from "./class-weights.ts";
import { fitLinear } from "./linear-model.ts";
import type { LinearFit, LinearWeights } from "./linear-problem.ts";
import type { XgboostModel } from "./model.ts";
import type { SolverReport } from "./model-metrics.ts";
import { linearToXgboost } from "./xgboost-json.ts";

/** What can be said of a light model. */
export interface LightParameters {
  /**
   * Half of it times each squared weight, on numbers of deviation 1 and on categories of 0 and 1, is added to the loss, a sum over
   * rows; the intercept's is not. scikit-learn's `alpha` of Ridge, and 1 ÷ `C` of LogisticRegression. Default 1, as there.
   */
  readonly ridge?: number | undefined;
  /** Only for classes. Default: all rows count the same. */
  readonly classWeight?: ClassWeight | undefined;
}

const DEFAULT_RIDGE = 1;

/** What a light model learns from. */
export interface LightFit extends Pick<LinearFit, "columns" | "target" | "loss" | "outputs" | "ofCategories"> {
  /** Only for classification. */
  readonly classes?: readonly string[] | undefined;
  /** How much each row counts; all the same when absent. */
  readonly weights?: Float64Array | undefined;
}

/** A light model, and what is to be told of it. */
export interface FittedLight {
  readonly model: XgboostModel;
  /** By the model's own features: sums over outputs of how much a deviation of them moves the output. */
  readonly importances: Float64Array;
  readonly weights: LinearWeights;
  readonly solver: SolverReport;
}

/**
 * Fits a linear or logistic model.
 * @throws TrainingDataError CLASS_UNKNOWN
 */
export function trainLight(
  { classes, weights: ofRows, ...fit }: LightFit,
  { ridge = DEFAULT_RIDGE, classWeight }: LightParameters,
  onProgress: (fraction: number) => void,
): FittedLight {
  const ofClasses =
    classes === undefined || classWeight === undefined ? undefined : weightsOfClasses(classWeight, classes, fit.target);
  const rowWeights = fit.target.map((value, row) => (ofClasses?.[value] ?? 1) * (ofRows?.[row] ?? 1));
  const { solver, ...weights } = fitLinear({ ...fit, rowWeights, momentWeights: ofRows, ridge }, onProgress);
  const importances = new Float64Array(fit.columns.length);
  for (const [at, weight] of weights.standardised.entries())
    importances[Math.floor(at / fit.outputs)]! += Math.abs(weight);
  return { model: linearToXgboost(weights, fit.loss, fit.outputs), importances, weights, solver };
}
