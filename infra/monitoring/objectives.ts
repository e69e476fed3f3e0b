/**
 * What the service promises, over 30 days. Recording rules, burn-rate alerts and the panels of objectives follow from
 * this table.
 */

/** The windows over which the share of bad events is recorded, in seconds. */
export const objectiveWindows = {
  "5m": 300,
  "30m": 1_800,
  "1h": 3_600,
  "2h": 7_200,
  "6h": 21_600,
  "1d": 86_400,
  "3d": 259_200,
} as const;
export type ObjectiveWindow = keyof typeof objectiveWindows;

/**
 * Requests to the API proper, as a label matcher: probes of health and scrapes are many, never fail, and would hide a few
 * bad ones.
 */
export const apiRoutes = '=~"/api/ml/v1/.*"';
/** Of those, what has a latency: an upload lasts as long as the client's line is slow, an event stream as long as somebody follows it. */
export const answeredRoutes = [apiRoutes, '!~".*/(upload|events)"'] as const;

/** Days that the error budget covers. */
export const budgetDays = 30;

/**
 * An alert on the speed at which the budget is used: `factor` times too fast over the long window, and still so over
 * the short one (Google SRE workbook, "Alerting on SLOs", section 6).
 */
export interface BurnRate {
  readonly severity: "critical" | "warning";
  readonly factor: number;
  readonly long: ObjectiveWindow;
  readonly short: ObjectiveWindow;
  readonly forSeconds: number;
  /** Half of the short window or so: at the lowest rate that counts, the short window is empty now and then. */
  readonly keepFiringForSeconds: number;
}

const burnHour = {
  severity: "critical",
  factor: 14.4,
  long: "1h",
  short: "5m",
  // A minute longer than what may stand for it (rules/known-causes.ts): of a cause and its effect the cause is told.
  forSeconds: 240,
  keepFiringForSeconds: 300,
} as const;
const burnSixHours = {
  severity: "critical",
  factor: 6,
  long: "6h",
  short: "30m",
  forSeconds: 300,
  keepFiringForSeconds: 900,
} as const;
const burnDay = {
  severity: "warning",
  factor: 3,
  long: "1d",
  short: "2h",
  forSeconds: 900,
  keepFiringForSeconds: 3_600,
} as const;
const burnThreeDays = {
  severity: "warning",
  factor: 1,
  long: "3d",
  short: "6h",
  forSeconds: 1_800,
  keepFiringForSeconds: 7_200,
} as const;

export interface Objective {
  readonly title: string;
  /** What is counted; bad ones use the budget up. */
  readonly counts: "requests" | "runs" | "minutes";
  /** The share of good ones that is promised. */
  readonly target: number;
  readonly description: string;
  /** Empty where an alert of another kind watches it. */
  readonly burnRates: readonly BurnRate[];
  /** Fewer bad ones than this in the long window alert nobody: a share of few says little. */
  readonly minimumBad: number;
}

/** The objectives by the value of the label `objective`. */
export const objectives = {
  http_availability: {
    title: "HTTP availability",
    counts: "requests",
    target: 0.995,
    description:
      "API requests that were not answered with a 5xx of ours and did not time out; what the client breaks off doesn't count, nor what times out before its headers are whole (408, route unmatched).",
    burnRates: [burnHour, burnSixHours, burnDay, burnThreeDays],
    minimumBad: 10,
  },
  http_latency: {
    title: "HTTP latency",
    counts: "requests",
    target: 0.99,
    description: "API requests other than uploads and event streams that took at most 0.5 s.",
    burnRates: [burnHour, burnSixHours, burnDay, burnThreeDays],
    minimumBad: 10,
  },
  training_start: {
    title: "Training start",
    counts: "minutes",
    target: 0.99,
    // The histogram of waits is blind while no worker takes anything.
    description: "Minutes in which the oldest waiting run was younger than 60 s.",
    burnRates: [burnSixHours, burnThreeDays],
    minimumBad: 10,
  },
  training_success: {
    title: "Training success",
    counts: "runs",
    target: 0.99,
    description: "Runs that ended other than by a fault of the system; cancelled ones don't count.",
    burnRates: [burnSixHours, burnThreeDays],
    // One worker and a time-out of 600 s end at most 6 an hour: a minimum of 10 would never be reached.
    minimumBad: 3,
  },
  dataset_ttl: {
    title: "Dataset expiry",
    counts: "minutes",
    target: 0.99,
    description: "Minutes in which no expired dataset was more than two intervals late, while datasets expire at all.",
    // DatasetTtlLagging, DatasetTtlFailing and DatasetTtlStopped say more, and earlier.
    burnRates: [],
    minimumBad: 10,
  },
} as const satisfies Record<string, Objective>;

export type ObjectiveKey = keyof typeof objectives;
export const objectiveKeys = Object.keys(objectives) as readonly ObjectiveKey[];

/** The share of bad ones that is allowed, e.g. 0.005; rounded, since 1 − 0.995 is 0.0050000000000000044. */
export function allowedShare(key: ObjectiveKey): number {
  return Number((1 - objectives[key].target).toFixed(6));
}
