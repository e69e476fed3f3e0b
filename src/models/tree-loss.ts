import type { Loss } from "./linear-problem.ts";
import { quantileOfLeaf } from "./quantile.ts";

/** What boosted trees minimise: squared error, log loss, or deviance of counts, absolute error, error of a quantile. */
export type TreeLoss = Loss | "poisson" | "absolute" | "quantile";

/** What a loss is of. */
export interface LossFacts {
  readonly loss: TreeLoss;
  /** Of the loss `quantile`: which one. */
  readonly quantile: number;
  readonly outputs: number;
  /** The value, or the number of the class. */
  readonly target: Float64Array;
  /** How much each row counts; undefined: all the same. */
  readonly rowWeights: Float64Array | undefined;
}

/** XGBoost's `max_delta_step` for counts: what a leaf adds to their logarithm, and how far hessians look ahead. */
export const POISSON_MAX_STEP = 0.7;

/** Where boosting starts, from the rows that are learned from. */
export interface StartingPoint {
  /** In the units that boosting works in. */
  readonly target: Float64Array;
  /** Of a unit there, in the target's. */
  readonly scale: number;
  /** By output. */
  readonly margins: readonly number[];
  readonly baseMargin: number;
}

/** The best constant; of squared loss the target is standardised, or the smallest gain worth a split would depend on its unit. */
export function startingPoint(facts: LossFacts, fitRows: Int32Array): StartingPoint {
  const { loss, target, outputs, rowWeights } = facts;
  if (loss === "softmax") return { target, scale: 1, margins: logShares(facts, fitRows), baseMargin: 0 };
  if (loss === "absolute" || loss === "quantile") {
    // Whether a value is the margin or lies beside it decides here, and margins are 32-bit floats in the model.
    const rounded = Float64Array.from(target, Math.fround);
    const values = Float64Array.from(fitRows, (row) => rounded[row]!);
    const weights = rowWeights && Float64Array.from(fitRows, (row) => rowWeights[row]!);
    const baseMargin = Math.fround(quantileOfLeaf(values, fractionOf(facts), weights));
    return { target: rounded, scale: 1, margins: new Array<number>(outputs).fill(baseMargin), baseMargin };
  }
  const { mean, deviation } = momentsOf(facts, fitRows);
  if (loss === "squared") {
    const scale = deviation || 1;
    const baseMargin = Math.fround(mean);
    return { target: target.map((value) => (value - baseMargin) / scale), scale, margins: [0], baseMargin };
  }
  const share = Math.min(Math.max(mean, 1e-6), 1 - 1e-6);
  const baseMargin = loss === "poisson" ? Math.log(Math.max(mean, 1e-16)) : Math.log(share / (1 - share));
  return { target, scale: 1, margins: [baseMargin], baseMargin };
}

function momentsOf({ target, rowWeights }: LossFacts, rows: Int32Array): { mean: number; deviation: number } {
  let total = 0;
  let mean = 0;
  for (const row of rows) {
    const weight = rowWeights === undefined ? 1 : rowWeights[row]!;
    total += weight;
    mean += ((target[row]! - mean) * weight) / total;
  }
  let squares = 0;
  for (const row of rows) squares += (rowWeights === undefined ? 1 : rowWeights[row]!) * (target[row]! - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / total) };
}

function logShares({ target, outputs, rowWeights }: LossFacts, rows: Int32Array): number[] {
  const counts = new Float64Array(outputs);
  for (const row of rows) counts[target[row]!]! += rowWeights === undefined ? 1 : rowWeights[row]!;
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Array.from(counts, (count) => Math.log((count + 0.5) / (total + 0.5 * outputs)));
}

/** Of which quantile the leaves are, where they are quantiles. */
const fractionOf = ({ loss, quantile }: LossFacts): number => (loss === "absolute" ? 0.5 : quantile);

