import type { Scored } from "./bootstrap.ts";
import { curvesOf } from "./curves.ts";
import type { Decision } from "./decide-class.ts";
import { type Evaluated, type Evaluation, onceEach, usualThreshold } from "./evaluate.ts";
import { scoreClasses } from "./evaluate-classes.ts";
import { measureNaively, measureRows, type NumberEvaluation, residualsOf, scoreNumbers } from "./evaluate-numbers.ts";
import { type FoldScore, meansOfFolds } from "./fold-metrics.ts";
import type { ConfusionMatrix } from "./model-metrics.ts";
import { type ClassEvaluation, rateNaively, rateRows } from "./rated-rows.ts";

/** Measures one fold. @param learntRows how many rows its model has learnt from */
export function scoreFold(evaluation: Evaluation, learntRows: number): FoldScore {
  const once = onceEach(evaluation.actual);
  const ratio = evaluation.actual.length / learntRows;
  if (evaluation.task === "regression") {
    const baseline = scoreNumbers(measureNaively(evaluation), once);
    return { measured: scoreNumbers(measureRows(evaluation), once), baseline, ratio };
  }
  const rows = rateRows(evaluation);
  const baseline = scoreClasses(rateNaively(rows, evaluation.priors), once);
  return { measured: scoreClasses(rows, once), baseline, ratio };
}

/** What has to be kept of a fold: chances of more than two classes are scored and not drawn, and would be the most of it. */
export function withoutChances(evaluation: Evaluation): Evaluation {
  const isDrawn = evaluation.task === "regression" || evaluation.classes.length === 2;
  return isDrawn ? evaluation : { ...evaluation, probabilities: new Float64Array(0) };
}

/**
 * What folds tell of models of this kind: metrics are their means, and what is counted or drawn is of the first repeat, where
 * each row stands once, by a model that was learnt without it.
 * @param scores of all folds, repeat by repeat
 * @param first what was said in the first repeat, by fold; `withoutChances` where they are not drawn
 * @param decision of the run's own model
 */
export function evaluateFolds(
  scores: readonly FoldScore[],
  first: readonly Evaluation[],
  decision: Decision | undefined,
): Evaluated {
  const { metrics, baseline, intervals } = meansOfFolds(scores, first.length);
  const { positive } = metrics;
  const told = {
    ...metrics,
    ...(positive && { positive: { ...positive, threshold: decision?.threshold ?? usualThreshold } }),
    baseline,
    intervals,
  };
  const numbers = first.filter((each) => each.task === "regression");
  if (numbers.length > 0) return { ...told, residuals: residualsOf(joinNumbers(numbers)) };
  const classes = first.filter((each) => each.task === "classification");
  const curves = classes[0]!.classes.length === 2 ? curvesOf(rateRows(joinClasses(classes))) : undefined;
  const counted = scores.slice(0, first.length).map(({ measured }) => measured);
  return { ...told, confusionMatrix: sumOf(classes[0]!.classes, counted), ...(curves && { curves }) };
}

function joinNumbers(folds: readonly NumberEvaluation[]): NumberEvaluation {
  return { ...folds[0]!, actual: joined(folds, "actual"), predicted: joined(folds, "predicted") };
}

/** Chances alone: each fold has a threshold of its own. */
function joinClasses(folds: readonly ClassEvaluation[]): ClassEvaluation {
  const { decision: _, ...first } = folds[0]!;
  return { ...first, actual: joined(folds, "actual"), probabilities: joined(folds, "probabilities") };
}

function joined<Name extends string>(folds: readonly Record<Name, ArrayLike<number>>[], name: Name): Float64Array {
  const all = new Float64Array(folds.reduce((sum, fold) => sum + fold[name].length, 0));
  let at = 0;
  for (const fold of folds) {
    all.set(fold[name], at);
    at += fold[name].length;
  }
  return all;
}

function sumOf(classes: readonly string[], scores: readonly Scored[]): ConfusionMatrix {
  const sums = classes.map(() => classes.map(() => 0));
  for (const score of scores) {
    if (!("counts" in score)) continue;
    for (const [k, line] of score.counts.entries()) {
      for (const [other, count] of line.entries()) sums[k]![other]! += count;
    }
  }
  return { classes, counts: sums };
}
