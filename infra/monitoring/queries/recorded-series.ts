import { objectiveKeys, objectiveWindows } from "../objectives.ts";
import type { KnownSeries } from "./lint-promql.ts";

const names = [
  ...(Object.keys(objectiveWindows) as (keyof typeof objectiveWindows)[]).map(
    (window) => `objective:errors:ratio_rate${window}` as const,
  ),
  ...(["5m", "1h", "6h", "1d", "3d"] as const).map((window) => `objective:bad:increase${window}` as const),
  "objective:total:increase5m",
  "objective:error_budget_remaining:ratio",
  "objective:covered:days",
] as const;
export type RecordedSeriesName = (typeof names)[number];

const ofObjective: KnownSeries = {
  kind: "gauge",
  labels: new Map([["objective", objectiveKeys]]),
  aggregated: true,
};

/** Every series that the recording rules write: for every job, `objective` says of what. A test holds the rules to it. */
export const recordedSeries: Readonly<Record<string, KnownSeries>> = Object.fromEntries(
  names.map((name) => [name, ofObjective]),
);
