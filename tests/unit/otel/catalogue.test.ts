import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { metricsDocument } from "../../../infra/monitoring/generate/generate-metrics-doc.ts";
import { allowedAttributes, combinationsOf, seriesCeiling } from "../../../otel/api/catalogue/attribute-sets.ts";
import { catalogue, metricDefinitions } from "../../../otel/api/catalogue/catalogue.ts";
import { boundsOf } from "../../../otel/api/catalogue/metric-definition.ts";
import { familyName, isCounter, labelName, prometheusName } from "../../../otel/api/catalogue/metric-names.ts";
import { metricViews } from "../../../otel/metrics/views.ts";

/** Ours, and those of others that one could set: a namespace and a subsystem. */
const prefixes = [
  "mlops_backend",
  "http_server",
  "db_client",
  "process_cpu",
  "v8js_memory",
  "nodejs_heap",
  "target_info",
];

test.for(prefixes)("no two metrics share a name with prefix %s, whatever suffixes they take", (prefix) => {
  const names = metricDefinitions.flatMap(([, definition]) => {
    // A gauge `x` and a counter `x` are one family in OpenMetrics.
    const name = familyName(definition, prefix);
    if (isCounter(definition.kind)) return [name, `${name}_total`, `${name}_created`];
    const suffixes = ["_bucket", "_sum", "_count", "_created"].map((suffix) => `${name}${suffix}`);
    return definition.kind === "histogram" ? [name, ...suffixes] : [name];
  });
  expect(new Set(names).size).toBe(names.length);
  expect(names.every((name) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name))).toBe(true);
});

test("the catalogue has every metric of each domain's file, and each key once", async () => {
  const folder = join(import.meta.dirname, "../../../otel/api/catalogue");
  const keys: string[] = [];
  for (const name of readdirSync(folder).filter((each) => each !== "catalogue.ts")) {
    const exported = Object.entries((await import(join(folder, name))) as Record<string, object>);
    for (const [, table] of exported.filter(([key]) => key.endsWith("Metrics"))) keys.push(...Object.keys(table));
  }
  // A key that two files have would be one metric that takes the other's place, and nothing else says so.
  expect(keys.sort()).toEqual(Object.keys(catalogue).sort());
});

test("no two attributes of a metric become the same label", () => {
  for (const [, { name, attributes }] of metricDefinitions) {
    const labels = Object.keys(attributes).map(labelName);
    expect(new Set(labels).size, name).toBe(labels.length);
    expect(labels).not.toContain("le");
  }
});

test("names are those of the design's table", () => {
  const names = new Set(metricDefinitions.map(([, definition]) => prometheusName(definition)));
  for (const name of [
    "http_server_request_duration_seconds",
    "http_server_request_body_size_bytes",
    "http_server_response_body_size_bytes",
    "http_server_active_requests",
    "mlops_backend_http_requests_total",
    "mlops_backend_dataset_uploads_total",
    "mlops_backend_dataset_upload_rejections_total",
    "mlops_backend_dataset_upload_size_bytes",
    "mlops_backend_dataset_profile_duration_seconds",
    "mlops_backend_datasets",
    "mlops_backend_storage_bytes",
    "mlops_backend_storage_filesystem_available_bytes",
    "mlops_backend_storage_filesystem_size_bytes",
    "mlops_backend_training_runs_total",
    "mlops_backend_training_failures_total",
    "mlops_backend_training_retries_total",
    "mlops_backend_training_duration_seconds",
    "mlops_backend_training_queue_wait_seconds",
    "mlops_backend_training_queue_jobs",
    "mlops_backend_training_queue_oldest_age_seconds",
    "mlops_backend_training_worker_slots",
    "mlops_backend_training_timeout_seconds",
    "mlops_backend_training_relative_error",
    "mlops_backend_predictions_total",
    "mlops_backend_prediction_rows_total",
    "mlops_backend_prediction_unknown_values_total",
    "mlops_backend_prediction_duration_seconds",
    "mlops_backend_dataset_ttl_cycles_total",
    "mlops_backend_dataset_ttl_cycle_duration_seconds",
    "mlops_backend_dataset_ttl_datasets_removed_total",
    "mlops_backend_dataset_ttl_files_removed_total",
    "mlops_backend_dataset_ttl_files_missing_total",
    "mlops_backend_dataset_ttl_errors_total",
    "mlops_backend_dataset_ttl_lag_seconds",
    "mlops_backend_dataset_ttl_last_success_timestamp_seconds",
    "mlops_backend_dataset_ttl_enabled",
    "mlops_backend_dataset_ttl_interval_seconds",
    "mlops_backend_artifacts_removed_total",
    "mlops_backend_files_missing",
    "db_client_operation_duration_seconds",
    "db_client_connection_count",
    "db_client_connection_max",
    "db_client_connection_pending_requests",
    "v8js_gc_duration_seconds",
    "nodejs_heap_size_limit_bytes",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_open_fds",
    "process_max_fds",
    "mlops_backend_state_readable",
    "mlops_backend_metrics_series",
    "mlops_backend_metrics_dropped_total",
    "mlops_backend_metrics_collection_duration_seconds",
    "mlops_backend_telemetry_export_dropped_total",
    "mlops_backend_build_info",
  ]) {
    expect(names).toContain(name);
  }
});

test("every histogram has ascending bounds, and its view has the same", () => {
  const views = metricViews([0.25, 0.5]);
  for (const [, definition] of metricDefinitions.filter(([, { kind }]) => kind === "histogram")) {
    const bounds = boundsOf(definition, [0.25, 0.5]);
    expect(bounds.length).toBeGreaterThan(0);
    expect([...bounds].sort((a, b) => a - b)).toEqual(bounds);
    const view = views.find(({ instrumentName }) => instrumentName === definition.name);
    expect(view?.aggregation).toMatchObject({ options: { boundaries: bounds } });
  }
  // Rules name this one: twice the default training time-out must be reachable.
  expect(Math.max(...catalogue.trainingDuration.bounds)).toBeGreaterThanOrEqual(1200);
});

test("a value outside its closed set becomes other, and what is not declared is left out", () => {
  const given = { mode: "turbo", task: "regression", outcome: "failed", dataset: "secret.csv" };
  expect(allowedAttributes(catalogue.trainingRuns, given)).toEqual({
    mode: "other",
    task: "regression",
    outcome: "failed",
  });
});

test("metrics that start at 0 have closed sets, or routes that are declared", () => {
  for (const [key, definition] of metricDefinitions.filter(([, { fromStart }]) => fromStart)) {
    if (key !== "httpRequests") expect(combinationsOf(definition), definition.name).toBeDefined();
  }
});

test("every metric has a ceiling and a line in the document", () => {
  const document = metricsDocument({ freshStart: {}, afterDemo: {} }, []);
  for (const [, definition] of metricDefinitions) {
    expect(seriesCeiling(definition), definition.name).toBeLessThanOrEqual(12_000);
    expect(document).toContain(`\`${prometheusName(definition)}\``);
  }
});
