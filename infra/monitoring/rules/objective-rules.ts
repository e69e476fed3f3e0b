import { callersRunErrorTypes } from "../../../otel/api/catalogue/training.ts";
import {
  allowedShare,
  answeredRoutes,
  apiRoutes,
  budgetDays,
  type ObjectiveKey,
  objectiveWindows,
} from "../objectives.ts";
import { type RuleScope, scrapeSeconds } from "./rule-scope.ts";

/** A recording rule. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What is bad and what counts, over a range; both have the label `job` alone. */
interface Events {
  readonly kind: "events";
  bad(range: string, apply: "rate" | "increase"): string;
  total(range: string, apply: "rate" | "increase"): string;
}
interface Minutes {
  readonly kind: "minutes";
  /** 1 in a bad minute, 0 in a good one, absent where it doesn't count. */
  readonly isBad: string;
  /** There in each minute that counts. */
  readonly counts: string;
}

const latencyBound = 0.5;
const longestWaitSeconds = 60;

/** How an objective is measured. */
function measurement(key: ObjectiveKey, scope: RuleScope): Events | Minutes {
  const { select, bucket, deployment } = scope;
  const sum = (selector: string, range: string, apply: string) => `sum by (job) (${apply}(${selector}[${range}]))`;
  switch (key) {
    case "http_availability":
      return {
        kind: "events",
        bad: (range, apply) =>
          sum(select("httpRequests", { "http.route": apiRoutes, outcome: '="server_error"' }), range, apply),
        total: (range, apply) =>
          sum(select("httpRequests", { "http.route": apiRoutes, outcome: '!="aborted"' }), range, apply),
      };
    case "http_latency": {
      const matchers = { "http.route": answeredRoutes };
      const total = (range: string, apply: string) =>
        sum(select("httpRequestDuration", matchers, "_count"), range, apply);
      return {
        kind: "events",
        bad: (range, apply) =>
          `(${total(range, apply)} - ${sum(bucket("httpRequestDuration", latencyBound, matchers), range, apply)})`,
        total,
      };
    }
    case "training_success":
      return {
        kind: "events",
        bad: (range, apply) =>
          sum(select("trainingFailures", { "error.type": `!~"${callersRunErrorTypes.join("|")}"` }), range, apply),
        total: (range, apply) => sum(select("trainingRuns", { outcome: '!="cancelled"' }), range, apply),
      };
    case "training_start":
      return {
        kind: "minutes",
        isBad: `${deployment("trainingQueueOldestAge")} >= bool ${longestWaitSeconds}`,
        counts: deployment("trainingQueueOldestAge"),
      };
    case "dataset_ttl": {
      const isOn = `${deployment("ttlEnabled")} == 1`;
      return {
        kind: "minutes",
        isBad: `${deployment("ttlLag")} > bool 2 * ${deployment("ttlInterval")} and ${isOn}`,
        counts: isOn,
      };
    }
  }
}

const minuteSeconds = 60;
const slotSeconds = 300;
const slotsOfADay = 86_400 / slotSeconds;

type Window = keyof typeof objectiveWindows;
/** Read from the samples; longer ones are added up from the slots, which cost a three-hundredth. */
const shortWindows: readonly Window[] = ["5m", "30m", "1h", "2h", "6h"];
const longWindows: readonly Window[] = ["1d", "3d"];
/** The long windows of burn rates, whose guard counts bad ones. */
const countedWindows: readonly Window[] = ["1h", "6h"];

function shareOf(measured: Events | Minutes, window: Window, scope: RuleScope): string {
  const range = scope.duration(objectiveWindows[window]);
  if (measured.kind === "minutes")
    return `avg_over_time((${measured.isBad})[${range}:${scope.duration(minuteSeconds)}])`;
  // Without traffic there is no share: absent, not NaN.
  return `${measured.bad(range, "rate")} / (${measured.total(range, "rate")} > 0)`;
}

function countOf(measured: Events | Minutes, window: Window, scope: RuleScope): string {
  const range = scope.duration(objectiveWindows[window]);
  if (measured.kind === "minutes")
    return `sum_over_time((${measured.isBad})[${range}:${scope.duration(minuteSeconds)}])`;
  return measured.bad(range, "increase");
}

