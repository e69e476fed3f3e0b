import type { ScoredClasses } from "./evaluate-classes.ts";
import type { ScoredNumbers } from "./evaluate-numbers.ts";
import type { Interval, Intervals } from "./model-metrics.ts";
import { quantileOf } from "./quantile-of.ts";
import { seededRandom } from "./split-rows.ts";

/** Enough for the ends, which are about the 13th values from each; fewer where there are many rows, which tell nearly the same. */
const mostResamples = 500;
const leastResamples = 250;
/** Rows of all resamples together: 0.4 s (docs/performance.md). */
const workRows = 6_250_000;
/** More rows are not drawn from: intervals are as wide as of so many then, which is wider than they should be. */
const mostRows = workRows / leastResamples;

/** What rows were measured to. */
export type Scored = ScoredClasses | ScoredNumbers;

/**
 * Places of as many rows as are drawn from, evenly among all, in their order; undefined where these are all.
 * @param seed the same gives the same places
 */
export function placesToDraw(rowCount: number, seed: number): Int32Array | undefined {
  if (rowCount <= mostRows) return undefined;
  const random = seededRandom(seed);
  return Int32Array.from({ length: mostRows }, (_, at) => Math.floor(((at + random()) * rowCount) / mostRows));
}

/**
 * Intervals in which 95 of 100 such measurements would lie: held-out rows are drawn again and again, as many as there are, with
 * replacement, and scored (percentile bootstrap). Each has what was measured in it, also where all draws lie beside it.
 * @param score of rows, by how often each was drawn
 * @param measured what it says of all held-out rows
 * @param seed the same gives the same intervals
 */
export function intervalsOf(
  rowCount: number,
  score: (weights: Uint16Array) => Scored,
  measured: Scored,
  seed: number,
): Intervals {
  const random = seededRandom(seed);
  const resamples = Math.min(mostResamples, Math.max(leastResamples, Math.floor(workRows / rowCount)));
  const draws = Array.from({ length: resamples }, () => {
    const weights = new Uint16Array(rowCount);
    for (let draw = 0; draw < rowCount; draw++) weights[Math.floor(random() * rowCount)]! += 1;
    return numbersOf(score(weights));
  });
  const { all, positive } = numbersOf(measured);
  const flat = around(
    all,
    draws.map((draw) => draw.all),
  );
  if (positive === undefined) return flat;
  return {
    ...flat,
    positive: around(
      positive,
      draws.map((draw) => draw.positive ?? {}),
    ),
  };
}

type Numbers = Readonly<Record<string, number | undefined>>;

/** The metrics that are no counts: all rows', and the positive class's where there is one. */
export function numbersOf({ metrics, relativeError }: Pick<Scored, "metrics" | "relativeError">): {
  all: Numbers;
  positive?: Numbers;
} {
  const { positive, ...all } = { ...metrics, relativeError };
  if (positive === undefined) return { all };
  const { precision, recall, f1 } = positive;
  return { all, positive: { precision, recall, f1 } };
}

/** Of each number the interval of its draws; those that could not be measured on some draw are left out of it. */
function around(measured: Numbers, draws: readonly Numbers[]): Record<string, Interval> {
  const intervals: Record<string, Interval> = {};
  for (const [name, value] of Object.entries(measured)) {
    if (value === undefined) continue;
    const sorted = Float64Array.from(draws.flatMap((draw) => draw[name] ?? [])).sort();
    const [low, high] = sorted.length === 0 ? [value, value] : [quantileOf(sorted, 0.025), quantileOf(sorted, 0.975)];
    intervals[name] = [Math.min(low, value), Math.max(high, value)];
  }
  return intervals;
}
