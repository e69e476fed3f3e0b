import type { KnownSeries } from "./lint-promql.ts";
import { objectiveKeys, objectiveWindows } from "./objectives.ts";

const ofObjective: KnownSeries = {
  kind: "gauge",
  labels: new Map([["objective", objectiveKeys]]),
  aggregated: true,
};

/** Every series that the recording rules write: for every job, `objective` says of what. A test holds the rules to it. */
export const recordedSeries: Readonly<Record<string, KnownSeries>> = Object.fromEntries(
  [
    ...Object.keys(objectiveWindows).map((window) => `objective:errors:ratio_rate${window}`),
    ...["5m", "1h", "6h", "1d", "3d"].map((window) => `objective:bad:increase${window}`),
    "objective:total:increase5m",
    "objective:error_budget_remaining:ratio",
    "objective:covered:days",
  ].map((name) => [name, ofObjective]),
);
