import { numbersOf, type Scored } from "./bootstrap.ts";
import type { Interval, Intervals, PositiveMetrics, QualityMetrics } from "./model-metrics.ts";
import { studentQuantile } from "./student-quantile.ts";

/** What one fold tells of the model that was learnt without it. */
export interface FoldScore {
  readonly measured: Scored;
  readonly baseline: Scored;
  /** Rows measured on ÷ rows learnt from. */
  readonly ratio: number;
}

/** What folds tell together. */
export interface FoldMeans {
  readonly metrics: QualityMetrics & { readonly relativeError?: number };
  readonly baseline: QualityMetrics;
  readonly intervals: Intervals;
}

/** By metric what each fold says that can tell it. */
type Series = ReadonlyMap<string, readonly number[]>;

/** No more than 1. */
const shares = "accuracy balancedAccuracy precision recall f1 auc averagePrecision brier r2".split(" ");

/**
 * Means over folds, and their intervals of 95 %.
 * @param foldCount of one repeat; counts of the positive class are sums over the first, where each row stands once
 */
export function meansOfFolds(folds: readonly FoldScore[], foldCount: number): FoldMeans {
  const ratio = meanOf(folds.map((fold) => fold.ratio));
  const scores = withSharedBaseline(folds);
  const measured = scores.map((score) => score.measured);
  const { all, positive } = seriesOf(measured);
  const metrics = meansOf(measured, foldCount);
  return {
    metrics,
    baseline: meansOf(
      scores.map(({ baseline: { metrics: naive } }) => ({ metrics: naive })),
      foldCount,
    ),
    intervals: {
      ...intervalsOf(all, ratio),
      ...(metrics.positive && { positive: intervalsOf(positive, ratio) }),
    },
  };
}

/**
 * What stands by the baseline is of the means over folds, and no mean of the folds' own: R² is 1 − the mean squared error ÷ the
 * baseline's, which says the mean of the rows that were learnt from, and the relative error the root of that ratio, or the ratio
 * of log losses. Means of R² of a few rows each are far too low, since such rows vary less about their own mean than about that
 * of all; and a fold that the baseline says well decides a mean of ratios alone. In place of each fold's value stands what it
 * adds to the shared one (the ratio's linear terms), so that the mean of these is it, and they vary as it does.
 */
export function withSharedBaseline(scores: readonly FoldScore[]): readonly FoldScore[] {
  const isOfNumbers = scores[0]!.measured.metrics.mse !== undefined;
  const lossOf = ({ metrics }: Scored): number => (isOfNumbers ? metrics.mse! : metrics.logLoss!);
  const naive = meanOf(scores.map(({ baseline }) => lossOf(baseline)));
  if (!(naive > 0)) return scores.map((score) => ({ ...score, measured: withRatio(score.measured, isOfNumbers) }));
  const left = meanOf(scores.map(({ measured }) => lossOf(measured))) / naive;
  return scores.map(({ measured, baseline, ratio }) => {
    const more = (lossOf(measured) - left * lossOf(baseline)) / naive;
    const root = Math.sqrt(left);
    const relativeError = isOfNumbers ? root + (root > 0 ? more / (2 * root) : 0) : left + more;
    return {
      measured: withRatio(measured, isOfNumbers, { r2: 1 - left - more, relativeError }),
      baseline: isOfNumbers ? { ...baseline, metrics: { ...baseline.metrics, r2: 0 } } : baseline,
      ratio,
    };
  });
}

/** Without what can't be told where the baseline is always right. */
function withRatio(
  scored: Scored,
  isOfNumbers: boolean,
  shared?: { readonly r2: number; readonly relativeError: number },
): Scored {
  const metrics = isOfNumbers ? { ...scored.metrics, r2: shared?.r2 } : scored.metrics;
  return { ...scored, metrics, relativeError: shared?.relativeError };
}

function meansOf(
  scores: readonly Pick<Scored, "metrics" | "relativeError">[],
  foldCount: number,
): FoldMeans["metrics"] {
  const { all, positive } = seriesOf(scores);
  const counted = scores.slice(0, foldCount).flatMap(({ metrics }) => metrics.positive ?? []);
  const [first] = counted;
  const sum = (name: "support" | "found" | "predicted") => counted.reduce((total, each) => total + each[name], 0);
  const counts = { support: sum("support"), found: sum("found"), predicted: sum("predicted") };
  // A fold without rows of the class has no recall, and each has a precision.
  const ofPositive = means(positive) as Pick<PositiveMetrics, "precision" | "recall" | "f1">;
  return { ...means(all), ...(first && { positive: { class: first.class, ...counts, ...ofPositive } }) };
}

const means = (series: Series): Record<string, number> =>
  Object.fromEntries([...series].map(([name, values]) => [name, meanOf(values)]));

function seriesOf(scores: readonly Pick<Scored, "metrics" | "relativeError">[]): { all: Series; positive: Series } {
  const all = new Map<string, number[]>();
  const positive = new Map<string, number[]>();
  const add = (series: Map<string, number[]>, numbers: Readonly<Record<string, number | undefined>> = {}): void => {
    for (const [name, value] of Object.entries(numbers)) {
      if (value !== undefined) series.set(name, [...(series.get(name) ?? []), value]);
    }
  };
  for (const score of scores) {
    const numbers = numbersOf(score);
    add(all, numbers.all);
    add(positive, numbers.positive);
  }
  // Folds that can't tell it have values near 0, where it is worst: the mean of the others would flatter.
  if (all.get("mape")?.length !== scores.length) all.delete("mape");
  return { all, positive };
}

/**
 * Student's, with Nadeau and Bengio's correction: folds share most of the rows that they learn from, and vary less than tables
 * would. The variance of the mean is (1 ÷ folds + rows measured on ÷ rows learnt from) times that of the folds.
 * Nadeau, Bengio: Inference for the Generalization Error, Machine Learning 52 (2003) 239–281; of repeated folds Bouckaert,
 * Frank: Evaluating the Replicability of Significance Tests, PAKDD 2004.
 */
export function intervalOf(values: readonly number[], ratio: number): Interval {
  const mean = meanOf(values);
  if (values.length === 1) return [mean, mean];
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const half = studentQuantile(values.length - 1) * Math.sqrt((1 / values.length + ratio) * variance);
  return [mean - half, mean + half];
}

/** Cut to what a metric can be. */
function intervalsOf(series: Series, ratio: number): Record<string, Interval> {
  return Object.fromEntries(
    [...series].map(([name, values]): [string, Interval] => {
      const [low, high] = intervalOf(values, ratio);
      const most = shares.includes(name) ? 1 : Number.POSITIVE_INFINITY;
      return [name, [name === "r2" ? low : Math.max(0, low), Math.min(most, high)]];
    }),
  );
}

/** Their mean. */
export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
