import type { AlertFamily } from "./alert.ts";

const watchdog = {
  name: "Watchdog",
  severity: "none",
  expr: "vector(1)",
  forSeconds: 0,
  keepFiringForSeconds: 0,
  summary: "Alerting works from end to end.",
  description: "Always firing. When it stops arriving, Prometheus, Alertmanager or the way to the receiver is broken.",
  dashboard: "telemetry",
} as const;

/** Alerts on the monitoring itself. */
export const monitoringAlerts: readonly AlertFamily[] = [
  {
    name: "Watchdog",
    file: "monitoring",
    rules: () => [watchdog],
    cases: [
      {
        name: "from the first evaluation on, whatever is seen",
        series: [],
        checks: [{ atSeconds: 0, fire: [{ rule: watchdog, labels: {}, description: watchdog.description }] }],
      },
    ],
  },
];
