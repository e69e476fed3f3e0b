import { numbersAt, placesOf, risingOrder } from "./in-order.ts";
import type { QualityMetrics, Residuals } from "./model-metrics.ts";
import { quantileOf } from "./quantile-of.ts";

/** What the held-out rows of a regression really are, and what was said of them. */
export interface NumberEvaluation {
  readonly task: "regression";
  readonly actual: ArrayLike<number>;
  readonly predicted: Float64Array;
  /** Mean of the training rows: what the baseline says. */
  readonly mean: number;
}

/** Held-out rows of numbers, the nearest to the truth first: ready to be counted with any weights. */
export interface MeasuredRows {
  /** How far off what was said is. */
  readonly distances: Float64Array;
  /** How far off the baseline is. */
  readonly naiveDistances: Float64Array;
  /** What is, less the mean of what is in these rows: sums of squares of large numbers that are alike would lose all digits. */
  readonly deviations: Float64Array;
  /** Distance by what is; absent where that would say nothing. */
  readonly shares?: Float64Array | undefined;
}

/** Metrics of numbers. */
export interface ScoredNumbers {
  readonly metrics: QualityMetrics;
  /** RMSE divided by the baseline's. */
  readonly relativeError?: number;
}

/** Nearer to 0 than this share of the median, an actual value would decide the mean percentage error alone. */
const leastOfMedian = 0.01;
/** A variation that is no more than this of the sum of squares is rounding. */
const variationNoise = 1e-12;

/** Measures each row. */
export function measureRows({ actual, predicted, mean }: NumberEvaluation): MeasuredRows {
  const distances = numbersAt(placesOf(actual.length), (row) => Math.abs(predicted[row]! - actual[row]!));
  const order = risingOrder(distances);
  const middle = meanOf(actual);
  return {
    distances: numbersAt(order, (row) => distances[row]!),
    naiveDistances: numbersAt(order, (row) => Math.abs(mean - actual[row]!)),
    deviations: numbersAt(order, (row) => actual[row]! - middle),
    shares: isFarFromZero(actual) ? numbersAt(order, (row) => distances[row]! / Math.abs(actual[row]!)) : undefined,
  };
}

/** The same rows as the baseline says them. */
export function measureNaively(evaluation: NumberEvaluation): MeasuredRows {
  return measureRows({ ...evaluation, predicted: new Float64Array(evaluation.predicted.length).fill(evaluation.mean) });
}

/** Some of them, in their order. */
export function pickMeasured(rows: MeasuredRows, places: Int32Array): MeasuredRows {
  const pick = (numbers: Float64Array): Float64Array => numbersAt(places, (row) => numbers[row]!);
  return {
    distances: pick(rows.distances),
    naiveDistances: pick(rows.naiveDistances),
    deviations: pick(rows.deviations),
    shares: rows.shares && pick(rows.shares),
  };
}

/**
 * What measured rows come to, in scikit-learn's definitions.
 * @param weights how often each row counts, in whole numbers; at least one does
 */
export function scoreNumbers(rows: MeasuredRows, weights: ArrayLike<number>): ScoredNumbers {
  const { distances, naiveDistances, deviations, shares } = rows;
  let total = 0;
  let sum = 0;
  let squares = 0;
  let naiveSquares = 0;
  let deviationSum = 0;
  let deviationSquares = 0;
  let shareSum = 0;
  for (let row = 0; row < distances.length; row++) {
    const weight = weights[row]!;
    if (weight === 0) continue;
    total += weight;
    sum += weight * distances[row]!;
    squares += weight * distances[row]! ** 2;
    naiveSquares += weight * naiveDistances[row]! ** 2;
    deviationSum += weight * deviations[row]!;
    deviationSquares += weight * deviations[row]! ** 2;
    if (shares !== undefined) shareSum += weight * shares[row]!;
  }
  const variation = deviationSquares - deviationSum ** 2 / total;
  const mse = squares / total;
  return {
    metrics: {
      ...(variation > variationNoise * deviationSquares ? { r2: 1 - squares / variation } : {}),
      mse,
      rmse: Math.sqrt(mse),
      mae: sum / total,
      medianAbsoluteError: medianOf(distances, weights, total),
      ...(shares === undefined ? {} : { mape: shareSum / total }),
    },
    ...(naiveSquares > 0 ? { relativeError: Math.sqrt(squares / naiveSquares) } : {}),
  };
}

/** How far what is lies above what was said, by quantiles. */
export function residualsOf({ actual, predicted }: NumberEvaluation): Residuals {
  const sorted = predicted.map((value, row) => actual[row]! - value).sort();
  const at = (share: number): number => quantileOf(sorted, share);
  return { p5: at(0.05), p25: at(0.25), p50: at(0.5), p75: at(0.75), p95: at(0.95) };
}

/** The value in the middle, or the mean of the two. */
function medianOf(rising: Float64Array, weights: ArrayLike<number>, total: number): number {
  const lower = Math.floor((total - 1) / 2);
  let row = 0;
  let upTo = weights[0]!;
  while (upTo <= lower) upTo += weights[++row]!;
  const value = rising[row]!;
  if (total % 2 === 1 || upTo > lower + 1) return value;
  do row++;
  while (weights[row] === 0);
  return (value + rising[row]!) / 2;
}

function isFarFromZero(actual: ArrayLike<number>): boolean {
  const sizes = numbersAt(placesOf(actual.length), (row) => Math.abs(actual[row]!)).sort();
  return sizes[0]! > 0 && sizes[0]! >= leastOfMedian * quantileOf(sizes, 0.5);
}

function meanOf(values: ArrayLike<number>): number {
  let mean = 0;
  for (let row = 0; row < values.length; row++) mean += (values[row]! - mean) / (row + 1);
  return mean;
}
