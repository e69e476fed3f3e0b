import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Queries } from "../queries.ts";
import { buildDashboard } from "./build-dashboard.ts";
import type { DashboardUid } from "./dashboard-list.ts";
import { datasetDashboard } from "./dataset-dashboard.ts";
import { httpDashboard } from "./http-dashboard.ts";
import { overviewDashboard } from "./overview-dashboard.ts";
import { runtimeDashboard } from "./runtime-dashboard.ts";
import { telemetryDashboard } from "./telemetry-dashboard.ts";
import { trainingDashboard } from "./training-dashboard.ts";

const texts = [
  overviewDashboard,
  httpDashboard,
  datasetDashboard,
  trainingDashboard,
  runtimeDashboard,
  telemetryDashboard,
] as const;

/** Every dashboard, by its uid. */
export function allDashboards(queries: Queries): ReadonlyMap<DashboardUid, Dashboard> {
  return new Map(
    texts.map((textOf) => {
      const text = textOf(queries);
      return [text.uid, buildDashboard(text, queries)];
    }),
  );
}
