import {
  allowedShare,
  type BurnRate,
  type Objective,
  type ObjectiveKey,
  objectives,
  objectiveWindows,
} from "../objectives.ts";
import type { RecordingRule } from "./objective-rules.ts";
import { backendJob, type RuleScope } from "./rule-scope.ts";

/**
 * One cause is told once. What follows from an alert that is told is not told on its own, neither while that lasts nor
 * after it, when the long windows still see what is over. Alertmanager's inhibitions can't do the second: they end with
 * their source, half an hour before the window of a 6-hour budget is clean.
 */

/** Where the recorded series are, and the one series that the effects ask for. */
export const knownCauseFile = "known-causes";
export const knownCauseSeries = "alert:known_cause:group";

/** `burn`: by the alert on another window of the same objective, the first that is told. */
type By = "cause" | "burn";

export interface KnownCause {
  /** The alert that is not told. */
  readonly effect: Effect;
  readonly by: By;
  /** Matchers of ALERTS: what is told in its place. */
  readonly causes: string;
  /** There while the effect is still being made; then it is told after all, once its cause is over. */
  readonly stillBad: (scope: RuleScope) => string;
  /** How long the windows of the effect may see what is over. */
  readonly lingerSeconds: number;
}

/** What stands for which alert while it fires. The times must fit: it has to fire a minute before its effects could. */
export const causesOf = {
  DatasetUploadsFailing: ["StateUnreadable", "StorageNearlyFull"],
  HttpAvailabilityBudgetBurn: ["StateUnreadable", "StorageNearlyFull", "DatasetUploadsFailing"],
  HttpLatencyBudgetBurn: ["StateUnreadable", "EventLoopBlocked"],
  TrainingStartBudgetBurn: ["TrainingWorkersMissing", "TrainingQueueStalled"],
  TrainingSuccessBudgetBurn: ["StateUnreadable", "StorageNearlyFull"],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type Effect = keyof typeof causesOf;

/** The objective of each effect that has one. */
export const objectiveOf: Readonly<Partial<Record<Effect, ObjectiveKey>>> = {
  HttpAvailabilityBudgetBurn: "http_availability",
  HttpLatencyBudgetBurn: "http_latency",
  TrainingStartBudgetBurn: "training_start",
  TrainingSuccessBudgetBurn: "training_success",
};

/** The quickest to tell of those that wake somebody. */
const firstTold = ({ burnRates }: Objective): BurnRate | undefined =>
  burnRates.find(({ severity }) => severity === "critical");

/** Until the last window of an objective has forgotten: its short one, and what it goes on for. */
const longestTail = ({ burnRates }: Objective): number =>
  Math.max(...burnRates.map(({ short, keepFiringForSeconds }) => objectiveWindows[short] + keepFiringForSeconds));

/** A disk that is nearly full breaks nothing yet; one that is full does. */
const matchersOf = (effect: Effect): string => `alertname=~"${causesOf[effect].join("|")}",reason=~"|full"`;

function knownCausesOf(effect: Effect): KnownCause[] {
  const key = objectiveOf[effect];
  if (key === undefined) {
    const stillBad = ({ select, duration }: RuleScope): string =>
      `sum by (job) (increase(${select("datasetUploads", { outcome: '="failed"' })}[${duration(300)}])) > 0`;
    // The 15 minutes of its share, and five that it goes on for.
    return [{ effect, by: "cause", causes: matchersOf(effect), stillBad, lingerSeconds: 1_200 }];
  }
  const objective: Objective = objectives[key];
  const of = { effect, lingerSeconds: longestTail(objective) };
  const stillBad = (): string => `objective:errors:ratio_rate5m{objective="${key}"} > ${allowedShare(key)}`;
  const told = `alertname="${effect}",severity="critical",window="${firstTold(objective)?.long}"`;
  return [
    { ...of, by: "cause", causes: matchersOf(effect), stillBad },
    { ...of, by: "burn", causes: told, stillBad },
  ];
}

/** Long enough that the window of five minutes, by which it is known that all is well again, has forgotten. */
const settledSeconds = 300;

/** Every way in which an effect is explained. */
export const knownCauses: readonly KnownCause[] = (Object.keys(causesOf) as Effect[]).flatMap(knownCausesOf);

/** The recording rules, a series for each effect and way in which it is explained, while it is. */
export function knownCauseRules(scope: RuleScope): readonly RecordingRule[] {
  return knownCauses.map(({ effect, by, causes, stillBad, lingerSeconds }) => {
    const told = (seconds: number): string =>
      `group by (job) (present_over_time(ALERTS{job="${backendJob}",alertstate="firing",${causes}}[${scope.duration(seconds)}]))`;
    return {
      record: knownCauseSeries,
      labels: { effect, by },
      expr: `${told(settledSeconds)}\nor ${told(lingerSeconds)}\nunless on (job) ${stillBad(scope)}`,
    };
  });
}

/**
 * What an effect's rule ends with.
 * @param window of an objective's alert; its first one is explained by its causes alone
 */
export function unlessExplained(effect: Effect, window?: BurnRate["long"]): string {
  const key = objectiveOf[effect];
  const isFirst = key === undefined || firstTold(objectives[key])?.long === window;
  return `unless on (job) ${knownCauseSeries}{effect="${effect}"${isFirst ? ',by="cause"' : ""}}`;
}
