import type { QualityMetrics } from "./model-metrics.ts";

/** What the held-out rows of a regression really are, and what was said of them. */
export interface NumberEvaluation {
  readonly task: "regression";
  readonly actual: ArrayLike<number>;
  readonly predicted: Float64Array;
  /** Mean of the training rows: what the baseline says. */
  readonly mean: number;
}

/** What predictions of numbers come to, in scikit-learn's definitions. */
export function evaluateNumbers(actual: ArrayLike<number>, predicted: Float64Array): QualityMetrics {
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
