import { type Bins, binsOfByte, markLeftBins } from "./feature-bins.ts";
import { boundsOfSides, findSplit, type LeafBounds, leafWeight, type Split, type SplitRules } from "./find-split.ts";
import { addNode, emptyTree, type Tree } from "./tree.ts";

/** What all trees of a model are grown by. */
export interface GrowerOptions {
  readonly bins: Bins;
  readonly rules: SplitRules;
  /** 1 or more. */
  readonly maxDepth: number;
  readonly learningRate: number;
  /** Most that a leaf value may be, before the learning rate. */
  readonly maxStep: number;
  /** How many rows a tree has at most. */
  readonly mostRows: number;
}

/** What one tree is grown from. */
export interface TreeTask {
  readonly rows: Int32Array;
  readonly features: Int32Array;
  readonly gradients: Float64Array;
  readonly hessians: Float64Array;
  /** The value of a leaf with such rows, before the learning rate; absent where gradients and hessians say it. */
  readonly leafOf?: ((rows: Int32Array) => number) | undefined;
}

/** Grows one tree a call, and adds its leaves to the margins of the rows that it learned from. */
type Grower = (task: TreeTask, margins: Float64Array) => Tree;

const NO_PARENT = 2147483647;
/** Rows whose gradients are brought into their order at once: they stay in a core's nearest cache while all features pass over them. */
const BLOCK_ROWS = 2048;

/** Keeps the scratch memory of all trees. */
export function makeGrower({ bins, rules, maxDepth, learningRate, maxStep, mostRows }: GrowerOptions): Grower {
  const rows = new Int32Array(mostRows);
  const scratch = new Int32Array(mostRows);
  const blockGradients = new Float64Array(BLOCK_ROWS);
  const blockHessians = new Float64Array(BLOCK_ROWS);
  const isLeft = new Uint8Array(binsOfByte);
  const histogramPool = Array.from({ length: maxDepth + 1 }, () => new Float64Array(2 * bins.total));

  /** Of features that share a list, one: in the histogram they share their sums, too. */
  const withListsOfTheirOwn = (features: Int32Array): Int32Array => {
    const counted = new Set<number>();
    return features.filter((feature) => {
      const isNew = !counted.has(bins.offsets[feature]!);
      counted.add(bins.offsets[feature]!);
      return isNew;
    });
  };

  function fillHistogram(
    histogram: Float64Array,
    start: number,
    end: number,
    { gradients, hessians }: TreeTask,
    features: Int32Array,
  ): void {
    histogram.fill(0);
    for (let from = start; from < end; from += BLOCK_ROWS) {
      const to = Math.min(end, from + BLOCK_ROWS);
      for (let i = from; i < to; i++) {
        blockGradients[i - from] = gradients[rows[i]!]!;
        blockHessians[i - from] = hessians[rows[i]!]!;
      }
      for (let at = 0; at < features.length; at++) {
        const feature = features[at]!;
        addFeature(histogram, bins.ofFeature[feature]!, 2 * bins.offsets[feature]!, from, to);
      }
    }
  }

  function addFeature(histogram: Float64Array, binOf: Uint8Array, offset: number, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      const at = offset + 2 * binOf[rows[i]!]!;
      histogram[at]! += blockGradients[i - start]!;
      histogram[at + 1]! += blockHessians[i - start]!;
    }
  }

  /** Left rows to the front, both sides in their old order; answers where the right ones begin. */
  function partition(start: number, end: number, split: Split): number {
    const binOf = bins.ofFeature[split.feature]!;
    markLeftBins(bins, split, isLeft);
    let front = start;
    let behind = 0;
    for (let i = start; i < end; i++) {
      const row = rows[i]!;
      if (isLeft[binOf[row]!] === 1) rows[front++] = row;
      else scratch[behind++] = row;
    }
    rows.set(scratch.subarray(0, behind), front);
    return front;
  }

  return (task, margins) => {
    const { gradients, hessians, leafOf } = task;
    const tree = emptyTree();
    const counted = withListsOfTheirOwn(task.features);

    function endInLeaf(node: number, start: number, end: number): void {
      // Of an empty table there is nothing to take a median of.
      if (leafOf !== undefined && end > start) tree.weight[node] = leafOf(rows.subarray(start, end)) * learningRate;
      const value = tree.weight[node]!;
      tree.threshold[node] = value;
      for (let i = start; i < end; i++) margins[rows[i]!]! += value;
    }

    function grow(
      node: number,
      depth: number,
      start: number,
      end: number,
      bounds: LeafBounds,
      histogram: Float64Array | undefined,
    ): void {
      let gradient = 0;
      let hessian = 0;
      for (let i = start; i < end; i++) {
        gradient += gradients[rows[i]!]!;
        hessian += hessians[rows[i]!]!;
      }
      const sums = { gradient, hessian, lower: bounds.lower, upper: bounds.upper };
      tree.weight[node] = leafWeight(sums, rules) * learningRate;
      tree.hessian[node] = hessian;
      const split = histogram === undefined ? undefined : findSplit(histogram, bins, task.features, sums, rules);
      const middle = split === undefined || split.feature < 0 ? start : partition(start, end, split);
      // With a minimum child weight of 0, rounding in the histograms may offer a split that leaves a side empty.
      if (split === undefined || histogram === undefined || middle === start || middle === end) {
        endInLeaf(node, start, end);
        return;
      }
      tree.feature[node] = split.feature;
      tree.threshold[node] = bins.thresholds[split.feature]![split.bin]!;
      tree.missingGoesLeft[node] = split.missingGoesLeft ? 1 : 0;
      tree.gain[node] = split.gain;
      const left = addNode(tree, node);
      const right = addNode(tree, node);
      tree.left[node] = left;
      tree.right[node] = right;
      const [leftBounds, rightBounds] = boundsOfSides(sums, split, rules);
      if (depth + 1 >= maxDepth) {
        grow(left, depth + 1, start, middle, leftBounds, undefined);
        grow(right, depth + 1, middle, end, rightBounds, undefined);
        return;
      }
      // Only the smaller side is counted; the other is the parent's minus it, in the parent's own memory.
      const smallerIsLeft = middle - start <= end - middle;
      const smaller = histogramPool[depth + 1]!;
      if (smallerIsLeft) fillHistogram(smaller, start, middle, task, counted);
      else fillHistogram(smaller, middle, end, task, counted);
      for (let i = 0; i < histogram.length; i++) histogram[i]! -= smaller[i]!;
      // Level d+1's memory keeps the smaller side until its turn: the larger side's children use level d+2's and deeper.
      if (smallerIsLeft) {
        grow(right, depth + 1, middle, end, rightBounds, histogram);
        grow(left, depth + 1, start, middle, leftBounds, smaller);
      } else {
        grow(left, depth + 1, start, middle, leftBounds, histogram);
        grow(right, depth + 1, middle, end, rightBounds, smaller);
      }
    }

    const count = task.rows.length;
    rows.set(task.rows);
    const root = addNode(tree, NO_PARENT);
    const bounds = { lower: -maxStep, upper: maxStep };
    const histogram = histogramPool[0]!;
    fillHistogram(histogram, 0, count, task, counted);
    grow(root, 0, 0, count, bounds, histogram);
    return tree;
  };
}
