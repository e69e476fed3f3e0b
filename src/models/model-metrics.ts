/** What a solver says of its work. */
export interface SolverReport {
  readonly name: "newton" | "lbfgs";
  readonly iterations: number;
  /** Whether the gradient says that it is the minimum; else the solver gave up before it. */
  readonly converged: boolean;
}

/** How good predictions are; which keys there are depends on the task. */
export interface QualityMetrics {
  accuracy?: number;
  /** Macro averages: every class counts the same. */
  precision?: number;
  recall?: number;
  f1?: number;
  logLoss?: number;
  /** Two classes only, and only where the held-out rows have both. */
  auc?: number;
  /** Absent where the held-out values are all the same. */
  r2?: number;
  mse?: number;
  rmse?: number;
  mae?: number;
}

/** Counts of held-out rows: `counts[actual][predicted]`. */
export interface ConfusionMatrix {
  readonly classes: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

/** A run's metrics: flat, with the naive baseline's beside them. */
export interface RunMetrics extends QualityMetrics {
  baseline: QualityMetrics;
  rows: { train: number; test: number };
  /** Share of each source column, summing to 1, highest first. */
  featureImportances: Record<string, number>;
  confusionMatrix?: ConfusionMatrix;
  /** How the minimum of a light model was found. */
  solver?: SolverReport;
  /** Log loss or RMSE, divided by the baseline's: below 1 is better than guessing. */
  relativeError?: number;
}
