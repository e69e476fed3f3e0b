import type { PositiveMetrics, QualityMetrics } from "./model-metrics.ts";
import type { RatedRows } from "./rated-rows.ts";

/** Metrics of classes, and the counts that they are of, by truth and answer. */
export interface ScoredClasses {
  readonly metrics: QualityMetrics;
  readonly counts: readonly (readonly number[])[];
  /** Log loss divided by the baseline's. */
  readonly relativeError?: number;
}

/**
 * What rated rows come to, in scikit-learn's definitions.
 * @param weights how often each row counts; at least one does
 */
export function scoreClasses(rows: RatedRows, weights: ArrayLike<number>): ScoredClasses {
  const { classes, actual, said, losses, naiveLosses, positive } = rows;
  const width = classes.length;
  const cells = new Float64Array(width * width);
  let total = 0;
  let loss = 0;
  let naiveLoss = 0;
  for (let row = 0; row < actual.length; row++) {
    const weight = weights[row]!;
    if (weight === 0) continue;
    cells[actual[row]! * width + said[row]!]! += weight;
    total += weight;
    loss += weight * losses[row]!;
    naiveLoss += weight * naiveLosses[row]!;
  }
  const counts = Array.from(classes, (_, k) => Array.from(cells.subarray(k * width, (k + 1) * width)));
  const metrics = { ...scoreCounts(counts, total), logLoss: loss / total };
  return {
    metrics: positive === undefined ? metrics : { ...metrics, ...scorePositive(rows, positive, counts, weights) },
    counts,
    ...(naiveLoss > 0 ? { relativeError: loss / naiveLoss } : {}),
  };
}

/** All that the confusion matrix tells. */
function scoreCounts(counts: readonly (readonly number[])[], total: number): QualityMetrics {
  let right = 0;
  let precision = 0;
  let recall = 0;
  let f1 = 0;
  let seen = 0;
  let inTruthSeen = 0;
  for (const [k, line] of counts.entries()) {
    const hits = line[k]!;
    const inTruth = line.reduce((sum, count) => sum + count, 0);
    const inAnswers = counts.reduce((sum, other) => sum + other[k]!, 0);
    right += hits;
    // A class that is neither in the held-out rows nor in the answers has nothing to average.
    if (inTruth + inAnswers === 0) continue;
    seen++;
    if (inTruth > 0) inTruthSeen++;
    precision += inAnswers === 0 ? 0 : hits / inAnswers;
    recall += inTruth === 0 ? 0 : hits / inTruth;
    f1 += (2 * hits) / (inTruth + inAnswers);
  }
  return {
    accuracy: right / total,
    balancedAccuracy: recall / inTruthSeen,
    precision: precision / seen,
    recall: recall / seen,
    f1: f1 / seen,
  };
}

function scorePositive(
  { classes, actual }: RatedRows,
  { index, chances }: NonNullable<RatedRows["positive"]>,
  counts: readonly (readonly number[])[],
  weights: ArrayLike<number>,
): QualityMetrics {
  let squares = 0;
  let positives = 0;
  let negatives = 0;
  let hits = 0;
  let others = 0;
  let pairs = 0;
  let precisions = 0;
  for (let row = 0; row < chances.length; row++) {
    const weight = weights[row]!;
    const chance = chances[row]!;
    if (weight !== 0) {
      if (actual[row] === index) {
        hits += weight;
        squares += weight * (1 - chance) ** 2;
      } else {
        others += weight;
        squares += weight * chance ** 2;
      }
    }
    // Rows of one chance are ranked together.
    if (chance === chances[row + 1]) continue;
    // Each of the others is ranked below all positives so far; ties count half.
    pairs += others * (positives + hits / 2);
    positives += hits;
    negatives += others;
    if (hits > 0) precisions += (hits * positives) / (positives + negatives);
    hits = 0;
    others = 0;
  }
  return {
    ...(positives > 0 && negatives > 0 ? { auc: pairs / (positives * negatives) } : {}),
    ...(positives > 0 ? { averagePrecision: precisions / positives } : {}),
    brier: squares / (positives + negatives),
    positive: positiveOf(classes[index]!, index, counts),
  };
}

function positiveOf(name: string, index: number, counts: readonly (readonly number[])[]): PositiveMetrics {
  const found = counts[index]![index]!;
  const support = found + counts[index]![1 - index]!;
  const predicted = found + counts[1 - index]![index]!;
  return {
    class: name,
    support,
    found,
    predicted,
    precision: predicted === 0 ? 0 : found / predicted,
    ...(support > 0 ? { recall: found / support, f1: (2 * found) / (support + predicted) } : {}),
  };
}
