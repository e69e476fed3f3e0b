/**
 * The dashboards by their Grafana uid, in the order of their links. Alerts and runbooks link to `/d/<uid>`, so a uid
 * stays when a title changes.
 */
export const dashboardTitles = {
  "mlops-backend-overview": "Backend Monitoring Overview",
  "mlops-backend-http": "Backend: HTTP API",
  "mlops-backend-datasets": "Backend: Datasets and TTL",
  "mlops-backend-training": "Backend: Training",
  "mlops-backend-runtime": "Backend: Runtime and database",
  "mlops-backend-telemetry": "Backend: Telemetry health",
  "mlops-backend-traces": "Backend: Traces and logs",
} as const;

export type DashboardUid = keyof typeof dashboardTitles;
export const dashboardUids = Object.keys(dashboardTitles) as readonly DashboardUid[];
