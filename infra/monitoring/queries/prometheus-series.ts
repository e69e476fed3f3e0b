import type { KnownSeries } from "./lint-promql.ts";

const gauge = (...labels: string[]): KnownSeries => ({
  kind: "gauge",
  labels: new Map(labels.map((label) => [label, undefined])),
});
const counter = (...labels: string[]): KnownSeries => ({ ...gauge(...labels), kind: "counter" });

/** What Prometheus and Alertmanager say of themselves and of their targets, as far as dashboards, rules and docs ask for it. */
export const prometheusSeries = {
  up: gauge(),
  scrape_duration_seconds: gauge(),
  scrape_samples_scraped: gauge(),
  scrape_samples_post_metric_relabeling: gauge(),
  // It also has every other label of its alert: those that ours set stand here.
  ALERTS: gauge("alertname", "alertstate", "severity", "objective", "window", "reason"),
  ALERTS_FOR_STATE: gauge("alertname", "severity", "objective"),
  prometheus_build_info: gauge("version"),
  prometheus_config_last_reload_successful: gauge(),
  prometheus_notifications_alertmanagers_discovered: gauge(),
  prometheus_notifications_dropped_total: counter("alertmanager"),
  prometheus_notifications_errors_total: counter("alertmanager"),
  prometheus_notifications_sent_total: counter("alertmanager"),
  prometheus_remote_storage_highest_timestamp_in_seconds: gauge(),
  prometheus_remote_storage_queue_highest_sent_timestamp_seconds: gauge("remote_name", "url"),
  prometheus_rule_evaluation_failures_total: counter("rule_group"),
  prometheus_rule_evaluations_total: counter("rule_group"),
  prometheus_rule_group_iterations_missed_total: counter("rule_group"),
  prometheus_rule_group_last_duration_seconds: gauge("rule_group"),
  prometheus_tsdb_head_chunks_storage_size_bytes: gauge(),
  prometheus_tsdb_head_series: gauge(),
  prometheus_tsdb_retention_limit_bytes: gauge(),
  prometheus_tsdb_storage_blocks_bytes: gauge(),
  prometheus_tsdb_wal_storage_size_bytes: gauge(),
  alertmanager_notifications_total: counter("integration"),
  alertmanager_notifications_failed_total: counter("integration", "reason"),
} as const satisfies Record<string, KnownSeries>;

export type PrometheusSeriesName = keyof typeof prometheusSeries;