/** Shares over the short windows, and bad ones of those that a guard counts. */
function shortWindowRules(objective: ObjectiveKey, scope: RuleScope): RecordingRule[] {
  const measured = measurement(objective, scope);
  return [
    ...shortWindows.map((window) => ({
      record: `objective:errors:ratio_rate${window}`,
      labels: { objective },
      expr: shareOf(measured, window, scope),
    })),
    ...countedWindows.map((window) => ({
      record: `objective:bad:increase${window}`,
      labels: { objective },
      expr: countOf(measured, window, scope),
    })),
  ];
}

/**
 * Bad ones and all, slot by slot: slots don't overlap, so that their sum over days is what happened. The range is one
 * scrape longer than the slot, so that it begins with the last sample of the slot before and no event falls between two
 * slots; `rate` times the slot's length takes out again what `increase` would add for that scrape.
 */
function slotRules(objective: ObjectiveKey, scope: RuleScope): RecordingRule[] {
  const measured = measurement(objective, scope);
  const range = scope.duration(slotSeconds + scrapeSeconds);
  const perSlot = (rate: string) => `${scope.seconds(slotSeconds)} * ${rate}`;
  const minutes = `${scope.duration(slotSeconds)}:${scope.duration(minuteSeconds)}`;
  const isMinutes = measured.kind === "minutes";
  return [
    {
      record: "objective:bad:increase5m",
      labels: { objective },
      expr: isMinutes ? `sum_over_time((${measured.isBad})[${minutes}])` : perSlot(measured.bad(range, "rate")),
    },
    {
      record: "objective:total:increase5m",
      labels: { objective },
      expr: isMinutes ? `count_over_time((${measured.counts})[${minutes}])` : perSlot(measured.total(range, "rate")),
    },
  ];
}

/** Shares and bad ones over days, and the error budget: sums of slots, never a range of days over raw samples. */
function longWindowRules(objective: ObjectiveKey, scope: RuleScope): RecordingRule[] {
  const labels = { objective };
  const slots = (series: "bad" | "total", range: string) =>
    `objective:${series}:increase5m{objective="${objective}"}[${range}]`;
  const sum = (series: "bad" | "total", range: string) => `sum_over_time(${slots(series, range)})`;
  const days = scope.duration(budgetDays * 86_400);
  return [
    ...longWindows.flatMap((window) => {
      const range = scope.duration(objectiveWindows[window]);
      return [
        {
          record: `objective:errors:ratio_rate${window}`,
          labels,
          expr: `${sum("bad", range)} / (${sum("total", range)} > 0)`,
        },
        { record: `objective:bad:increase${window}`, labels, expr: sum("bad", range) },
      ];
    }),
    {
      record: "objective:error_budget_remaining:ratio",
      labels,
      // Whole when nothing has happened yet.
      expr: `1 - ${sum("bad", days)} / clamp_min(${sum("total", days)}, 1) / ${allowedShare(objective)}`,
    },
    {
      record: "objective:covered:days",
      labels,
      expr: `count_over_time(${slots("total", days)}) / ${slotsOfADay}`,
    },
  ];
}

/** The file of an objective's recording rules, e.g. `objective-http-availability`. */
export const objectiveFile = (objective: ObjectiveKey): string => `objective-${objective.replaceAll("_", "-")}`;

/** The groups of an objective in the order in which they build on each other. */
export function objectiveGroups(
  objective: ObjectiveKey,
  scope: RuleScope,
): readonly { readonly name: string; readonly interval?: string; readonly rules: readonly RecordingRule[] }[] {
  const name = objectiveFile(objective);
  return [
    { name, rules: shortWindowRules(objective, scope) },
    { name: `${name}-slots`, interval: scope.duration(slotSeconds), rules: slotRules(objective, scope) },
    // Not only with each slot: a value that is written every 5 minutes is 5 minutes old at most, and then gone.
    { name: `${name}-days`, interval: scope.duration(minuteSeconds), rules: longWindowRules(objective, scope) },
  ];
}
