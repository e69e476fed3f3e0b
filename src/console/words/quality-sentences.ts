import type { RunMetrics, Task } from "../api/answers.ts";
import type { Texts } from "../texts/en.ts";
import type { Formats } from "./formats.ts";
import { rowsOf, type Verdict, verdictOf } from "./quality.ts";

/** What is said of a run's quality, for whoever knows no measure by its name. */
export interface QualitySentences {
  /** What it comes to: how far from guessing. */
  readonly headline: string;
  readonly kind: Verdict["kind"];
  /** What that rests on, a sentence each. */
  readonly reasons: readonly string[];
}

// What people call half.
const half = { from: 0.45, to: 0.55 };

function comparison(task: Task, { ratio, kind }: Verdict, { run }: Texts, { percent }: Formats): string | undefined {
  if (kind === "perfect" || kind === "same" || !Number.isFinite(ratio)) return undefined;
  const difference = Math.abs(1 - ratio);
  // Cut, not rounded: «100 % fewer» would be none at all.
  const share = difference > 0.99 && ratio < 1 ? percent(Math.floor(difference * 1000) / 1000, 1) : percent(difference);
  if (task === "regression") return ratio < 1 ? run.smallerErrors(share) : run.largerErrors(share);
  if (ratio > half.from && ratio < half.to) return run.halfTheMistakes;
  return ratio < 1 ? run.fewerMistakes(share) : run.moreMistakes(share);
}

function numbersBehind(task: Task, metrics: RunMetrics, { run }: Texts, formats: Formats): string | undefined {
  const measure = task === "classification" ? "accuracy" : "mae";
  const [own, guess] = [metrics[measure], metrics.baseline?.[measure]];
  if (typeof own !== "number" || typeof guess !== "number") return undefined;
  return task === "classification"
    ? run.rightOf(formats.percent(own, 1), formats.percent(guess, 1))
    : run.offBy(formats.measured(own), formats.measured(guess));
}

function whereMeasured(metrics: RunMetrics, { run }: Texts, { count }: Formats): string | undefined {
  const rows = rowsOf(metrics);
  if (rows === undefined) return undefined;
  const { folds, repeats = 1 } = metrics.validation ?? {};
  return folds !== undefined
    ? run.measuredByFolds(count(rows.test), count(folds), count(repeats))
    : run.measuredOn(rows.test, count(rows.test), count(rows.train));
}

/** A run's quality in sentences; undefined where there is nothing to compare with. */
export function qualitySentences(
  task: Task,
  metrics: RunMetrics,
  { texts, formats }: { readonly texts: Texts; readonly formats: Formats },
): QualitySentences | undefined {
  const verdict = verdictOf(task, metrics);
  if (verdict === undefined) return undefined;
  const { kind } = verdict;
  const compared = comparison(task, verdict, texts, formats);
  // Where it is clear, the comparison says it all.
  const says = kind === "better" ? (compared ?? texts.run.verdicts.better) : texts.run.verdicts[kind];
  const reasons = [
    kind === "better" ? undefined : compared,
    numbersBehind(task, metrics, texts, formats),
    whereMeasured(metrics, texts, formats),
  ];
  return { headline: says, kind, reasons: reasons.filter((reason) => reason !== undefined) };
}
