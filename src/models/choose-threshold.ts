import { risingOrder } from "./in-order.ts";

/** What a wrong answer costs, in any unit: only their ratio counts. */
export interface ErrorCosts {
  /** Of a row that is said to be of the positive class and is not. */
  readonly falsePositive: number;
  /** Of one that is of it and is not said to be. */
  readonly falseNegative: number;
}

/** By what a threshold is chosen. */
export type ThresholdAim = "f1" | ErrorCosts;

/**
 * The threshold that does best on these rows, half-way between the chances that it parts; of equally good ones the nearest to
 * a half. A chance that reaches it is enough.
 * @param isPositive by row
 * @param chances of the positive class, by row; some row is of it
 */
export function chooseThreshold(aim: ThresholdAim, isPositive: ArrayLike<boolean>, chances: Float64Array): number {
  const order = risingOrder(chances).reverse();
  const positives = order.reduce((sum, row) => sum + Number(isPositive[row]), 0);
  const badness = (found: number, said: number): number =>
    aim === "f1"
      ? -(2 * found) / (said + positives)
      : aim.falsePositive * (said - found) + aim.falseNegative * (positives - found);
  const best = { threshold: 1, badness: Number.POSITIVE_INFINITY };
  let found = 0;
  for (let said = 0; said <= order.length; said++) {
    if (said > 0) found += Number(isPositive[order[said - 1]!]);
    const upper = chances[order[said - 1]!] ?? 1;
    const threshold = said === order.length ? upper / 2 : between(upper, chances[order[said]!]!);
    if (threshold === undefined) continue;
    const each = badness(found, said);
    const isNearer = Math.abs(threshold - 0.5) < Math.abs(best.threshold - 0.5);
    if (each < best.badness || (each === best.badness && isNearer)) Object.assign(best, { threshold, badness: each });
  }
  return best.threshold;
}

/** A threshold that the upper one reaches and the lower one does not; undefined where they are the same. */
function between(upper: number, lower: number): number | undefined {
  if (upper === lower) return undefined;
  const middle = (upper + lower) / 2;
  // Of neighbours among the floats the middle is one of the two.
  return middle > lower ? middle : upper;
}