/** First and second derivatives of the loss by the margins, of `rows`; output k of row r stands at `k * target.length + r`. */
export function computeGradients(
  facts: LossFacts,
  rows: Int32Array,
  margins: Float64Array,
  gradients: Float64Array,
  hessians: Float64Array,
): void {
  const { loss, target, rowWeights } = facts;
  if (loss === "squared") {
    for (const row of rows) {
      gradients[row] = margins[row]! - target[row]!;
      hessians[row] = 1;
    }
  } else if (loss === "logistic") {
    for (const row of rows) {
      const probability = 1 / (1 + Math.exp(-margins[row]!));
      gradients[row] = probability - target[row]!;
      hessians[row] = Math.max(probability * (1 - probability), 1e-16);
    }
  } else if (loss === "poisson") {
    for (const row of rows) {
      gradients[row] = Math.exp(margins[row]!) - target[row]!;
      hessians[row] = Math.exp(margins[row]! + POISSON_MAX_STEP);
    }
  } else if (loss === "absolute") {
    for (const row of rows) {
      gradients[row] = Math.sign(margins[row]! - target[row]!);
      hessians[row] = 1;
    }
  } else if (loss === "quantile") {
    for (const row of rows) {
      gradients[row] = margins[row]! >= target[row]! ? 1 - facts.quantile : -facts.quantile;
      hessians[row] = 1;
    }
  } else softmaxGradients(target, rows, margins, gradients, hessians);
  if (rowWeights !== undefined) weigh(rowWeights, rows, gradients, hessians);
}

function softmaxGradients(
  target: Float64Array,
  rows: Int32Array,
  margins: Float64Array,
  gradients: Float64Array,
  hessians: Float64Array,
): void {
  const rowCount = target.length;
  for (const row of rows) {
    let highest = Number.NEGATIVE_INFINITY;
    for (let at = row; at < margins.length; at += rowCount) highest = Math.max(highest, margins[at]!);
    let sum = 0;
    for (let at = row; at < margins.length; at += rowCount) {
      gradients[at] = Math.exp(margins[at]! - highest);
      sum += gradients[at]!;
    }
    for (let at = row, k = 0; at < margins.length; at += rowCount, k++) {
      const probability = gradients[at]! / sum;
      gradients[at] = probability - (target[row] === k ? 1 : 0);
      // Twice the diagonal bounds the full Hessian; XGBoost does the same.
      hessians[at] = Math.max(2 * probability * (1 - probability), 1e-16);
    }
  }
}

function weigh(rowWeights: Float64Array, rows: Int32Array, gradients: Float64Array, hessians: Float64Array): void {
  for (let from = 0; from < gradients.length; from += rowWeights.length) {
    for (const row of rows) {
      gradients[from + row]! *= rowWeights[row]!;
      hessians[from + row]! *= rowWeights[row]!;
    }
  }
}

/**
 * What a leaf of such rows says, where the derivatives do not: its hessians say nothing of absolute errors, so XGBoost takes
 * the quantile of what is left. Undefined for the other losses.
 */
export function leafOfRows(facts: LossFacts, margins: Float64Array): ((rows: Int32Array) => number) | undefined {
  const { loss, target, rowWeights } = facts;
  if (loss !== "absolute" && loss !== "quantile") return undefined;
  return (rows) =>
    quantileOfLeaf(
      Float64Array.from(rows, (row) => target[row]! - margins[row]!),
      fractionOf(facts),
      rowWeights && Float64Array.from(rows, (row) => rowWeights[row]!),
    );
}

/** The mean loss of some rows, by which boosting stops early. */
export function meanLoss(facts: LossFacts, rows: Int32Array, margins: Float64Array): number {
  const { rowWeights } = facts;
  let loss = 0;
  let total = 0;
  for (const row of rows) {
    const weight = rowWeights === undefined ? 1 : rowWeights[row]!;
    loss += weight * lossOfRow(facts, margins, row);
    total += weight;
  }
  return loss / total;
}

function lossOfRow({ loss, quantile, target }: LossFacts, margins: Float64Array, row: number): number {
  const margin = margins[row]!;
  const value = target[row]!;
  if (loss === "squared") return (margin - value) ** 2;
  if (loss === "logistic") return Math.max(margin, 0) - margin * value + Math.log1p(Math.exp(-Math.abs(margin)));
  // Half the deviance, which is never below 0: by shares of it boosting sees what is better.
  if (loss === "poisson") return Math.exp(margin) - value * (1 + margin) + (value > 0 ? value * Math.log(value) : 0);
  if (loss === "absolute") return Math.abs(margin - value);
  if (loss === "quantile") return margin >= value ? (1 - quantile) * (margin - value) : quantile * (value - margin);
  const rowCount = target.length;
  let highest = Number.NEGATIVE_INFINITY;
  for (let at = row; at < margins.length; at += rowCount) highest = Math.max(highest, margins[at]!);
  let sum = 0;
  for (let at = row; at < margins.length; at += rowCount) sum += Math.exp(margins[at]! - highest);
  return Math.log(sum) + highest - margins[value * rowCount + row]!;
}
