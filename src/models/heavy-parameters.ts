/** What a heavy regression can minimise, by XGBoost's names. */
export const objectives = ["reg:squarederror", "count:poisson", "reg:absoluteerror", "reg:quantileerror"] as const;
export type Objective = (typeof objectives)[number];

/** Which rows can say when to stop; by none there are as many rounds as are asked for. */
export const earlyStoppings = ["part", "folds", "none"] as const;
export type EarlyStopping = (typeof earlyStoppings)[number];

/** What can be said of a heavy model, by XGBoost's names. */
export interface HeavyParameters {
  /** Trees, or trees a class. Default 100. */
  readonly rounds?: number | undefined;
  /** Default 6. */
  readonly maxDepth?: number | undefined;
  /** Default 0.1. */
  readonly learningRate?: number | undefined;
  /** Rounds without a better validation loss after which to stop. Default 15. */
  readonly earlyStoppingRounds?: number | undefined;
  /** Which rows say when to stop: a part that is kept aside, or folds that are each learnt without. Default: folds of 60 to 999 rows, else a part. */
  readonly earlyStopping?: EarlyStopping | undefined;
  /** Least sum of second derivatives in a leaf. Default 1. */
  readonly minChildWeight?: number | undefined;
  /** Penalty on the squared leaf values. Default 1. */
  readonly lambda?: number | undefined;
  /** Penalty on the absolute leaf values. Default 0. */
  readonly alpha?: number | undefined;
  /** Least reduction of the loss by a split. Default 0. */
  readonly gamma?: number | undefined;
  /** Share of the rows that each round learns from. Default 1. */
  readonly subsample?: number | undefined;
  /** Share of the model's own features that each tree learns from. Default 1. */
  readonly colsampleByTree?: number | undefined;
  /** Bins of values that a feature is cut into at most. Default 255. */
  readonly maxBins?: number | undefined;
  /** How much rows of the second of two classes count. Default 1. */
  readonly scalePosWeight?: number | undefined;
  /** Whether rows that said when to stop, or that the run is measured on, are learnt from in the end. Default true, in both modes. */
  readonly refit?: boolean | undefined;
  /** Only of regressions. Default reg:squarederror. */
  readonly objective?: Objective | undefined;
  /** Which quantile, of reg:quantileerror. Default 0.5. */
  readonly quantileAlpha?: number | undefined;
  /** By column: 1 where the answer may not fall with it, -1 where it may not grow. */
  readonly monotoneConstraints?: Readonly<Record<string, -1 | 0 | 1>> | undefined;
}
