import { type Bins, binColumns } from "./feature-bins.ts";
import type { FeatureColumn } from "./feature-column.ts";
import { makeGrower } from "./grow-tree.ts";
import { treeSampler } from "./sample-trees.ts";
import type { RowSplit } from "./split-rows.ts";
import type { Tree } from "./tree.ts";
import {
  computeGradients,
  type LossFacts,
  leafOfRows,
  meanLoss,
  POISSON_MAX_STEP,
  type StartingPoint,
  startingPoint,
} from "./tree-loss.ts";
import { addLeaves } from "./walk-bins.ts";

/** How trees are grown, by XGBoost's names; alpha and gamma in the target's units. */
export interface TreeSettings {
  readonly rounds: number;
  readonly maxDepth: number;
  readonly learningRate: number;
  readonly earlyStoppingRounds: number;
  readonly minChildWeight: number;
  readonly lambda: number;
  readonly alpha: number;
  readonly gamma: number;
  readonly subsample: number;
  readonly colsampleByTree: number;
  readonly maxBins: number;
}

/** The task of the tree trainer: features column by column, NaN where missing. */
export interface TreesFit extends LossFacts, TreeSettings {
  readonly columns: readonly FeatureColumn[];
  /** Places to learn from, and places to stop early by (may be empty: then all rounds are kept). */
  readonly fitRows: Int32Array;
  readonly validationRows: Int32Array;
  /** By feature: 1 where the margin may not fall with it, -1 where it may not grow. */
  readonly monotone?: Int8Array | undefined;
  /** Of rows and features that are drawn. */
  readonly seed: number;
}

/** The trees, round by round and in a round output by output, and the margin they start from. */
export interface BoostedTrees {
  readonly trees: readonly Tree[];
  readonly baseMargin: number;
  /** Gain summed by feature, over all trees. */
  readonly gains: Float64Array;
}

/** Histogram gradient boosting, second order, depth-limited. Pure and deterministic: what is drawn, the seed says. */
export function fitBoostedTrees(fit: TreesFit, onProgress: (fraction: number) => void): BoostedTrees {
  const boosting = boost(fit);
  return boosting.finish(roundsWithBestLoss(fit, boosting.round, onProgress));
}

/**
 * After how many rounds the loss on rows that are not learnt from is least, the mean of some folds: each is learnt without once,
 * all in step, as XGBoost's `cv` has it. `fitRows` and `validationRows` of the fit are not asked for.
 * @returns at least 1
 */
export function roundsByFolds(
  fit: TreesFit,
  folds: readonly RowSplit[],
  onProgress: (fraction: number) => void,
): number {
  const all = folds.map(({ kept, heldOut }) => boost({ ...fit, fitRows: kept, validationRows: heldOut }));
  const meanLossOfRound = (): number => all.reduce((sum, { round }) => sum + round(), 0) / all.length;
  return roundsWithBestLoss(fit, meanLossOfRound, onProgress);
}

/** @param nextLoss of one round more; NaN where there are no rows to tell it, and all rounds are gone through then */
function roundsWithBestLoss(
  { rounds, earlyStoppingRounds }: TreeSettings,
  nextLoss: () => number,
  onProgress: (fraction: number) => void,
): number {
  let bestLoss = Number.POSITIVE_INFINITY;
  let bestRounds = rounds;
  for (let round = 1; round <= rounds; round++) {
    const loss = nextLoss();
    onProgress(round / rounds);
    if (loss < bestLoss * (1 - 1e-9)) {
      bestLoss = loss;
      bestRounds = round;
    } else if (round - bestRounds >= earlyStoppingRounds) break;
  }
  return bestRounds;
}

/** Trees that grow round by round. */
interface Boosting {
  /** One round more; the mean loss on the validation rows, NaN where there are none. */
  readonly round: () => number;
  /** The first rounds as a model; nothing can be grown on it. */
  readonly finish: (rounds: number) => BoostedTrees;
}

