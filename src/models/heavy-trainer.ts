import { type BoostedTrees, fitBoostedTrees, type TreesFit } from "./boosted-trees.ts";
import { MAX_VALUE_BINS } from "./feature-bins.ts";
import type { HeavyParameters, Objective } from "./heavy-parameters.ts";
import type { LinearFit, Loss } from "./linear-problem.ts";
import type { XgboostModel } from "./model.ts";
import { splitRows } from "./split-rows.ts";
import type { TreeLoss } from "./tree-loss.ts";
import { treesToXgboost } from "./xgboost-json.ts";

const VALIDATION_FRACTION = 0.15;
// Below this, the validation part would be a handful of rows, and stopping by it a matter of luck.
const MIN_ROWS_FOR_EARLY_STOPPING = 60;

/** What a heavy model learns from. */
export interface HeavyFit extends Pick<LinearFit, "columns" | "target" | "loss" | "outputs"> {
  /** How much each row counts; all the same when absent. */
  readonly weights?: Float64Array | undefined;
  /** By the model's own features: 1 where the answer may not fall with it, -1 where it may not grow. */
  readonly monotone?: Int8Array | undefined;
}

/** A heavy model, and what is to be told of it. */
export interface FittedHeavy {
  readonly model: XgboostModel;
  /** By the model's own features. */
  readonly importances: Float64Array;
}

/**
 * Fits boosted trees, on some of the rows; the others say when to stop. With `refit` all are learnt from then, for as many
 * rounds.
 * @param seed of which rows these are, and of what is drawn
 */
export function trainHeavy(
  fit: HeavyFit,
  parameters: HeavyParameters,
  seed: number,
  onProgress: (fraction: number) => void,
): FittedHeavy {
  const { kept, heldOut } = splitForStopping(fit, seed);
  const { refit = true } = parameters;
  const first = { ...treesFitOf(fit, parameters, seed), fitRows: kept, validationRows: heldOut };
  const isRefitted = refit && heldOut.length > 0;
  // The second fit has no more rounds than the first: each is half of the way at most.
  const share = isRefitted ? 0.5 : 1;
  let fitted = fitBoostedTrees(first, (fraction) => onProgress(fraction * share));
  if (isRefitted) {
    const rounds = fitted.trees.length / fit.outputs;
    const again = { ...first, rounds, fitRows: inOrder(kept, heldOut), validationRows: new Int32Array(0) };
    fitted = fitBoostedTrees(again, (fraction) => onProgress(share + fraction * share));
  }
  return toModel(fitted, first, parameters);
}

function toModel(fitted: BoostedTrees, fit: TreesFit, { scalePosWeight }: HeavyParameters): FittedHeavy {
  const { loss, outputs, quantile } = fit;
  const model = treesToXgboost(fitted, { loss, outputs, quantile, scalePosWeight }, fit.columns.length);
  return { model, importances: fitted.gains };
}

/** Rows that weigh nothing are in neither part: they are as good as not there. */
function splitForStopping({ target, loss, weights }: HeavyFit, seed: number) {
  const all = Int32Array.from(target.keys());
  const places = weights === undefined ? all : all.filter((place) => weights[place]! > 0);
  const classOf = loss === "squared" ? undefined : Int32Array.from(places, (place) => target[place]!);
  const fraction = places.length < MIN_ROWS_FOR_EARLY_STOPPING ? 0 : VALIDATION_FRACTION;
  return splitRows(places, fraction, seed + 1, classOf);
}

const inOrder = (some: Int32Array, others: Int32Array): Int32Array => Int32Array.from([...some, ...others]).sort();

function treesFitOf(fit: HeavyFit, parameters: HeavyParameters, seed: number) {
  return {
    columns: fit.columns,
    target: fit.target,
    outputs: fit.outputs,
    loss: lossOf(fit.loss, parameters.objective),
    quantile: parameters.quantileAlpha ?? 0.5,
    rowWeights: rowWeightsOf(fit, parameters),
    monotone: fit.monotone,
    rounds: parameters.rounds ?? 100,
    maxDepth: parameters.maxDepth ?? 6,
    learningRate: parameters.learningRate ?? 0.1,
    earlyStoppingRounds: parameters.earlyStoppingRounds ?? 15,
    minChildWeight: parameters.minChildWeight ?? 1,
    lambda: parameters.lambda ?? 1,
    alpha: parameters.alpha ?? 0,
    gamma: parameters.gamma ?? 0,
    subsample: parameters.subsample ?? 1,
    colsampleByTree: parameters.colsampleByTree ?? 1,
    maxBins: parameters.maxBins ?? MAX_VALUE_BINS,
    seed: seed + 2,
  } satisfies Partial<TreesFit>;
}

const losses: Record<Objective, TreeLoss> = {
  "reg:squarederror": "squared",
  "count:poisson": "poisson",
  "reg:absoluteerror": "absolute",
  "reg:quantileerror": "quantile",
};

function lossOf(loss: Loss, objective: Objective | undefined): TreeLoss {
  return loss === "squared" && objective !== undefined ? losses[objective] : loss;
}

/** Of two classes the second is the positive one. */
function rowWeightsOf({ target, loss, weights }: HeavyFit, { scalePosWeight = 1 }: HeavyParameters) {
  if (loss !== "logistic" || scalePosWeight === 1) return weights;
  return target.map((value, row) => (weights?.[row] ?? 1) * (value === 1 ? scalePosWeight : 1));
}
