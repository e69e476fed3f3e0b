import type { KnownSeries } from "./lint-promql.ts";

/** What the recording rules keep of each objective, for every job; `objective` says which. */
export const objectiveNames = [
  "http_availability",
  "http_latency",
  "training_start",
  "training_success",
  "dataset_ttl",
] as const;

/** Over these the share of bad events is recorded: the windows of the burn-rate alerts. */
export const errorRatioWindows = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"] as const;

const ofObjective: KnownSeries = {
  kind: "gauge",
  labels: new Map([["objective", objectiveNames]]),
  aggregated: true,
};

/** Every series that the recording rules write. */
export const recordedSeries: Readonly<Record<string, KnownSeries>> = Object.fromEntries(
  [
    ...errorRatioWindows.map((window) => `objective:errors:ratio_rate${window}`),
    "objective:bad:increase5m",
    "objective:total:increase5m",
    "objective:error_budget_remaining:ratio",
    "objective:covered:days",
  ].map((name) => [name, ofObjective]),
);
