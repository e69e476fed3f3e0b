import { curvesOf } from "./curves.ts";
import { scoreClasses } from "./evaluate-classes.ts";
import { evaluateNumbers, type NumberEvaluation } from "./evaluate-numbers.ts";
import type { QualityMetrics, RunMetrics } from "./model-metrics.ts";
import { type ClassEvaluation, rateNaively, rateRows } from "./rated-rows.ts";

/** What the held-out rows really are, and what was said of them. */
export type Evaluation = ClassEvaluation | NumberEvaluation;

/** What the held-out rows tell of a model. */
export type Evaluated = Pick<RunMetrics, "baseline" | "confusionMatrix" | "curves" | "relativeError"> & QualityMetrics;

/** Chances without a threshold are decided by the larger one, which is nearly this. */
const usualThreshold = 0.5;

/** Compares model and baseline on the held-out rows. */
export function evaluate(evaluation: Evaluation): Evaluated {
  return evaluation.task === "regression" ? compareNumbers(evaluation) : compareClasses(evaluation);
}

function compareNumbers({ actual, predicted, mean }: NumberEvaluation): Evaluated {
  const quality = evaluateNumbers(actual, predicted);
  const baseline = evaluateNumbers(actual, new Float64Array(actual.length).fill(mean));
  return {
    ...quality,
    baseline,
    ...(baseline.rmse! > 0 ? { relativeError: quality.rmse! / baseline.rmse! } : {}),
  };
}

function compareClasses(evaluation: ClassEvaluation): Evaluated {
  const { classes, priors, decision } = evaluation;
  const rows = rateRows(evaluation);
  const once = new Uint8Array(rows.actual.length).fill(1);
  const { metrics, counts, ...rest } = scoreClasses(rows, once);
  const { positive } = metrics;
  const curves = curvesOf(rows);
  return {
    ...metrics,
    ...(positive && { positive: { ...positive, threshold: decision?.threshold ?? usualThreshold } }),
    baseline: scoreClasses(rateNaively(rows, priors), once).metrics,
    confusionMatrix: { classes, counts },
    ...rest,
    ...(curves && { curves }),
  };
}
