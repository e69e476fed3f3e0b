import {
  allowedShare,
  type BurnRate,
  type Objective,
  type ObjectiveKey,
  type ObjectiveWindow,
  objectiveKeys,
  objectives,
} from "../objectives.ts";
import type { AlertFamily, AlertRule, DashboardName } from "./alert.ts";
import { burnRateCases, stepMinutes } from "./burn-rate-cases.ts";
import { type Effect, unlessExplained } from "./known-causes.ts";
import { objectiveFile } from "./objective-rules.ts";

/** How an objective's alert is called and what it says; only those that have burn rates. */
const wordings: Readonly<Record<string, { alert: Effect; dashboard: DashboardName; bad: string; summary: string }>> = {
  http_availability: {
    alert: "HttpAvailabilityBudgetBurn",
    dashboard: "http",
    bad: "of API requests failed",
    summary: "API requests fail faster than the error budget allows.",
  },
  http_latency: {
    alert: "HttpLatencyBudgetBurn",
    dashboard: "http",
    bad: "of API requests took longer than 0.5 s",
    summary: "API requests are slow more often than the error budget allows.",
  },
  training_start: {
    alert: "TrainingStartBudgetBurn",
    dashboard: "training",
    bad: "of minutes had a run that waited for 60 s or longer",
    summary: "Training runs wait too long more often than the error budget allows.",
  },
  training_success: {
    alert: "TrainingSuccessBudgetBurn",
    dashboard: "training",
    bad: "of training runs failed through the system's fault",
    summary: "Training runs fail through the system's fault more often than the error budget allows.",
  },
};

const windowWords: Readonly<Record<ObjectiveWindow, string>> = {
  "5m": "5 minutes",
  "30m": "30 minutes",
  "1h": "hour",
  "2h": "2 hours",
  "6h": "6 hours",
  "1d": "day",
  "3d": "3 days",
};

/** The share of bad ones above which a burn rate is too high, e.g. 0.072. */
export function burnThreshold(key: ObjectiveKey, { factor }: BurnRate): number {
  return Number((factor * allowedShare(key)).toFixed(6));
}

/** The alert of one burn rate; the recorded series carry job and objective, so that `and` needs no `on`. */
function burnRateRule(key: ObjectiveKey, burn: BurnRate): AlertRule {
  const wording = wordings[key];
  if (wording === undefined) throw new Error(`${key} has burn rates, but no wording.`);
  const matcher = `{objective="${key}"}`;
  const threshold = burnThreshold(key, burn);
  const pace = burn.factor === 1 ? "so that they use up more than" : `${burn.factor} times as many as`;
  const allowed = Number((allowedShare(key) * 100).toFixed(6));
  return {
    name: wording.alert,
    severity: burn.severity,
    objective: key,
    labels: { window: burn.long },
    expr: [
      `objective:errors:ratio_rate${burn.long}${matcher} > ${threshold}`,
      `and objective:errors:ratio_rate${burn.short}${matcher} > ${threshold}`,
      // A guard against little traffic, on the long window only: the short one may hold a single event. A half less,
      // since a count over a range is extrapolated and no whole number.
      `and objective:bad:increase${burn.long}${matcher} > ${objectives[key].minimumBad - 0.5}`,
      unlessExplained(wording.alert, burn.long),
    ].join("\n"),
    forSeconds: burn.forSeconds,
    keepFiringForSeconds: burn.keepFiringForSeconds,
    summary: wording.summary,
    description: `{{ $value | humanizePercentage }} ${wording.bad} in the last ${windowWords[burn.long]}; above ${Number((threshold * 100).toFixed(6))}% this is ${pace} the ${allowed}% that the objective allows.`,
    dashboard: wording.dashboard,
  };
}

/** Alerts on error budgets, those that page apart from those that warn: their cases need other steps. */
export const burnRateAlerts: readonly AlertFamily[] = objectiveKeys.flatMap((key) =>
  (["critical", "warning"] as const).flatMap((severity) => {
    const objective: Objective = objectives[key];
    const burns = objective.burnRates.filter((burn) => burn.severity === severity);
    const rules = burns.map((burn) => burnRateRule(key, burn));
    const name = rules[0]?.name;
    if (name === undefined) return [];
    return {
      name,
      file: `burn-rate-${severity}`,
      tests: {
        file: `burn-rate-${severity}-${key.replaceAll("_", "-")}`,
        reads: [objectiveFile(key)],
        stepSeconds: stepMinutes[severity] * 60,
      },
      rules: () => rules,
      cases: burnRateCases(key, burns, rules),
    };
  }),
);
