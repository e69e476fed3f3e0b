import { type AlertFamily, settlingSeconds } from "./alert.ts";
import { alertFamily, firingCase, held, quietCase } from "./alert-cases.ts";
import { caseSeries } from "./case-series.ts";
import { counterOf, repeated } from "./case-values.ts";

const file = "monitoring";
const each = (minutes: number, count: number): number[] => repeated(minutes, count);
const ofPrometheus = { job: "prometheus", instance: "p" };
const rule_group = "/etc/prometheus/rules/training.yml;training";
const prometheus = (name: string, values: string, labels: Record<string, string> = {}) =>
  caseSeries(`prometheus_${name}`, { ...ofPrometheus, ...labels }, values);
/** One a minute for ten minutes, half of them on each of two, and then none. */
const tenMinutes = counterOf([...repeated(10, 0.5), ...repeated(20, 0)]);
/** One, a minute after the start: of a counter that young nothing is extrapolated. */
const once = counterOf([1, ...repeated(20, 0)], 0);
const onTwo = (name: string, labels: Record<string, string>) =>
  ["p", "q"].map((instance) => prometheus(name, tenMinutes, { instance, ...labels }));
/** Used up in all, of a thousand. */
const storage = (blocks: string, limit = "1000x30") => [
  prometheus("tsdb_storage_blocks_bytes", blocks),
  prometheus("tsdb_wal_storage_size_bytes", "50x300"),
  prometheus("tsdb_head_chunks_storage_size_bytes", "50x300"),
  prometheus("tsdb_retention_limit_bytes", limit),
];
const failedNotifications = (values: string) =>
  ["m", "n"].map((instance) =>
    caseSeries(
      "alertmanager_notifications_failed_total",
      { job: "alertmanager", instance, integration: "email", reason: "other" },
      values,
    ),
  );

