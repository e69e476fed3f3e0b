import type { TrainingTask } from "./model.ts";
import type { QualityMetrics, RunMetrics } from "./model-metrics.ts";

/** What the held-out rows really are, and what was said of them. */
export type Evaluation =
  | {
      readonly task: Extract<TrainingTask, "classification">;
      readonly classes: readonly string[];
      readonly actual: ArrayLike<number>;
      /** Chance of class k for row r at `r * classes + k`. */
      readonly probabilities: Float64Array;
      /** Share of each class among the training rows: what the baseline says. */
      readonly priors: readonly number[];
    }
  | {
      readonly task: Extract<TrainingTask, "regression">;
      readonly actual: ArrayLike<number>;
      readonly predicted: Float64Array;
      /** Mean of the training rows: what the baseline says. */
      readonly mean: number;
    };

/** Compares model and baseline on the held-out rows. */
export function evaluate(
  evaluation: Evaluation,
): Pick<RunMetrics, "baseline" | "confusionMatrix" | "relativeError"> & QualityMetrics {
  if (evaluation.task === "regression") {
    const { actual } = evaluation;
    const quality = evaluateNumbers(actual, evaluation.predicted);
    const baseline = evaluateNumbers(actual, new Float64Array(actual.length).fill(evaluation.mean));
    return { ...quality, baseline, ...ratio(quality.rmse, baseline.rmse) };
  }
  const { actual, classes, probabilities, priors } = evaluation;
  const { counts, ...quality } = evaluateClasses(actual, classes.length, probabilities);
  const guesses = new Float64Array(actual.length * classes.length);
  for (let at = 0; at < guesses.length; at++) guesses[at] = priors[at % classes.length]!;
  const { counts: _, ...baseline } = evaluateClasses(actual, classes.length, guesses);
  return { ...quality, baseline, confusionMatrix: { classes, counts }, ...ratio(quality.logLoss, baseline.logLoss) };
}

function ratio(error: number | undefined, baseline: number | undefined): { relativeError?: number } {
  return error === undefined || baseline === undefined || !(baseline > 0) ? {} : { relativeError: error / baseline };
}

function evaluateNumbers(actual: ArrayLike<number>, predicted: Float64Array): QualityMetrics {
  const count = actual.length;
  let mean = 0;
  for (let row = 0; row < count; row++) mean += (actual[row]! - mean) / (row + 1);
  let squares = 0;
  let distances = 0;
  let variation = 0;
  for (let row = 0; row < count; row++) {
    const error = predicted[row]! - actual[row]!;
    squares += error * error;
    distances += Math.abs(error);
    variation += (actual[row]! - mean) ** 2;
  }
  const mse = squares / count;
  return {
    ...(variation > 0 ? { r2: 1 - squares / variation } : {}),
    mse,
    rmse: Math.sqrt(mse),
    mae: distances / count,
  };
}

/** The most likely class of a row; the first of equals. */
export function likeliestClass(probabilities: ArrayLike<number>, from: number, classCount: number): number {
  let best = 0;
  for (let k = 1; k < classCount; k++) if (probabilities[from + k]! > probabilities[from + best]!) best = k;
  return best;
}

function evaluateClasses(actual: ArrayLike<number>, classCount: number, probabilities: Float64Array) {
  const rows = actual.length;
  const counts = Array.from({ length: classCount }, () => new Array<number>(classCount).fill(0));
  let logLoss = 0;
  let right = 0;
  for (let row = 0; row < rows; row++) {
    const truth = actual[row]!;
    const said = likeliestClass(probabilities, row * classCount, classCount);
    counts[truth]![said]!++;
    if (truth === said) right++;
    logLoss -= Math.log(Math.max(probabilities[row * classCount + truth]!, 1e-15)) / rows;
  }
  let precision = 0;
  let recall = 0;
  let f1 = 0;
  let seen = 0;
  for (let k = 0; k < classCount; k++) {
    const hits = counts[k]![k]!;
    const inTruth = counts[k]!.reduce((sum, count) => sum + count, 0);
    const inAnswers = counts.reduce((sum, line) => sum + line[k]!, 0);
    // A class that is neither in the held-out rows nor in the answers has nothing to average.
    if (inTruth + inAnswers === 0) continue;
    seen++;
    precision += inAnswers === 0 ? 0 : hits / inAnswers;
    recall += inTruth === 0 ? 0 : hits / inTruth;
    f1 += (2 * hits) / (inTruth + inAnswers);
  }
  const auc = classCount === 2 ? areaUnderCurve(actual, probabilities) : undefined;
  return {
    accuracy: right / rows,
    precision: precision / seen,
    recall: recall / seen,
    f1: f1 / seen,
    logLoss,
    ...(auc === undefined ? {} : { auc }),
    counts,
  };
}

/** The chance that a row of the second class is ranked above one of the first; ties count half. */
function areaUnderCurve(actual: ArrayLike<number>, probabilities: Float64Array): number | undefined {
  const order = Array.from({ length: actual.length }, (_, row) => row).sort(
    (a, b) => probabilities[2 * a + 1]! - probabilities[2 * b + 1]!,
  );
  let positives = 0;
  let rankSum = 0;
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    const value = probabilities[2 * order[start]! + 1]!;
    while (end < order.length && probabilities[2 * order[end]! + 1]! === value) end++;
    for (let place = start; place < end; place++) {
      if (actual[order[place]!] !== 1) continue;
      positives++;
      rankSum += (start + 1 + end) / 2;
    }
    start = end;
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