function boost(fit: TreesFit): Boosting {
  const start = startingPoint(fit, fit.fitRows);
  const facts = { ...fit, target: start.target };
  const { outputs } = fit;
  const rowCount = start.target.length;
  const margins = new Float64Array(rowCount * outputs);
  for (let k = 0; k < outputs; k++) margins.fill(start.margins[k]!, k * rowCount, (k + 1) * rowCount);
  const bins = binColumns(fit.columns, fit.fitRows, fit);
  const grow = growerOf(fit, bins, start.scale);
  const sampler = treeSampler(fit.fitRows, fit.columns.length, fit);
  const gradients = new Float64Array(rowCount * outputs);
  const hessians = new Float64Array(rowCount * outputs);
  const trees: Tree[] = [];
  const round = (): number => {
    const rows = sampler.rowsOfRound();
    const undrawn = rows === fit.fitRows ? new Int32Array(0) : without(fit.fitRows, rows);
    computeGradients(facts, rows, margins, gradients, hessians);
    for (let k = 0; k < outputs; k++) {
      const from = k * rowCount;
      const ofOutput = (values: Float64Array): Float64Array => values.subarray(from, from + rowCount);
      const tree = grow(
        {
          rows,
          features: sampler.featuresOfTree(),
          gradients: ofOutput(gradients),
          hessians: ofOutput(hessians),
          leafOf: leafOfRows(facts, margins),
        },
        ofOutput(margins),
      );
      for (const others of [undrawn, fit.validationRows]) addLeaves(tree, bins, fit.columns, others, ofOutput(margins));
      trees.push(tree);
    }
    return fit.validationRows.length === 0 ? Number.NaN : meanLoss(facts, fit.validationRows, margins);
  };
  const finish = (rounds: number): BoostedTrees => {
    trees.length = Math.min(trees.length, rounds * outputs);
    return { trees, baseMargin: start.baseMargin, gains: inUnitsOfTarget(trees, fit, start) };
  };
  return { round, finish };
}

function growerOf(fit: TreesFit, bins: Bins, scale: number): ReturnType<typeof makeGrower> {
  const { fitRows, minChildWeight, lambda, maxDepth, learningRate, monotone } = fit;
  const maxStep = fit.loss === "poisson" ? POISSON_MAX_STEP : Number.POSITIVE_INFINITY;
  return makeGrower({
    bins,
    rules: {
      minChildWeight,
      lambda,
      alpha: fit.alpha / scale,
      gamma: fit.gamma / scale / scale,
      monotone,
      isBounded: monotone !== undefined || maxStep < Number.POSITIVE_INFINITY,
    },
    maxDepth,
    learningRate,
    maxStep,
    mostRows: fitRows.length,
  });
}

/** Those of `all` that are not among `some`; both ascend. */
function without(all: Int32Array, some: Int32Array): Int32Array {
  let at = 0;
  return all.filter((row) => {
    if (row !== some[at]) return true;
    at += 1;
    return false;
  });
}

/** Brings leaves into the target's units; answers the gains by feature. */
function inUnitsOfTarget(trees: readonly Tree[], fit: TreesFit, { scale, margins }: StartingPoint): Float64Array {
  const gains = new Float64Array(fit.columns.length);
  for (const [place, tree] of trees.entries()) {
    for (let node = 0; node < tree.feature.length; node++) {
      if (tree.feature[node]! >= 0) gains[tree.feature[node]!]! += tree.gain[node]!;
      else {
        // XGBoost before 3.1 has one base score for all classes, so the first round's leaves carry the classes' shares.
        const share = fit.loss === "softmax" && place < fit.outputs ? margins[place]! : 0;
        tree.threshold[node] = tree.threshold[node]! * scale + share;
        tree.weight[node] = tree.weight[node]! * scale + share;
      }
    }
  }
  return gains;
}
