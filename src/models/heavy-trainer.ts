import { type BoostedTrees, fitBoostedTrees, roundsByFolds, type TreesFit } from "./boosted-trees.ts";
import { MAX_VALUE_BINS } from "./feature-bins.ts";
import { dealOut, splitsOf } from "./folds.ts";
import type { EarlyStopping, HeavyParameters, Objective } from "./heavy-parameters.ts";
import { numbersAt } from "./in-order.ts";
import type { LinearFit, Loss } from "./linear-problem.ts";
import type { XgboostModel } from "./model.ts";
import { seededRandom, splitRows } from "./split-rows.ts";
import type { TreeLoss } from "./tree-loss.ts";
import { treesToXgboost } from "./xgboost-json.ts";

const VALIDATION_FRACTION = 0.15;
// Below this, the validation part would be a handful of rows, and stopping by it a matter of luck.
const MIN_ROWS_FOR_EARLY_STOPPING = 60;

const stoppingFolds = 5;
/** From so many rows on a part tells as well when to stop (docs/adr/0036-heavy-models-learn-from-all-rows-at-last.md). */
const rowsForFolds = 1_000;
/** Cells that all rounds may go through for folds to be usual: some 10 s of one CPU, and two of a part. */
const mostCells = 40_000_000;
const usualRounds = 100;
const usualDepth = 6;

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
  const { refit = true } = parameters;
  const places = placesThatWeigh(fit);
  const size = { rows: places.length, features: fit.columns.length, outputs: fit.outputs };
  const stopping = stoppingOf(parameters, size);
  if (stopping === "folds") return trainByFolds(fit, places, parameters, seed, onProgress);
  const { kept, heldOut } = splitForStopping(fit, places, seed, stopping === "part" ? VALIDATION_FRACTION : 0);
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

/** What decides how long trees take. */
export interface TreesSize {
  /** Rows that are learnt from. */
  readonly rows: number;
  /** Of the model's own. */
  readonly features: number;
  readonly outputs: number;
}

/** How often a fit goes through all of its cells. */
export const passesOf = ({ rounds = usualRounds, maxDepth = usualDepth }: HeavyParameters): number =>
  (rounds * maxDepth) / usualDepth;

/** Folds learn from all rows in the end: without a refit there is nothing that they could be for. */
function stoppingOf(parameters: HeavyParameters, { rows, features, outputs }: TreesSize): EarlyStopping {
  const { earlyStopping, refit = true } = parameters;
  const isSmall = rows >= MIN_ROWS_FOR_EARLY_STOPPING && rows < rowsForFolds;
  const isCheap = () => passesOf(parameters) * rows * features * outputs <= mostCells;
  return earlyStopping ?? (isSmall && refit && isCheap() ? "folds" : "part");
}

/** How many models grow at the same time. */
export const fitsAtOnce = (parameters: HeavyParameters, size: TreesSize): number =>
  stoppingOf(parameters, size) === "folds" ? stoppingFolds : 1;

/** The folds say when to stop, and all rows are learnt from for so many rounds. */
function trainByFolds(
  fit: HeavyFit,
  places: Int32Array,
  parameters: HeavyParameters,
  seed: number,
  onProgress: (fraction: number) => void,
): FittedHeavy {
  const classOf = fit.loss === "squared" ? undefined : numbersAt(places, (place) => fit.target[place]!);
  const foldOf = dealOut(places.length, stoppingFolds, seededRandom(seed + 1), classOf);
  const all = { ...treesFitOf(fit, parameters, seed), fitRows: places, validationRows: new Int32Array(0) };
  const splits = [...splitsOf(foldOf, stoppingFolds)].map(({ kept, heldOut }) => ({
    kept: kept.map((at) => places[at]!),
    heldOut: heldOut.map((at) => places[at]!),
  }));
  const share = (stoppingFolds - 1) / stoppingFolds;
  const rounds = roundsByFolds(all, splits, (fraction) => onProgress(fraction * share));
  const fitted = fitBoostedTrees({ ...all, rounds }, (fraction) => onProgress(share + fraction * (1 - share)));
  return toModel(fitted, all, parameters);
}

function toModel(fitted: BoostedTrees, fit: TreesFit, { scalePosWeight }: HeavyParameters): FittedHeavy {
  const { loss, outputs, quantile } = fit;
  const model = treesToXgboost(fitted, { loss, outputs, quantile, scalePosWeight }, fit.columns.length);
  return { model, importances: fitted.gains };
}

/** Rows that weigh nothing are in no part: they are as good as not there. */
function placesThatWeigh({ target, weights }: HeavyFit): Int32Array {
  const all = Int32Array.from(target.keys());
  return weights === undefined ? all : all.filter((place) => weights[place]! > 0);
}

function splitForStopping({ target, loss }: HeavyFit, places: Int32Array, seed: number, share: number) {
  const classOf = loss === "squared" ? undefined : Int32Array.from(places, (place) => target[place]!);
  const fraction = places.length < MIN_ROWS_FOR_EARLY_STOPPING ? 0 : share;
  return splitRows(places, fraction, seed + 1, classOf);
}

function inOrder(some: Int32Array, others: Int32Array): Int32Array {
  const all = new Int32Array(some.length + others.length);
  all.set(some);
  all.set(others, some.length);
  return all.sort();
}

function treesFitOf(fit: HeavyFit, parameters: HeavyParameters, seed: number) {
  return {
    columns: fit.columns,
    target: fit.target,
    outputs: fit.outputs,
    loss: lossOf(fit.loss, parameters.objective),
    quantile: parameters.quantileAlpha ?? 0.5,
    rowWeights: rowWeightsOf(fit, parameters),
    monotone: fit.monotone,
    rounds: parameters.rounds ?? usualRounds,
    maxDepth: parameters.maxDepth ?? usualDepth,
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
