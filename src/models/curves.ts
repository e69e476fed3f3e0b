import type { Calibration, Curves, PrecisionRecallCurve, RocCurve } from "./model-metrics.ts";
import { quantileOf } from "./quantile-of.ts";
import type { RatedRows } from "./rated-rows.ts";

/** More points than a picture shows. */
const mostPoints = 100;
const calibrationBins = 10;

/** How many rows of the class, and of the other, have at least each of the chances that there are, from the highest on. */
interface Cumulated {
  readonly chances: readonly number[];
  readonly positives: readonly number[];
  readonly others: readonly number[];
}

/** The curves of the positive class, as scikit-learn draws them, thinned where they have many points; undefined where there is none. */
export function curvesOf({ actual, positive }: RatedRows): Curves | undefined {
  if (positive === undefined) return undefined;
  const isPositive = Uint8Array.from(actual, (k) => (k === positive.index ? 1 : 0));
  const cumulated = cumulate(isPositive, positive.chances);
  const hasPositives = cumulated.positives.at(-1)! > 0;
  return {
    ...(hasPositives && cumulated.others.at(-1)! > 0 ? { roc: rocOf(cumulated) } : {}),
    ...(hasPositives ? { precisionRecall: precisionRecallOf(cumulated) } : {}),
    calibration: calibrationOf(isPositive, positive.chances),
  };
}

function cumulate(isPositive: Uint8Array, falling: Float64Array): Cumulated {
  const chances: number[] = [];
  const positives: number[] = [];
  const others: number[] = [];
  let found = 0;
  for (let row = 0; row < falling.length; row++) {
    found += isPositive[row]!;
    if (falling[row] === falling[row + 1]) continue;
    chances.push(falling[row]!);
    positives.push(found);
    others.push(row + 1 - found);
  }
  return { chances, positives, others };
}

function rocOf({ chances, positives, others }: Cumulated): RocCurve {
  const last = chances.length - 1;
  const bends = (counts: readonly number[], at: number): boolean =>
    counts[at + 1]! - counts[at]! !== counts[at]! - counts[at - 1]!;
  // Points on a straight line between their neighbours say nothing: scikit-learn's drop_intermediate.
  const corners = [...chances.keys()].filter(
    (at) => at === 0 || at === last || bends(positives, at) || bends(others, at),
  );
  const places = thin(corners, (at) => positives[at]! / positives[last]! + others[at]! / others[last]!, mostPoints - 1);
  return {
    fpr: [0, ...places.map((at) => rounded(others[at]! / others[last]!))],
    tpr: [0, ...places.map((at) => rounded(positives[at]! / positives[last]!))],
    thresholds: [null, ...places.map((at) => rounded(chances[at]!))],
  };
}

function precisionRecallOf({ chances, positives, others }: Cumulated): PrecisionRecallCurve {
  const most = positives.at(-1)!;
  const places = thin([...chances.keys()], (at) => positives[at]! / most, mostPoints - 1).reverse();
  return {
    precision: [...places.map((at) => rounded(positives[at]! / (positives[at]! + others[at]!))), 1],
    recall: [...places.map((at) => rounded(positives[at]! / most)), 0],
    thresholds: places.map((at) => rounded(chances[at]!)),
  };
}

/**
 * Of many places those that are first to come to each of equally many steps, and the last.
 * @param positionOf never falls
 */
function thin(places: readonly number[], positionOf: (place: number) => number, most: number): number[] {
  if (places.length <= most) return [...places];
  const first = positionOf(places[0]!);
  const step = (positionOf(places.at(-1)!) - first) / (most - 1);
  let next = 0;
  const kept = places.slice(0, -1).filter((place) => {
    const steps = (positionOf(place) - first) / step;
    if (steps < next) return false;
    next = Math.floor(steps) + 1;
    return true;
  });
  return [...kept, places.at(-1)!];
}

/** Bins of as many rows each, by quantiles: with a rare class nearly all chances are in the first of ten that are equally wide. */
function calibrationOf(isPositive: Uint8Array, falling: Float64Array): Calibration {
  const edges = Array.from({ length: calibrationBins - 1 }, (_, at) =>
    quantileOf(falling, 1 - (at + 1) / calibrationBins),
  );
  const sums = Array.from({ length: calibrationBins }, () => ({ count: 0, positives: 0, chances: 0 }));
  for (const [row, chance] of falling.entries()) {
    const bin = sums[edges.filter((edge) => edge < chance).length]!;
    bin.count += 1;
    bin.positives += isPositive[row]!;
    bin.chances += chance;
  }
  const bins = sums.filter(({ count }) => count > 0);
  return {
    probTrue: bins.map(({ positives, count }) => rounded(positives / count)),
    probPred: bins.map(({ chances, count }) => rounded(chances / count)),
    counts: bins.map(({ count }) => count),
  };
}

/** Six digits are more than a picture shows, and half of what a run would take. */
const rounded = (value: number): number => Number(value.toPrecision(6));
