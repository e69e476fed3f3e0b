/** A quantile of values in order; between two of them in its distance to each, as numpy has it. */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const value = sorted[below]!;
  return value + ((sorted[below + 1] ?? value) - value) * (at - below);
}
