import type { ValidationReport } from "./validation.ts";

/** What a solver says of its work. */
export interface SolverReport {
  readonly name: "newton" | "lbfgs";
  readonly iterations: number;
  /** Whether the gradient says that it is the minimum; else the solver gave up before it. */
  readonly converged: boolean;
}

/** How well one of two classes is found. */
export interface PositiveMetrics {
  readonly class: string;
  /** The chance from which on a row is said to be of it; absent of the baseline. */
  readonly threshold?: number;
  /** Held-out rows of that class. */
  readonly support: number;
  /** Those of them that were said to be of it. */
  readonly found: number;
  /** All that were said to be of it. */
  readonly predicted: number;
  /** 0 where none was said to be of it. */
  readonly precision: number;
  /** Absent, as F1 is, where no held-out row is of it. */
  readonly recall?: number;
  readonly f1?: number;
}

/** How good predictions are; which keys there are depends on the task. */
export interface QualityMetrics {
  accuracy?: number;
  /** Mean recall of the classes that the held-out rows have. */
  balancedAccuracy?: number;
  /** Macro averages: every class counts the same. */
  precision?: number;
  recall?: number;
  f1?: number;
  logLoss?: number;
  /** Two classes only, and only where the held-out rows have both. */
  auc?: number;
  /** Of the positive one of two classes, where the held-out rows have it. */
  averagePrecision?: number;
  /** Two classes only: mean squared distance of the chance from what is. */
  brier?: number;
  /** Two classes only. */
  positive?: PositiveMetrics;
  /** Absent where the held-out values are all the same. */
  r2?: number;
  mse?: number;
  rmse?: number;
  mae?: number;
  medianAbsoluteError?: number;
  /** A share, 0.1 of 10 %; only where no actual value is 0 or near it. */
  mape?: number;
}

/** Counts of held-out rows: `counts[actual][predicted]`. */
export interface ConfusionMatrix {
  readonly classes: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

/** From nobody to everybody said to be of the class; the threshold of a point is the least chance that is enough there. */
export interface RocCurve {
  readonly fpr: readonly number[];
  readonly tpr: readonly number[];
  /** Null of the first point, where no chance is enough. */
  readonly thresholds: readonly (number | null)[];
}

/** By rising thresholds; the last point, where nobody is said to be of the class, has none. */
export interface PrecisionRecallCurve {
  readonly precision: readonly number[];
  readonly recall: readonly number[];
  readonly thresholds: readonly number[];
}

/** By bin: the share that is of the class, the mean of its chances, and how many rows it has. */
export interface Calibration {
  readonly probTrue: readonly number[];
  readonly probPred: readonly number[];
  readonly counts: readonly number[];
}

/** What can be drawn of the positive class, to six digits; a curve that the held-out rows can't tell is absent. */
export interface Curves {
  readonly roc?: RocCurve;
  readonly precisionRecall?: PrecisionRecallCurve;
  readonly calibration: Calibration;
}

/** Quantiles of what is less what was said: above 0 where too little was said. */
export type Residuals = Readonly<Record<"p5" | "p25" | "p50" | "p75" | "p95", number>>;

/** From and to, with 95 % confidence. */
export type Interval = readonly [number, number];

/** By metric; those of the positive class by theirs. */
export type Intervals = Readonly<Record<string, Interval | Readonly<Record<string, Interval>>>>;

/** How much a column counts. */
export interface ColumnImportance {
  readonly column: string;
  /** Its share in `featureImportances`. */
  readonly gain: number;
  /** How much the loss grows when its values are shuffled; around 0 where it says nothing. */
  readonly permutation: number;
  /** Mean size of what it adds to the margin; of more than two classes the sum of theirs. */
  readonly meanAbsShap: number;
}

/** How much the columns count on held-out rows, to six digits, those with the largest gain first. */
export interface ColumnImportances {
  /** How many rows were looked at. */
  readonly rows: number;
  /** What `permutation` is a growth of. */
  readonly loss: "logLoss" | "rmse" | "mae" | "quantileLoss";
  readonly columns: readonly ColumnImportance[];
}

/** A run's metrics: flat, with the naive baseline's beside them. */
export interface RunMetrics extends QualityMetrics {
  baseline: QualityMetrics;
  /** The first are those that the model has learnt from; of folds they are tested too, by models that were learnt without them. */
  rows: { train: number; test: number };
  validation: ValidationReport;
  /** Share of each source column, summing to 1, highest first. */
  featureImportances: Record<string, number>;
  importances: ColumnImportances;
  confusionMatrix?: ConfusionMatrix;
  /** Two classes only. */
  curves?: Curves;
  /** Regression only. */
  residuals?: Residuals;
  intervals: Intervals;
  /** How the minimum of a light model was found. */
  solver?: SolverReport;
  /** Log loss or RMSE, divided by the baseline's: below 1 is better than guessing. */
  relativeError?: number;
}

/** What of them is large, and told only of one run. */
export type MetricDetails = Pick<RunMetrics, "curves" | "importances" | "intervals">;
