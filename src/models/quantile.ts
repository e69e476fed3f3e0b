/**
 * The quantile of some values as XGBoost takes it. Without weights: interpolated between its two neighbours, at
 * `fraction × (count + 1)`; with weights: the first value up to which that fraction of the weight lies.
 */
export function quantileOfLeaf(values: Float64Array, fraction: number, weights?: Float64Array): number {
  if (weights !== undefined) return weightedQuantile(values, fraction, weights);
  const sorted = values.toSorted();
  const count = sorted.length;
  if (fraction <= 1 / (count + 1)) return sorted[0]!;
  if (fraction >= count / (count + 1)) return sorted[count - 1]!;
  const place = fraction * (count + 1) - 1;
  const below = Math.floor(place);
  return sorted[below]! + (place - below) * (sorted[below + 1]! - sorted[below]!);
}

function weightedQuantile(values: Float64Array, fraction: number, weights: Float64Array): number {
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const wanted = fraction * weights.reduce((sum, weight) => sum + weight, 0);
  let reached = 0;
  for (const at of order) {
    reached += weights[at]!;
    if (reached >= wanted) return values[at]!;
  }
  return values[order.at(-1)!]!;
}
