// Over 300 lines: the growing of a tree shares its scratch memory in one closure, and the losses belong beside it.
import { type Bins, binColumns } from "./feature-bins.ts";
import type { Loss } from "./linear-problem.ts";

/** The task of the tree trainer: features column by column, NaN where missing. */
export interface TreesFit {
  readonly columns: readonly Float32Array[];
  /** The value, or the number of the class. */
  readonly target: Float64Array;
  readonly loss: Loss;
  /** Outputs, and trees of a round: 1 for squared and logistic, else the number of classes. */
  readonly outputs: number;
  /** Places to learn from, and places to stop early by (may be empty: then all rounds are kept). */
  readonly fitRows: Int32Array;
  readonly validationRows: Int32Array;
  readonly rounds: number;
  readonly maxDepth: number;
  readonly learningRate: number;
  readonly earlyStoppingRounds: number;
  readonly minChildWeight: number;
  readonly lambda: number;
}

/** A tree in flat arrays, node 0 the root; `feature` is -1 at a leaf, whose value stands in `threshold`. */
export interface Tree {
  readonly feature: number[];
  /** A value below it goes left. */
  readonly threshold: number[];
  readonly left: number[];
  readonly right: number[];
  readonly parent: number[];
  readonly missingGoesLeft: number[];
  readonly gain: number[];
  readonly weight: number[];
  readonly hessian: number[];
}

/** The trees, round by round and in a round output by output, and the margin they start from. */
export interface BoostedTrees {
  readonly trees: readonly Tree[];
  readonly baseMargin: number;
  /** Gain summed by feature, over all trees. */
  readonly gains: Float64Array;
}

/** Histogram gradient boosting, second order, depth-limited. Pure and deterministic: no sampling. */
export function fitBoostedTrees(fit: TreesFit, onProgress: (fraction: number) => void): BoostedTrees {
  const start = startingPoint(fit);
  const { rows: rowCount, target, scale } = start;
  const { outputs } = fit;
  const margins = new Float64Array(rowCount * outputs);
  for (let k = 0; k < outputs; k++) margins.fill(start.margins[k]!, k * rowCount, (k + 1) * rowCount);
  const grower = makeGrower(fit, binColumns(fit.columns, fit.fitRows));
  const gradients = new Float64Array(rowCount * outputs);
  const hessians = new Float64Array(rowCount * outputs);
  const trees: Tree[] = [];
  let bestLoss = Number.POSITIVE_INFINITY;
  let bestRounds = fit.rounds;
  for (let round = 1; round <= fit.rounds; round++) {
    computeGradients(fit, target, margins, gradients, hessians);
    for (let k = 0; k < outputs; k++) {
      const from = k * rowCount;
      const tree = grower(
        gradients.subarray(from, from + rowCount),
        hessians.subarray(from, from + rowCount),
        margins.subarray(from, from + rowCount),
      );
      for (const row of fit.validationRows) margins[from + row]! += leafValue(tree, fit.columns, row);
      trees.push(tree);
    }
    onProgress(round / fit.rounds);
    if (fit.validationRows.length === 0) continue;
    const loss = validationLoss(fit, target, margins);
    if (loss < bestLoss * (1 - 1e-9)) {
      bestLoss = loss;
      bestRounds = round;
    } else if (round - bestRounds >= fit.earlyStoppingRounds) break;
  }
  trees.length = Math.min(trees.length, bestRounds * outputs);
  const gains = new Float64Array(fit.columns.length);
  for (const [place, tree] of trees.entries()) {
    for (let node = 0; node < tree.feature.length; node++) {
      if (tree.feature[node]! >= 0) gains[tree.feature[node]!]! += tree.gain[node]!;
      else {
        // XGBoost before 3.1 has one base score for all classes, so the first round's leaves carry the classes' shares.
        const share = fit.loss === "softmax" && place < outputs ? start.margins[place]! : 0;
        tree.threshold[node] = tree.threshold[node]! * scale + share;
        tree.weight[node] = tree.weight[node]! * scale + share;
      }
    }
  }
  return { trees, baseMargin: start.baseMargin, gains };
}

function startingPoint(fit: TreesFit) {
  const rows = fit.target.length;
  const { fitRows, outputs } = fit;
  let mean = 0;
  for (let i = 0; i < fitRows.length; i++) mean += (fit.target[fitRows[i]!]! - mean) / (i + 1);
  if (fit.loss === "squared") {
    let squares = 0;
    for (const row of fitRows) squares += (fit.target[row]! - mean) ** 2;
    // Standardised, or the smallest gain worth a split would depend on the target's unit.
    const scale = Math.sqrt(squares / fitRows.length) || 1;
    const baseMargin = Math.fround(mean);
    const target = Float64Array.from(fit.target, (value) => (value - baseMargin) / scale);
    return { rows, target, scale, margins: [0], baseMargin };
  }
  if (fit.loss === "logistic") {
    const share = Math.min(Math.max(mean, 1e-6), 1 - 1e-6);
    const baseMargin = Math.log(share / (1 - share));
    return { rows, target: fit.target, scale: 1, margins: [baseMargin], baseMargin };
  }
  const counts = new Float64Array(outputs);
  for (const row of fitRows) counts[fit.target[row]!]!++;
  const margins = Array.from(counts, (count) => Math.log((count + 0.5) / (fitRows.length + 0.5 * outputs)));
  return { rows, target: fit.target, scale: 1, margins, baseMargin: 0 };
}

