import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Queries } from "../queries/queries.ts";
import { buildDashboard } from "./build-dashboard.ts";
import type { DashboardUid } from "./dashboard-list.ts";
import { datasetDashboard } from "./dataset-dashboard.ts";
import { httpDashboard } from "./http-dashboard.ts";
import { overviewDashboard } from "./overview-dashboard.ts";
import { runtimeDashboard } from "./runtime-dashboard.ts";
import { telemetryDashboard } from "./telemetry-dashboard.ts";
import { traceDashboard } from "./trace-dashboard.ts";
import { trainingDashboard } from "./training-dashboard.ts";

const texts = [
  overviewDashboard,
  httpDashboard,
  datasetDashboard,
  trainingDashboard,
  runtimeDashboard,
  telemetryDashboard,
  traceDashboard,
] as const;

/**
 * Every dashboard, by its uid.
 * @param service what the backend's traces and lines are called by
 */
export function allDashboards(queries: Queries, service: string): ReadonlyMap<DashboardUid, Dashboard> {
  return new Map(
    texts.map((textOf) => {
      const text = textOf(queries);
      return [text.uid, buildDashboard(text, queries, service)];
    }),
  );
}
