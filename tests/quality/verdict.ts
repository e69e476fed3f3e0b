import { tableRow } from "../../infra/monitoring/generate/generated-part.ts";
import type { QualitySet } from "./python-side.ts";

/** What tests/quality/rivals.py writes: the score of each on each split; more is better. */
export interface Measured {
  readonly scores: readonly {
    readonly set: string;
    readonly seed: number;
    readonly who: string;
    readonly score: number;
  }[];
  /** Of the rivals' packages. */
  readonly versions: Readonly<Record<string, string>>;
}

const ours = ["light", "heavy"];
const rivals = ["scikit-learn", "xgboost", "lightgbm"];
/** How far our better model may be behind the best rival, in the set's metric. */
const tolerance = 0.01;
/** On which share of the sets it may be farther behind. */
const mostBehind = 0.1;

/** A set, and how well each did on it, on the mean of all splits. */
export interface SetQuality {
  readonly set: QualitySet;
  readonly means: Readonly<Record<string, number>>;
  /** The best rival's mean less that of our better model; infinite where neither of ours answered each time. */
  readonly behind: number;
  /** Standard error of that, by splits; absent where there is only one. */
  readonly error?: number | undefined;
}

/** Means over the splits, of who answered on each of them. */
export function qualityOf(sets: readonly QualitySet[], { scores }: Measured): SetQuality[] {
  return sets.map((set) => {
    const bySplit = (who: string): number[] =>
      set.seeds.flatMap((seed) =>
        scores.filter((one) => one.set === set.name && one.seed === seed && one.who === who).map(({ score }) => score),
      );
    const answered = [...ours, ...rivals].filter((who) => bySplit(who).length === set.seeds.length);
    const means = Object.fromEntries(answered.map((who) => [who, meanOf(bySplit(who))]));
    const best = (of: readonly string[]): string | undefined =>
      of.filter((who) => who in means).toSorted((one, other) => means[other]! - means[one]!)[0];
    const [mine, theirs] = [best(ours), best(rivals)];
    if (mine === undefined || theirs === undefined)
      return { set, means, behind: mine === undefined ? Number.POSITIVE_INFINITY : 0 };
    const before = bySplit(mine);
    const apart = bySplit(theirs).map((score, at) => score - before[at]!);
    return { set, means, behind: meanOf(apart), error: standardErrorOf(apart) };
  });
}

/** The sets on which the best rival is better than our better model by more than is allowed. */
export const behindOn = (qualities: readonly SetQuality[]): SetQuality[] =>
  qualities.filter(({ behind }) => behind > tolerance);

/** Whether we are behind on so few sets as is allowed. */
export const isRuleHeld = (qualities: readonly SetQuality[]): boolean =>
  behindOn(qualities).length <= qualities.length * mostBehind;

/** The rule in words, and whether it holds. */
export function verdictOf(qualities: readonly SetQuality[]): string {
  const sets = behindOn(qualities).map(({ set }) => set.name);
  const behind = `${sets.length} of ${qualities.length} sets${sets.length === 0 ? "" : `: ${sets.join(", ")}`}`;
  return `The better of light and heavy is more than ${tolerance} behind the best rival on ${behind}. ${
    isRuleHeld(qualities) ? "That is one in ten at most, as it should be." : "It should be one in ten at most."
  }`;
}

/** A table in Markdown, best in bold. */
export function tableOf(qualities: readonly SetQuality[]): string[] {
  const head = ["set", "package", "rows", "metric", "n", ...ours, ...rivals, "behind by"];
  const line = ["---", "---", "--:", "---", "--:", ...[...ours, ...rivals].map(() => "--:"), "--:"];
  return [tableRow(...head), `|${line.join("|")}|`, ...qualities.map((one) => tableRow(...cellsOf(one)))];
}

function cellsOf({ set, means, behind, error }: SetQuality): string[] {
  const best = Math.max(...Object.values(means).map((mean) => Number(mean.toFixed(3))));
  const cell = (who: string): string => {
    const text = means[who]?.toFixed(3) ?? "none";
    return Number(text) === best ? `**${text}**` : text;
  };
  const isTold = behind > tolerance;
  const told = !isTold
    ? ""
    : behind === Number.POSITIVE_INFINITY
      ? "no answer"
      : `${behind.toFixed(3)}${error === undefined ? "" : ` ± ${error.toFixed(3)}`}`;
  const [name] = set.source.split("/");
  return [
    set.name,
    name!,
    String(set.rows),
    set.metric,
    String(set.seeds.length),
    ...ours.map(cell),
    ...rivals.map(cell),
    told,
  ];
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function standardErrorOf(values: readonly number[]): number | undefined {
  if (values.length < 2) return undefined;
  const mean = meanOf(values);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return Math.sqrt(variance / values.length);
}
