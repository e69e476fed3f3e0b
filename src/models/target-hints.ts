import { sharesOf } from "./class-chances.ts";

/** What there is to know of a target before its metrics are believed. */
export type TargetHint =
  | {
      readonly code: "TARGET_IMBALANCED";
      /** The most frequent class, and its share of the rows that were learnt from. */
      readonly class: string;
      readonly share: number;
      readonly classes: number;
    }
  | { readonly code: "TARGET_FEW_COUNTS"; readonly distinct: number; readonly most: number };

/** From this share of one class on, whoever says nothing else is right 19 times of 20. */
const largeShare = 0.95;
/** Whole numbers of so few values are rather counts or grades than a quantity. */
const fewValues = 30;

/**
 * Looks at a target that was learnt from.
 * @param target by row the value, or the number of the class
 */
export function hintsOfTarget(target: Float64Array, classes: readonly string[] | undefined): TargetHint[] {
  if (classes !== undefined) {
    const shares = sharesOf(target, classes.length);
    const share = Math.max(...shares);
    if (share < largeShare) return [];
    return [{ code: "TARGET_IMBALANCED", class: classes[shares.indexOf(share)]!, share, classes: classes.length }];
  }
  const values = new Set<number>();
  for (const value of target) {
    if (!Number.isInteger(value) || value < 0) return [];
    values.add(value);
    if (values.size > fewValues) return [];
  }
  return [{ code: "TARGET_FEW_COUNTS", distinct: values.size, most: Math.max(...values) }];
}
