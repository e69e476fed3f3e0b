import { type Bins, binsOfByte, markLeftBins } from "./feature-bins.ts";
import { type FeatureColumn, floatAt } from "./feature-column.ts";
import type { Tree } from "./tree.ts";

/**
 * Adds what a tree says of rows that it has not learnt from to their margins, by their bins: the same as by their numbers, which
 * would have to be held for it.
 */
export function addLeaves(
  tree: Tree,
  bins: Bins,
  columns: readonly FeatureColumn[],
  rows: Int32Array,
  margins: Float64Array,
): void {
  if (rows.length === 0) return;
  const features = Int32Array.from(tree.feature);
  const lefts = Int32Array.from(tree.left);
  const rights = Int32Array.from(tree.right);
  const binOf = features.map((feature, node) =>
    feature < 0 ? 0 : bins.thresholds[feature]!.indexOf(tree.threshold[node]!),
  );
  const isLeft = new Uint8Array(features.length * binsOfByte);
  for (const [node, feature] of features.entries()) {
    if (feature < 0) continue;
    const split = { feature, bin: binOf[node]!, missingGoesLeft: tree.missingGoesLeft[node] === 1 };
    markLeftBins(bins, split, isLeft.subarray(node * binsOfByte, (node + 1) * binsOfByte));
  }
  const goesLeft = (node: number, row: number): boolean => {
    const feature = features[node]!;
    const bin = bins.ofFeature[feature]![row]!;
    // Below the least that was learnt from there is no bin.
    if (binOf[node] === 0 && bin === 0) return floatAt(columns[feature]!, row) < tree.threshold[node]!;
    return isLeft[node * binsOfByte + bin] === 1;
  };
  for (const row of rows) {
    let node = 0;
    while (features[node]! >= 0) node = goesLeft(node, row) ? lefts[node]! : rights[node]!;
    margins[row]! += tree.threshold[node]!;
  }
}
