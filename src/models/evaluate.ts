import { intervalsOf, placesToDraw } from "./bootstrap.ts";
import { curvesOf } from "./curves.ts";
import { scoreClasses } from "./evaluate-classes.ts";
import {
  measureNaively,
  measureRows,
  type NumberEvaluation,
  pickMeasured,
  residualsOf,
  scoreNumbers,
} from "./evaluate-numbers.ts";
import type { QualityMetrics, RunMetrics } from "./model-metrics.ts";
import { type ClassEvaluation, pickRated, rateNaively, rateRows } from "./rated-rows.ts";

/** What the held-out rows really are, and what was said of them. */
export type Evaluation = ClassEvaluation | NumberEvaluation;

/** What the held-out rows tell of a model. */
export type Evaluated = QualityMetrics &
  Pick<RunMetrics, "baseline" | "confusionMatrix" | "curves" | "intervals" | "relativeError" | "residuals">;

/** Without a threshold the larger chance decides, which is nearly this. */
export const usualThreshold = 0.5;

/** Weights of rows that count once each. */
export const onceEach = (rows: ArrayLike<unknown>): Uint8Array => new Uint8Array(rows.length).fill(1);

/**
 * Compares model and baseline on the held-out rows.
 * @param seed of the draws that intervals are made of
 */
export function evaluate(evaluation: Evaluation, seed: number): Evaluated {
  return evaluation.task === "regression" ? compareNumbers(evaluation, seed) : compareClasses(evaluation, seed);
}

function compareNumbers(evaluation: NumberEvaluation, seed: number): Evaluated {
  const rows = measureRows(evaluation);
  const once = onceEach(rows.distances);
  const measured = scoreNumbers(rows, once);
  const { metrics, ...rest } = measured;
  const places = placesToDraw(rows.distances.length, seed);
  const drawn = places === undefined ? rows : pickMeasured(rows, places);
  return {
    ...metrics,
    baseline: scoreNumbers(measureNaively(evaluation), once).metrics,
    ...rest,
    residuals: residualsOf(evaluation),
    intervals: intervalsOf(drawn.distances.length, (weights) => scoreNumbers(drawn, weights), measured, seed),
  };
}

function compareClasses(evaluation: ClassEvaluation, seed: number): Evaluated {
  const { classes, priors, decision } = evaluation;
  const rows = rateRows(evaluation);
  const once = onceEach(rows.actual);
  const measured = scoreClasses(rows, once);
  const { metrics, counts, ...rest } = measured;
  const { positive } = metrics;
  const curves = curvesOf(rows);
  const places = placesToDraw(rows.actual.length, seed);
  const drawn = places === undefined ? rows : pickRated(rows, places);
  return {
    ...metrics,
    ...(positive && { positive: { ...positive, threshold: decision?.threshold ?? usualThreshold } }),
    baseline: scoreClasses(rateNaively(rows, priors), once).metrics,
    confusionMatrix: { classes, counts },
    ...rest,
    ...(curves && { curves }),
    intervals: intervalsOf(drawn.actual.length, (weights) => scoreClasses(drawn, weights), measured, seed),
  };
}
