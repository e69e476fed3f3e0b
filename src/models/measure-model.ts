import { type Evaluated, type Evaluation, evaluate } from "./evaluate.ts";
import { evaluateFolds, scoreFold, withoutChances } from "./evaluate-folds.ts";
import { evaluationOf, fitFold, type RowsFit, type TrainingFacts } from "./fit-rows.ts";
import type { FoldScore } from "./fold-metrics.ts";
import type { FoldsPlan } from "./plan-validation.ts";
import { usualSeed } from "./train-request.ts";

/** Measures a model on rows that it has not learnt from. @param heldOut places of the target */
export function measureHeldOut(facts: TrainingFacts, fit: RowsFit, heldOut: Int32Array): Evaluated {
  const { seed = usualSeed } = facts.request.parameters;
  return evaluate(evaluationOf(facts, fit, heldOut), seed);
}

/**
 * Measures models of the kind of the run's, each learnt without a fold, on that fold. Each learns from its rows alone:
 * categories, means and thresholds too.
 * @throws TrainingDataError
 */
export function measureFolds(
  facts: TrainingFacts,
  { decision }: RowsFit,
  { splits, foldCount, repeats }: FoldsPlan,
  onProgress: (fraction: number) => void,
): Evaluated {
  const scores: FoldScore[] = [];
  const first: Evaluation[] = [];
  for (const { kept, heldOut } of splits()) {
    const done = scores.length;
    const fold = fitFold(facts, kept, (fraction) => onProgress((done + fraction) / (foldCount * repeats)));
    const evaluation = evaluationOf(facts, fold, heldOut);
    scores.push(scoreFold(evaluation, kept.length));
    if (first.length < foldCount) first.push(withoutChances(evaluation));
  }
  return evaluateFolds(scores, first, decision);
}
