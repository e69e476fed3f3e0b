import { sharesOf } from "./class-chances.ts";
import type { ConfusionMatrix } from "./model-metrics.ts";

/** What there is to know of a target before its metrics are believed. */
export type TargetHint =
  | {
      readonly code: "TARGET_IMBALANCED";
      /** The most frequent class, and its share of the rows that were learnt from. */
      readonly class: string;
      readonly share: number;
      readonly classes: number;
    }
  /** Classes that were learnt from, and that no row that was measured on is of. */
  | { readonly code: "TARGET_CLASS_NOT_MEASURED"; readonly classes: readonly string[] }
  | { readonly code: "TARGET_FEW_COUNTS"; readonly distinct: number; readonly most: number };

/** From this share of one class on, whoever says nothing else is right 19 times of 20. */
const largeShare = 0.95;
/** Whole numbers of so few values are rather counts or grades than a quantity. */
const fewValues = 30;

/**
 * Looks at a target that was learnt from.
 * @param target by row the value, or the number of the class
 * @param measured of classes, rows that were measured on
 */
export function hintsOfTarget(target: Float64Array, measured: ConfusionMatrix | undefined): TargetHint[] {
  if (measured !== undefined) return hintsOfClasses(target, measured);
  const values = new Set<number>();
  for (const value of target) {
    if (!Number.isInteger(value) || value < 0) return [];
    values.add(value);
    if (values.size > fewValues) return [];
  }
  return [{ code: "TARGET_FEW_COUNTS", distinct: values.size, most: Math.max(...values) }];
}

function hintsOfClasses(target: Float64Array, { classes, counts }: ConfusionMatrix): TargetHint[] {
  const hints: TargetHint[] = [];
  const shares = sharesOf(target, classes.length);
  const share = Math.max(...shares);
  if (share >= largeShare)
    hints.push({ code: "TARGET_IMBALANCED", class: classes[shares.indexOf(share)]!, share, classes: classes.length });
  const notMeasured = classes.filter((_, at) => shares[at]! > 0 && counts[at]!.every((count) => count === 0));
  if (notMeasured.length > 0) hints.push({ code: "TARGET_CLASS_NOT_MEASURED", classes: notMeasured });
  return hints;
}
