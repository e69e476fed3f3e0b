import type { RunMetrics, Task } from "../api/answers.ts";

/** Measures that are shown, in this order; of each task those that a run has. */
export const measureNames = {
  classification: [
    "accuracy",
    "balancedAccuracy",
    "precision",
    "recall",
    "f1",
    "auc",
    "averagePrecision",
    "logLoss",
    "brier",
  ],
  regression: ["r2", "rmse", "mae", "medianAbsoluteError", "mape"],
} as const satisfies Record<Task, readonly (keyof RunMetrics)[]>;
export type MeasureName = (typeof measureNames)[Task][number];

/** Measures that are shares of 1, and shown in per cent. */
const shares: ReadonlySet<MeasureName> = new Set(["accuracy", "balancedAccuracy", "precision", "recall", "f1", "mape"]);

/** Whether a measure is told in per cent. */
export const isShare = (name: MeasureName): boolean => shares.has(name);

/** One line of a run's quality. */
export interface Measure {
  readonly name: MeasureName;
  readonly value: number;
  readonly isShare: boolean;
  /** With 95 % confidence; undefined where none is told. */
  readonly interval: readonly [number, number] | undefined;
  /** The naive guess's; undefined where it has none. */
  readonly baseline: number | undefined;
}

function intervalOf(metrics: RunMetrics, name: string): readonly [number, number] | undefined {
  const interval = metrics.intervals?.[name];
  if (!Array.isArray(interval)) return undefined;
  const [from, to] = interval;
  return from === undefined || to === undefined ? undefined : [from, to];
}

/** What a run measured, line by line. */
export function measuresOf(task: Task, metrics: RunMetrics): Measure[] {
  return measureNames[task].flatMap((name) => {
    const value = metrics[name];
    if (typeof value !== "number") return [];
    const baseline = metrics.baseline?.[name];
    return [
      {
        name,
        value,
        isShare: isShare(name),
        interval: intervalOf(metrics, name),
        baseline: typeof baseline === "number" ? baseline : undefined,
      },
    ];
  });
}

/** How a model stands to guessing, for a sentence. */
export interface Verdict {
  /** `unsure`: better, but its interval has the guess in it; what is left may be chance. */
  readonly kind: "perfect" | "better" | "unsure" | "same" | "worse";
  /** Mistakes (of classes) or the size of errors (of numbers), divided by those of guessing. */
  readonly ratio: number;
}

// Nearer than that to guessing nobody would notice the difference.
const noticeable = 0.02;

/**
 * What the headline says. Of classes by mistakes, which people count, not by log loss; of numbers by RMSE. Undefined where
 * there is nothing to compare.
 */
export function verdictOf(task: Task, metrics: RunMetrics): Verdict | undefined {
  const measure = task === "classification" ? "accuracy" : "rmse";
  const [value, guess] = [metrics[measure], metrics.baseline?.[measure]];
  if (typeof value !== "number" || typeof guess !== "number") return undefined;
  const [own, guessed] = task === "classification" ? [1 - value, 1 - guess] : [value, guess];
  if (own === 0) return { kind: "perfect", ratio: 0 };
  // Guessing that makes no mistake can't be beaten.
  if (guessed === 0) return { kind: "worse", ratio: Number.POSITIVE_INFINITY };
  const ratio = own / guessed;
  if (ratio > 1 + noticeable) return { kind: "worse", ratio };
  if (ratio > 1 - noticeable) return { kind: "same", ratio };
  const interval = intervalOf(metrics, measure);
  const isWithin = interval !== undefined && interval[0] <= guess && guess <= interval[1];
  return { kind: isWithin ? "unsure" : "better", ratio };
}

/** On how many rows it was measured, and from how many learnt; undefined of runs that don't tell. */
export function rowsOf(metrics: RunMetrics): { readonly train: number; readonly test: number } | undefined {
  const { rows } = metrics as { rows?: { train?: unknown; test?: unknown } };
  const [train, test] = [rows?.train, rows?.test];
  return typeof train === "number" && typeof test === "number" ? { train, test } : undefined;
}

/** Counts of rows that were measured on, `counts[actual][said]`; undefined of numbers. */
export function confusionOf(metrics: RunMetrics): { classes: string[]; counts: number[][] } | undefined {
  const { confusionMatrix } = metrics as { confusionMatrix?: { classes: string[]; counts: number[][] } };
  return confusionMatrix;
}

/** A bar of a chart: how long it is, of 1, beside the longest. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly length: number;
}

/** How much each column counts on rows that the model has not seen, those that count most first. */
export function importanceBars(metrics: RunMetrics): Bar[] {
  const columns = metrics.importances?.columns ?? [];
  const longest = Math.max(0, ...columns.map(({ permutation }) => permutation));
  return columns
    .map(({ column: name, permutation: value }) => ({
      name,
      value,
      // Below 0 by chance: shuffled it did no worse.
      length: longest === 0 ? 0 : Math.max(0, value) / longest,
    }))
    .sort((one, other) => other.value - one.value);
}