/** Alerts on the monitoring itself: Prometheus, Alertmanager and the way from one to the other. */
export const monitoringAlerts: readonly AlertFamily[] = [
  alertFamily(
    file,
    "PrometheusRuleFailing",
    ({ happened }) => {
      const recent = (counter: string) =>
        `sum by (job, rule_group) (${happened(`${counter}{job="prometheus"}`, 300)}) > 0`;
      return [
        {
          severity: "critical",
          labels: { reason: "failed" },
          expr: recent("prometheus_rule_evaluation_failures_total"),
          forSeconds: 120,
          keepFiringForSeconds: settlingSeconds,
          summary: "Rules fail, and their alerts are blind.",
          description: '{{ $value | printf "%.0f" }} evaluations of {{ $labels.rule_group }} failed within 5 minutes.',
          dashboard: "telemetry",
        },
        {
          severity: "warning",
          labels: { reason: "missed" },
          expr: recent("prometheus_rule_group_iterations_missed_total"),
          forSeconds: 300,
          keepFiringForSeconds: settlingSeconds,
          summary: "Prometheus is too slow for its rules.",
          description:
            '{{ $value | printf "%.0f" }} rounds of {{ $labels.rule_group }} were left out within 5 minutes.',
          dashboard: "telemetry",
        },
      ];
    },
    (failed, missed) => [
      firingCase("one fails each minute, then none", onTwo("rule_evaluation_failures_total", { rule_group }), {
        rule: failed,
        labels: { job: "prometheus", rule_group },
        description: `3 evaluations of ${rule_group} failed within 5 minutes.`,
        pendingAt: 2,
        firesAt: 3,
        stillAt: 19,
        goneAt: 20,
        stillDescription: `1 evaluations of ${rule_group} failed within 5 minutes.`,
      }),
      firingCase(
        "one round is left out each minute, then none",
        onTwo("rule_group_iterations_missed_total", { rule_group }),
        {
          rule: missed,
          labels: { job: "prometheus", rule_group },
          description: `5 rounds of ${rule_group} were left out within 5 minutes.`,
          pendingAt: 5,
          firesAt: 6,
          stillAt: 19,
          goneAt: 20,
          stillDescription: `1 rounds of ${rule_group} were left out within 5 minutes.`,
        },
      ),
      firingCase("a single one", [prometheus("rule_evaluation_failures_total", once, { rule_group })], {
        rule: failed,
        labels: { job: "prometheus", rule_group },
        description: `1 evaluations of ${rule_group} failed within 5 minutes.`,
        pendingAt: 2,
        firesAt: 3,
      }),
      firingCase(
        "a single one is left out soon after the start, then one each 4 minutes",
        [
          prometheus(
            "rule_group_iterations_missed_total",
            counterOf([1, 0, 0, 0, 1, 0, 0, 0, 1, ...repeated(10, 0)], 0),
            { rule_group },
          ),
        ],
        {
          rule: missed,
          labels: { job: "prometheus", rule_group },
          description: `1 rounds of ${rule_group} were left out within 5 minutes.`,
          pendingAt: 5,
          firesAt: 6,
        },
      ),
      quietCase(
        "none of late",
        [
          prometheus("rule_evaluation_failures_total", "7x20", { rule_group }),
          prometheus("rule_group_iterations_missed_total", "7x20", { rule_group }),
        ],
        3,
        6,
        20,
      ),
      quietCase(
        "a round was left out once",
        [prometheus("rule_group_iterations_missed_total", counterOf([0, 1, ...each(20, 0)]), { rule_group })],
        4,
        7,
        20,
      ),
    ],
  ),
  alertFamily(
    file,
    "PrometheusStorageNearlyFull",
    () => {
      const bytes = ["storage_blocks_bytes", "wal_storage_size_bytes", "head_chunks_storage_size_bytes"];
      const used = bytes.map((each) => `prometheus_tsdb_${each}{job="prometheus"}`).join(" + ");
      return [
        {
          severity: "warning",
          // Without a limit by size it is 0.
          expr: `(${used}) / (prometheus_tsdb_retention_limit_bytes{job="prometheus"} > 0) > 0.9`,
          forSeconds: 900,
          // The write-ahead log grows for two hours and shrinks at once: near the limit this comes and goes with it.
          keepFiringForSeconds: 10_800,
          summary: "Prometheus is about to drop samples that the error budgets need.",
          description:
            "{{ $value | humanizePercentage }} of the room for samples is used; at its limit the oldest days go.",
          dashboard: "telemetry",
        },
      ];
    },
    (rule) => [
      firingCase(
        "a little more than 90% with blocks, WAL and head together, until there is more room",
        storage("801x300", held([1_000, 20], [2_000, 280])),
        {
          rule: rule,
          labels: ofPrometheus,
          description: rule.description.replace(/{{.*}}/, "90.1%"),
          pendingAt: 14,
          firesAt: 15,
          stillAt: 199,
          goneAt: 200,
        },
      ),
      quietCase("90%", storage("800x30"), 15, 30),
      quietCase("no limit by size", storage("750x30", "0x30"), 15, 30),
    ],
  ),
  alertFamily(
    file,
    "AlertmanagerNotificationsFailing",
    ({ happened }) => [
      {
        severity: "critical",
        expr: `sum by (job, integration) (${happened('alertmanager_notifications_failed_total{job="alertmanager"}', 300)}) > 0`,
        forSeconds: 120,
        keepFiringForSeconds: settlingSeconds,
        summary: "Alertmanager can't deliver alerts.",
        description: '{{ $value | printf "%.0f" }} notifications by {{ $labels.integration }} failed within 5 minutes.',
        dashboard: "telemetry",
      },
      {
        severity: "critical",
        expr: `sum by (job, alertmanager) (${happened('prometheus_notifications_dropped_total{job="prometheus"}', 300)}) > 0`,
        forSeconds: 120,
        keepFiringForSeconds: settlingSeconds,
        labels: { integration: "prometheus" },
        summary: "Prometheus can't reach Alertmanager.",
        description:
          '{{ $value | printf "%.0f" }} alerts for {{ $labels.alertmanager }} were dropped within 5 minutes.',
        dashboard: "telemetry",
      },
    ],
    (delivery, reach) => [
      firingCase("e-mail fails each minute at two Alertmanagers, then no more", failedNotifications(tenMinutes), {
        rule: delivery,
        labels: { job: "alertmanager", integration: "email" },
        description: "3 notifications by email failed within 5 minutes.",
        pendingAt: 2,
        firesAt: 3,
        stillAt: 19,
        goneAt: 20,
        stillDescription: "1 notifications by email failed within 5 minutes.",
      }),
      firingCase(
        "Alertmanager is not there for 10 minutes",
        onTwo("notifications_dropped_total", { alertmanager: "http://m/api" }),
        {
          rule: reach,
          labels: { job: "prometheus", alertmanager: "http://m/api" },
          description: "3 alerts for http://m/api were dropped within 5 minutes.",
          pendingAt: 2,
          firesAt: 3,
          stillAt: 19,
          goneAt: 20,
          stillDescription: "1 alerts for http://m/api were dropped within 5 minutes.",
        },
      ),
      firingCase("a single one is not delivered", [failedNotifications(once)[0]!], {
        rule: delivery,
        labels: { job: "alertmanager", integration: "email" },
        description: "1 notifications by email failed within 5 minutes.",
        pendingAt: 2,
        firesAt: 3,
      }),
      firingCase(
        "a single one is dropped",
        [prometheus("notifications_dropped_total", once, { alertmanager: "http://m/api" })],
        {
          rule: reach,
          labels: { job: "prometheus", alertmanager: "http://m/api" },
          description: "1 alerts for http://m/api were dropped within 5 minutes.",
          pendingAt: 2,
          firesAt: 3,
        },
      ),
      quietCase(
        "failed long ago",
        [
          ...failedNotifications("7x20"),
          prometheus("notifications_dropped_total", "7x20", { alertmanager: "http://m/api" }),
        ],
        3,
        20,
      ),
    ],
  ),
  alertFamily(
    file,
    "Watchdog",
    () => [
      {
        severity: "none",
        expr: "vector(1)",
        forSeconds: 0,
        keepFiringForSeconds: 0,
        summary: "Alerting works from end to end.",
        description:
          "Always firing. When it stops arriving, Prometheus, Alertmanager or the way to the receiver is broken.",
        dashboard: "telemetry",
      },
    ],
    (rule) => [
      firingCase("from the first evaluation on, whatever is seen", [], {
        rule: rule,
        labels: {},
        description: rule.description,
        firesAt: 0,
      }),
    ],
  ),
];
