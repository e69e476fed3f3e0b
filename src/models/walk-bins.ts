import type { Bins } from "./feature-bins.ts";
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
  const features = Int32Array.from(tree.feature);
  const lefts = Int32Array.from(tree.left);
  const rights = Int32Array.from(tree.right);
  const binOf = features.map((feature, node) =>
    feature < 0 ? 0 : bins.thresholds[feature]!.indexOf(tree.threshold[node]!),
  );
  const goesLeft = (node: number, row: number): boolean => {
    const feature = features[node]!;
    const bin = bins.ofFeature[feature]![row]!;
    if (bin === bins.thresholds[feature]!.length) return tree.missingGoesLeft[node] === 1;
    // Below the least that was learnt from there is no bin.
    if (binOf[node] === 0) return floatAt(columns[feature]!, row) < tree.threshold[node]!;
    return bin < binOf[node]!;
  };
  for (const row of rows) {
    let node = 0;
    while (features[node]! >= 0) node = goesLeft(node, row) ? lefts[node]! : rights[node]!;
    margins[row]! += tree.threshold[node]!;
  }
}
