import type { ColumnProfile } from "../api/answers.ts";
import type { Bar } from "./quality.ts";

/** A bin of a histogram: its share of the highest one, and what it holds. */
export interface Bin {
  readonly from: number | string;
  readonly to: number | string;
  readonly count: number;
  readonly height: number;
}

/** The bins of a column of numbers, dates or times; none where it has no histogram. */
export function binsOf({ histogram }: Pick<ColumnProfile, "histogram">): Bin[] {
  if (histogram === undefined) return [];
  const { binEdges, counts } = histogram;
  const highest = Math.max(1, ...counts);
  return counts.map((count, place) => ({
    from: binEdges[place]!,
    to: binEdges[place + 1]!,
    count,
    height: count / highest,
  }));
}

/** The most frequent values; none where each stands once, since then they say nothing. */
export function frequentBars({ topValues }: Pick<ColumnProfile, "topValues">, most: number): Bar[] {
  const highest = Math.max(0, ...topValues.map(({ count }) => count));
  if (highest <= 1) return [];
  return topValues.slice(0, most).map(({ value, count }) => ({ name: value, value: count, length: count / highest }));
}
