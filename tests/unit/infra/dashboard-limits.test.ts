import { expect, test } from "vitest";
import { parse } from "yaml";
import { generatedFiles } from "../../../infra/monitoring/generate/generate.ts";
import { objectives } from "../../../infra/monitoring/objectives.ts";

interface Thresholds {
  readonly steps: readonly { readonly value: number | null }[];
}
interface Panel {
  readonly title: string;
  readonly fieldConfig?: {
    readonly defaults: { readonly thresholds?: Thresholds };
    readonly overrides?: readonly {
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
  readonly targets?: readonly { readonly expr?: string }[];
}
const generated = [...generatedFiles()];
const panels = generated
  .filter(([path]) => path.startsWith("infra/monitoring/grafana/dashboards/"))
  .flatMap(([, text]) => (JSON.parse(text) as { panels: readonly Panel[] }).panels);
const rules = new Map(
  generated
    .filter(([path]) => path.includes("/prometheus/rules/"))
    .flatMap(([, text]) => (parse(text) as { groups: { rules: { alert?: string; expr: string }[] }[] }).groups)
    .flatMap(({ rules }) => rules.map(({ alert = "", expr }) => [alert, expr] as const)),
);
const least = "1 of it is too much";
/** What a query shows, the limit of it, and the alert that says so or the objective whose word it is. */
const limits: readonly (readonly [shown: RegExp, limit: number | typeof least, alert?: string, beside?: RegExp])[] = [
  [/eventloop_delay_max/, 1, "EventLoopBlocked"],
  [/heap_used_bytes/, 0.9, "HeapNearLimit", /^nodejs_heap_size_limit/],
  [/open_fds/, 0.8, "FileDescriptorsNearLimit", /^process_max_fds/],
  [/^changes\(process_start_time/, 3],
  [/connection_pending_requests/, least, "DatabasePoolSaturated"],
  [/state_readable/, least, "StateUnreadable"],
  [/\bup\{/, least],
  [/files_missing\{/, least, "FilesMissing"],
  [/filesystem_available_bytes\S* \/ /, 0.05],
  [/uploads_total\{[^}]*outcome="failed"/, least],
  [/ttl_lag_seconds/, 2, undefined, /ttl_interval_seconds/],
  [/ttl_last_success/, 3, undefined, /ttl_interval_seconds/],
  [/metrics_series\{.*\/ \d+$/, 0.8],
  [/metrics_dropped_total/, least, "MetricsDropped"],
  [/export_dropped_total/, least, "TelemetryExportFailing"],
  [/rule_evaluation_failures_total/, least, "PrometheusRuleFailing"],
  [/notifications_failed_total/, least, "AlertmanagerNotificationsFailing", /alertmanager_notifications_total/],
  [/tsdb_storage_blocks_bytes/, 0.9, "PrometheusStorageNearlyFull", /^prometheus_tsdb_retention_limit/],
  [/training_failures_total\{[^}]*error_type!~"data\|out_of_memory"/, least],
  [/queue_oldest_age_seconds/, 60],
  [/queue_wait_seconds_bucket/, 60],
  [/outcome="server_error".* \/ /, 1 - objectives.http_availability.target],
  [/quantile\(0\.9\d*, .*server_request_duration_seconds_bucket/, 0.5],
  [/^objective:errors:ratio/, 1 - objectives.http_latency.target],
  [/^min by \(objective\) \(objective:error_budget_remaining/, 0],
];
const stepsOf = ({ fieldConfig }: Panel): number[] =>
  [
    fieldConfig?.defaults.thresholds,
    ...(fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
      properties.filter(({ id }) => id === "thresholds").map(({ value }) => value as Thresholds),
    ),
  ].flatMap((thresholds) => thresholds?.steps.flatMap(({ value }) => value ?? []) ?? []);

const named = limits.map(([shown, limit, alert, beside]) => ({ shown, limit, alert, beside }));
test.each(named)("what shows $shown colours it, or draws the limit, at $limit", ({ shown, limit, alert, beside }) => {
  if (alert !== undefined) expect(rules.get(alert)).toMatch(limit === least ? /> 0$|== 0/ : new RegExp(`> ${limit}$`));
  const showing = panels.filter((panel) => panel.targets?.some(({ expr = "" }) => shown.test(expr)));
  expect(showing.length).toBeGreaterThan(0);
  const uncoloured = showing.filter((panel) => {
    if (beside !== undefined && panel.targets?.some(({ expr = "" }) => beside.test(expr))) return false;
    // Of an increase that is extrapolated, half of one is one.
    return !stepsOf(panel).some((step) => (limit === least ? step > 0 && step <= 1 : Math.abs(step - limit) < 1e-9));
  });
  expect(uncoloured.map(({ title }) => title)).toEqual([]);
});
