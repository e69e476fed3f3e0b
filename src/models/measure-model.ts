import { columnImportances, joinImportances } from "./column-importances.ts";
import { type Evaluated, type Evaluation, evaluate } from "./evaluate.ts";
import { evaluateFolds, scoreFold, withoutChances } from "./evaluate-folds.ts";
import { type AskedRows, askRows, fitFold, type RowsFit, type TrainingFacts } from "./fit-rows.ts";
import type { FoldScore } from "./fold-metrics.ts";
import { type KeptMeasures, keepFolds, keepRows, markRows } from "./kept-measures.ts";
import type { ColumnImportances } from "./model-metrics.ts";
import type { FoldsPlan } from "./plan-validation.ts";
import { usualSeed } from "./train-request.ts";

/** How good a model is, and how much each column counts for it. */
export interface Measured {
  readonly quality: Evaluated & { readonly importances: ColumnImportances };
  /** By which it can be compared with another one on the same rows. */
  readonly kept: KeptMeasures;
}

/** By what a fold's model is learnt. @param kept places of the target that it learns from */
export type FactsOfFold = (facts: TrainingFacts, kept: Int32Array) => TrainingFacts;

/** Measures a model on rows that it has not learnt from. @param heldOut places of the target */
export function measureHeldOut(facts: TrainingFacts, fit: RowsFit, heldOut: Int32Array): Measured {
  const { seed = usualSeed } = facts.request.parameters;
  const asked = askRows(facts, fit, heldOut);
  return {
    quality: { ...evaluate(asked.evaluation, seed), importances: importancesOf(facts, fit, asked, 1) },
    kept: keepRows(asked.evaluation, heldOut),
  };
}

/**
 * Measures models of the kind of the run's, each learnt without a fold, on that fold. Each learns from its rows alone:
 * categories, means and thresholds too.
 * @param factsOf what a fold's model is learnt by, from the rows that it learns from; where absent, all are learnt alike
 * @throws TrainingDataError
 */
export function measureFolds(
  facts: TrainingFacts,
  { decision, gains }: RowsFit,
  { splits, foldCount, repeats }: FoldsPlan,
  onProgress: (fraction: number) => void,
  factsOf: FactsOfFold = () => facts,
): Measured {
  const scores: FoldScore[] = [];
  const first: Evaluation[] = [];
  const importances: ColumnImportances[] = [];
  const mark = markRows();
  for (const { kept, heldOut } of splits()) {
    const done = scores.length;
    const ofFold = factsOf(facts, kept);
    const fold = fitFold(ofFold, kept, (fraction) => onProgress((done + fraction) / (foldCount * repeats)));
    const asked = askRows(ofFold, fold, heldOut);
    scores.push(scoreFold(asked.evaluation, kept.length));
    mark.add(heldOut, asked.evaluation.actual);
    if (first.length === foldCount) continue;
    first.push(withoutChances(asked.evaluation));
    importances.push(importancesOf(facts, fold, asked, 1 / foldCount));
  }
  return {
    quality: { ...evaluateFolds(scores, first, decision), importances: joinImportances(importances, gains) },
    kept: keepFolds(scores, mark.digest()),
  };
}

/** @param share of what all importances of the run may take */
function importancesOf(
  { request: { target, parameters }, target: { classes } }: TrainingFacts,
  { schema: { features }, model, coefficients, gains }: RowsFit,
  { columns, evaluation: { actual } }: AskedRows,
  share: number,
): ColumnImportances {
  const { seed = usualSeed } = parameters;
  return columnImportances({ features, model, coefficients, target, classes, columns, actual, gains }, seed, share);
}