function computeGradients(
  fit: TreesFit,
  target: Float64Array,
  margins: Float64Array,
  gradients: Float64Array,
  hessians: Float64Array,
): void {
  const rowCount = target.length;
  if (fit.loss === "squared") {
    for (const row of fit.fitRows) {
      gradients[row] = margins[row]! - target[row]!;
      hessians[row] = 1;
    }
  } else if (fit.loss === "logistic") {
    for (const row of fit.fitRows) {
      const probability = 1 / (1 + Math.exp(-margins[row]!));
      gradients[row] = probability - target[row]!;
      hessians[row] = Math.max(probability * (1 - probability), 1e-16);
    }
  } else {
    for (const row of fit.fitRows) {
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
}

function validationLoss(fit: TreesFit, target: Float64Array, margins: Float64Array): number {
  const rowCount = target.length;
  let loss = 0;
  for (const row of fit.validationRows) {
    const margin = margins[row]!;
    if (fit.loss === "squared") loss += (margin - target[row]!) ** 2;
    else if (fit.loss === "logistic") {
      loss += Math.max(margin, 0) - margin * target[row]! + Math.log1p(Math.exp(-Math.abs(margin)));
    } else {
      let highest = Number.NEGATIVE_INFINITY;
      for (let at = row; at < margins.length; at += rowCount) highest = Math.max(highest, margins[at]!);
      let sum = 0;
      for (let at = row; at < margins.length; at += rowCount) sum += Math.exp(margins[at]! - highest);
      loss += Math.log(sum) + highest - margins[target[row]! * rowCount + row]!;
    }
  }
  return loss / fit.validationRows.length;
}

function leafValue(tree: Tree, columns: readonly Float32Array[], row: number): number {
  let node = 0;
  while (tree.feature[node]! >= 0) {
    const value = columns[tree.feature[node]!]![row]!;
    const goesLeft = Number.isNaN(value) ? tree.missingGoesLeft[node] === 1 : value < tree.threshold[node]!;
    node = goesLeft ? tree.left[node]! : tree.right[node]!;
  }
  return tree.threshold[node]!;
}

interface Split {
  gain: number;
  feature: number;
  /** Bins below it go left. */
  bin: number;
  missingGoesLeft: boolean;
}

type Grower = (gradients: Float64Array, hessians: Float64Array, margins: Float64Array) => Tree;

/** Keeps the scratch memory; grows one tree a call and adds its leaves to the margins of the rows it learned from. */
function makeGrower(fit: TreesFit, bins: Bins): Grower {
  const { maxDepth, minChildWeight, lambda, learningRate, fitRows } = fit;
  const featureCount = fit.columns.length;
  const rows = new Int32Array(fitRows.length);
  const scratch = new Int32Array(fitRows.length);
  const nodeGradients = new Float64Array(fitRows.length);
  const nodeHessians = new Float64Array(fitRows.length);
  const histogramPool = Array.from({ length: maxDepth + 1 }, () => new Float64Array(2 * bins.total));

  function fillHistogram(
    histogram: Float64Array,
    start: number,
    end: number,
    gradients: Float64Array,
    hessians: Float64Array,
  ): void {
    histogram.fill(0);
    for (let i = start; i < end; i++) {
      nodeGradients[i] = gradients[rows[i]!]!;
      nodeHessians[i] = hessians[rows[i]!]!;
    }
    for (let feature = 0; feature < featureCount; feature++) {
      addFeature(histogram, bins.ofFeature[feature]!, 2 * bins.offsets[feature]!, start, end);
    }
  }

  function addFeature(histogram: Float64Array, binOf: Uint8Array, offset: number, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      const at = offset + 2 * binOf[rows[i]!]!;
      histogram[at]! += nodeGradients[i]!;
      histogram[at + 1]! += nodeHessians[i]!;
    }
  }

  function findSplit(histogram: Float64Array, gradient: number, hessian: number): Split {
    const best: Split = { gain: 1e-6, feature: -1, bin: 0, missingGoesLeft: false };
    const whole = (gradient * gradient) / (hessian + lambda);
    for (let feature = 0; feature < featureCount; feature++) {
      const offset = 2 * bins.offsets[feature]!;
      const count = bins.thresholds[feature]!.length;
      const missingGradient = histogram[offset + 2 * count]!;
      const missingHessian = histogram[offset + 2 * count + 1]!;
      const hasMissing = missingHessian > 1e-12;
      let leftGradient = 0;
      let leftHessian = 0;
      for (let bin = 0; bin < count; bin++) {
        for (let side = hasMissing ? 1 : 0; side >= 0; side--) {
          const gradientLeft = leftGradient + (side === 1 ? missingGradient : 0);
          const hessianLeft = leftHessian + (side === 1 ? missingHessian : 0);
          const hessianRight = hessian - hessianLeft;
          if (hessianLeft < minChildWeight || hessianRight < minChildWeight) continue;
          const gradientRight = gradient - gradientLeft;
          const gain =
            (gradientLeft * gradientLeft) / (hessianLeft + lambda) +
            (gradientRight * gradientRight) / (hessianRight + lambda) -
            whole;
          if (gain > best.gain) {
            best.gain = gain;
            best.feature = feature;
            best.bin = bin;
            // Where none was missing here, a missing value goes with the heavier side.
            best.missingGoesLeft = hasMissing ? side === 1 : hessianLeft > hessianRight;
          }
        }
        leftGradient += histogram[offset + 2 * bin]!;
        leftHessian += histogram[offset + 2 * bin + 1]!;
      }
    }
    return best;
  }

  /** Left rows to the front, both sides in their old order; answers where the right ones begin. */
  function partition(start: number, end: number, split: Split): number {
    const binOf = bins.ofFeature[split.feature]!;
    const missingBin = bins.thresholds[split.feature]!.length;
    let front = start;
    let behind = 0;
    for (let i = start; i < end; i++) {
      const row = rows[i]!;
      const bin = binOf[row]!;
      if (bin === missingBin ? split.missingGoesLeft : bin < split.bin) rows[front++] = row;
      else scratch[behind++] = row;
    }
    rows.set(scratch.subarray(0, behind), front);
    return front;
  }

  return (gradients, hessians, margins) => {
    const tree: Tree = {
      feature: [],
      threshold: [],
      left: [],
      right: [],
      parent: [],
      missingGoesLeft: [],
      gain: [],
      weight: [],
      hessian: [],
    };

    function addNode(parent: number): number {
      for (const field of [tree.threshold, tree.missingGoesLeft, tree.gain, tree.weight, tree.hessian]) field.push(0);
      tree.left.push(-1);
      tree.right.push(-1);
      tree.parent.push(parent);
      return tree.feature.push(-1) - 1;
    }

    function grow(node: number, depth: number, start: number, end: number, histogram: Float64Array | undefined): void {
      let gradient = 0;
      let hessian = 0;
      for (let i = start; i < end; i++) {
        gradient += gradients[rows[i]!]!;
        hessian += hessians[rows[i]!]!;
      }
      const value = hessian + lambda > 0 ? (-gradient / (hessian + lambda)) * learningRate : 0;
      tree.weight[node] = value;
      tree.hessian[node] = hessian;
      const split = histogram === undefined ? undefined : findSplit(histogram, gradient, hessian);
      const middle = split === undefined || split.feature < 0 ? start : partition(start, end, split);
      // With a minimum child weight of 0, rounding in the histograms may offer a split that leaves a side empty.
      if (split === undefined || histogram === undefined || middle === start || middle === end) {
        tree.threshold[node] = value;
        for (let i = start; i < end; i++) margins[rows[i]!]! += value;
        return;
      }
      tree.feature[node] = split.feature;
      tree.threshold[node] = bins.thresholds[split.feature]![split.bin]!;
      tree.missingGoesLeft[node] = split.missingGoesLeft ? 1 : 0;
      tree.gain[node] = split.gain;
      const left = addNode(node);
      const right = addNode(node);
      tree.left[node] = left;
      tree.right[node] = right;
      if (depth + 1 >= maxDepth) {
        grow(left, depth + 1, start, middle, undefined);
        grow(right, depth + 1, middle, end, undefined);
        return;
      }
      // Only the smaller side is counted; the other is the parent's minus it, in the parent's own memory.
      const smallerIsLeft = middle - start <= end - middle;
      const smaller = histogramPool[depth + 1]!;
      if (smallerIsLeft) fillHistogram(smaller, start, middle, gradients, hessians);
      else fillHistogram(smaller, middle, end, gradients, hessians);
      for (let i = 0; i < histogram.length; i++) histogram[i]! -= smaller[i]!;
      // Level d+1's memory keeps the smaller side until its turn: the larger side's children use level d+2's and deeper.
      if (smallerIsLeft) {
        grow(right, depth + 1, middle, end, histogram);
        grow(left, depth + 1, start, middle, smaller);
      } else {
        grow(left, depth + 1, start, middle, histogram);
        grow(right, depth + 1, middle, end, smaller);
      }
    }

    rows.set(fitRows);
    const root = addNode(2147483647);
    if (maxDepth === 0) grow(root, 0, 0, rows.length, undefined);
    else {
      const histogram = histogramPool[0]!;
      fillHistogram(histogram, 0, rows.length, gradients, hessians);
      grow(root, 0, 0, rows.length, histogram);
    }
    return tree;
  };
}
