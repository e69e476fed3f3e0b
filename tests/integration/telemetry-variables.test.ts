import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { openTelemetryNames, openTelemetryVariables } from "../../otel/settings/variables/all-variables.ts";
import { makeAuthority } from "../support/certificates.ts";
import { GrpcReceiver } from "../support/grpc-receiver.ts";
import { OtlpReceiver, type ReceivedSpan } from "../support/otlp-receiver.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";
import { warningsOf } from "../support/warnings-of.ts";

const folder = mkdtempSync(join(tmpdir(), "telemetry-variables-"));
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
/** Names that a test below saw followed. */
const followed = new Set<string>();
let starts = 0;
let forTest = new AsyncDisposableStack();
afterEach(async () => {
  await forTest.disposeAsync();
  forTest = new AsyncDisposableStack();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(env: Record<string, string>): Promise<RunningService> {
  starts += 1;
  for (const name of Object.keys(env)) followed.add(name);
  const service = await startService({ env });
  forTest.defer(() => service.stop());
  return service;
}

const metricsUrlOf = ({ lines }: RunningService): string =>
  JSON.parse(lines.find((line) => line.includes('"ready"')) ?? "{}").metricsUrl;

const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const table = `a,b,target\n${Array.from({ length: 60 }, (_, row) => `${row},${row % 7},${row % 2 ? "x" : "y"}`).join("\n")}\n`;
const [theirTrace, theirSpan] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
/** Numbers have no length. */
const textsOf = (attributes: Record<string, unknown>): string[] =>
  Object.values(attributes).filter((value) => typeof value === "string");
const isRequest = ({ kind }: ReceivedSpan): boolean => kind === 2;

test("over HTTP: each signal its address, way, headers and time; limits, batches, b3, resource and a port of /metrics", async () => {
  const receiver = forTest.use(await OtlpReceiver.start());
  const service = await start({
    OTEL_SDK_DISABLED: "no",
    OTEL_SERVICE_NAME: "walk",
    OTEL_RESOURCE_ATTRIBUTES:
      "service.name=other,deployment.environment=test,service.namespace=ml,k8s.pod.name=x,alone",
    OTEL_NODE_RESOURCE_DETECTORS: "none",
    OTEL_METRICS_EXPORTER: "prometheus,otlp",
    METRICS_PORT: "0",
    OTEL_EXPORTER_PROMETHEUS_PORT: "9464",
    OTEL_EXPORTER_PROMETHEUS_HOST: "127.0.0.2",
    OTEL_METRIC_EXPORT_INTERVAL: "500",
    OTEL_METRIC_EXPORT_TIMEOUT: "30000",
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "cumulative",
    OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: "base2_exponential_bucket_histogram",
    OTEL_METRICS_EXEMPLAR_FILTER: "always_on",
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_LOGS_EXPORTER: "otlp",
    OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/all`,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/t/v1/traces`,
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${receiver.url}/m/v1/metrics`,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/protobuf",
    OTEL_EXPORTER_OTLP_HEADERS_FILE: file("all-headers", "x-all=file%20one\n"),
    OTEL_EXPORTER_OTLP_TRACES_HEADERS_FILE: file("trace-headers", "x-traces=1\n"),
    OTEL_EXPORTER_OTLP_METRICS_HEADERS_FILE: file("metric-headers", "x-metrics=1\n"),
    OTEL_EXPORTER_OTLP_LOGS_HEADERS_FILE: file("log-headers", "x-logs=1\n"),
    OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
    OTEL_EXPORTER_OTLP_LOGS_COMPRESSION: "none",
    OTEL_PROPAGATORS: "b3,xray,tracecontext",
    OTEL_TRACES_SAMPLER: "always_on",
    OTEL_TRACES_SAMPLER_ARG: "0",
    OTEL_BSP_SCHEDULE_DELAY: "50",
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "1",
    OTEL_BLRP_SCHEDULE_DELAY: "50",
    OTEL_BLRP_MAX_QUEUE_SIZE: "30",
    OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: "31",
    OTEL_ATTRIBUTE_COUNT_LIMIT: "5",
    OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "4",
    OTEL_NODE_ENABLED_INSTRUMENTATIONS: "http,express,redis",
    OTEL_RESOURCE_ATTRIBUTES_POD_NAME: "walk-0",
    OTEL_INJECTOR_LOG_LEVEL: "off",
  });
  const headers = { "X-B3-TraceId": theirTrace, "X-B3-SpanId": theirSpan, "X-B3-Sampled": "1" };
  await service.call("GET", "/datasets", undefined, headers);
  const span = await receiver.until((spans) => spans.find((each) => isRequest(each) && each.traceId === theirTrace));
  expect(span.parentSpanId).toBe(theirSpan);
  expect(span.resource).toMatchObject({
    "service.name": "walk",
    "service.namespace": "ml",
    "deployment.environment.name": "test",
  });
  expect(span.resource).not.toHaveProperty("k8s.pod.name");
  // Of what it sets first, what may leave is sent.
  expect(Object.keys(span.attributes).length).toBeLessThanOrEqual(5);
  const log = await eventually(async () => receiver.logs.find(({ traceId }) => traceId === theirTrace));
  expect(Object.keys(log.attributes)).toHaveLength(5);
  for (const text of textsOf(log.attributes)) expect(text.length).toBeLessThanOrEqual(4);
  await eventually(async () => receiver.metrics.length > 1);

  const byPath = (path: string) => receiver.requests.filter((request) => request.path === path);
  // Metrics and a batch of one span after the other: as many exports as spans.
  await eventually(async () => byPath("/t/v1/traces").length === receiver.spans.length);
  expect(new Set(receiver.requests.map(({ path }) => path))).toEqual(
    new Set(["/t/v1/traces", "/m/v1/metrics", "/all/v1/logs"]),
  );
  const [traces, metrics, logs] = ["/t/v1/traces", "/m/v1/metrics", "/all/v1/logs"].map(
    (path) => byPath(path)[0]?.headers,
  );
  expect(traces).toMatchObject({
    "content-type": "application/x-protobuf",
    "content-encoding": "gzip",
    "x-traces": "1",
  });
  expect(metrics).toMatchObject({ "content-type": "application/json", "content-encoding": "gzip", "x-metrics": "1" });
  expect(logs).toMatchObject({ "content-type": "application/json", "x-all": "file one", "x-logs": "1" });
  expect(logs).not.toHaveProperty("content-encoding");

  expect(metricsUrlOf(service)).toMatch(/^http:\/\/127\.0\.0\.2:\d+\/metrics$/);
  expect((await fetch(metricsUrlOf(service))).status).toBe(200);
  expect((await service.call("GET", "/metrics")).status).toBe(404);

  expect(warningsOf(service)).toEqual([
    `set, and without effect here: ${[
      "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE (OTEL_BLRP_MAX_QUEUE_SIZE is smaller)",
      "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION (histograms have the bounds of docs/metrics.md, and are not exponential)",
      "OTEL_EXPORTER_PROMETHEUS_PORT (METRICS_PORT=0 wins)",
      "OTEL_METRICS_EXEMPLAR_FILTER (outside of a trace an exemplar would lead nowhere: as trace_based)",
      "OTEL_METRIC_EXPORT_TIMEOUT (another one, or the interval, leaves 500 ms)",
      "OTEL_NODE_ENABLED_INSTRUMENTATIONS (redis: not among http, express, pg, undici, pino)",
      "OTEL_PROPAGATORS (xray: not among tracecontext, baggage, b3, b3multi, none)",
      "OTEL_RESOURCE_ATTRIBUTES (without k8s.pod.name, alone, which stays in this process)",
      "OTEL_SDK_DISABLED (only true switches it off)",
      "OTEL_TRACES_SAMPLER_ARG (OTEL_TRACES_SAMPLER=always_on has no share)",
    ].join("; ")}`,
  ]);
});

test.runIf(hasOpenssl)("over gRPC: all signals, with certificates of their own, and the limits of each", async () => {
  const [authority, other] = [makeAuthority(folder, "authority"), makeAuthority(folder, "other-authority")];
  const [endpoint, ours, others] = [
    authority.issue("endpoint", "IP:127.0.0.1"),
    authority.issue("ours"),
    other.issue("others"),
  ];
  const receiver = forTest.use(
    await GrpcReceiver.start({
      ca: readFileSync(authority.cert),
      key: readFileSync(endpoint.key),
      cert: readFileSync(endpoint.cert),
    }),
  );
  const certificates = (signal: string, ca: string, { cert, key }: { cert: string; key: string }) => ({
    [`OTEL_EXPORTER_OTLP_${signal}CERTIFICATE`]: ca,
    [`OTEL_EXPORTER_OTLP_${signal}CLIENT_CERTIFICATE`]: cert,
    [`OTEL_EXPORTER_OTLP_${signal}CLIENT_KEY`]: key,
  });
  const service = await start({
    ...certificates("", other.cert, others),
    ...certificates("TRACES_", authority.cert, ours),
    ...certificates("LOGS_", authority.cert, ours),
    ...certificates("METRICS_", authority.cert, ours),
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${receiver.url}/`,
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "grpc",
    OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: "grpc",
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "grpc",
    OTEL_EXPORTER_OTLP_HEADERS: "X-Tenant=team%20a",
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-traces=1",
    OTEL_EXPORTER_OTLP_LOGS_HEADERS: "x-logs=1",
    OTEL_EXPORTER_OTLP_METRICS_HEADERS: "x-metrics=1",
    OTEL_EXPORTER_OTLP_COMPRESSION: "none",
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: "gzip",
    OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: "gzip",
    OTEL_METRICS_EXPORTER: "prometheus,otlp",
    OTEL_METRIC_EXPORT_INTERVAL: "5000",
    OTEL_METRICS_EXEMPLAR_FILTER: "always_off",
    OTEL_EXPORTER_PROMETHEUS_PORT: "0",
    OTEL_BSP_SCHEDULE_DELAY: "50",
    OTEL_BLRP_SCHEDULE_DELAY: "50",
    OTEL_NODE_DISABLED_INSTRUMENTATIONS: "express,pg",
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: "3",
    OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: "2",
    OTEL_SPAN_EVENT_COUNT_LIMIT: "0",
    OTEL_SPAN_LINK_COUNT_LIMIT: "0",
    OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: "0",
    OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: "0",
    OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: "1",
    OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: "3",
  });
  const { id } = (await service.upload(table)).json;
  await service.train(id);
  await eventually(async () => receiver.spans.some(({ name }) => name === "process training"));
  await eventually(async () => receiver.logs.length > 0 && receiver.metrics.length > 0);
  for (const { attributes, links, scope } of receiver.spans) {
    expect(links).toEqual([]);
    expect(scope).not.toMatch(/express|pg/);
    expect(Object.keys(attributes).length).toBeLessThanOrEqual(3);
    for (const text of textsOf(attributes)) expect(text.length).toBeLessThanOrEqual(2);
  }
  for (const { attributes } of receiver.logs) expect(Object.keys(attributes).length).toBeLessThanOrEqual(1);
  expect(receiver.metrics.map(({ name }) => name)).toContain("mlops.backend.dataset.uploads");
  expect(receiver.metadata.get("Trace")).toMatchObject({ "x-tenant": "team a", "x-traces": "1" });
  expect(receiver.metadata.get("Logs")).toMatchObject({ "x-tenant": "team a", "x-logs": "1" });
  expect(receiver.metadata.get("Metrics")).toMatchObject({ "x-tenant": "team a", "x-metrics": "1" });
  const accept = { Accept: "application/openmetrics-text; version=1.0.0" };
  const exposition = await (await fetch(metricsUrlOf(service), { headers: accept })).text();
  expect(exposition).toContain("mlops_backend_training_duration_seconds_count");
  expect(exposition).not.toContain("trace_id");
  expect(warningsOf(service)).toEqual([]);
  expect(await service.halt()).toBe(0);
  // Nearly every span and line is over a limit.
  for (const kind of ["Dropping extra attributes.", "Dropped some links because linkCountLimit reached"])
    expect(service.errorLines.filter((line) => line.includes(kind))).toHaveLength(1);
});

const longest = "3600000";
test.each<Record<string, string>>([
  {
    OTEL_EXPORTER_OTLP_TIMEOUT: longest,
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "200",
    OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: "200",
    OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: "200",
  },
  {
    OTEL_EXPORTER_OTLP_TIMEOUT: longest,
    OTEL_BSP_EXPORT_TIMEOUT: "200",
    OTEL_BLRP_EXPORT_TIMEOUT: "200",
    OTEL_METRIC_EXPORT_TIMEOUT: "200",
    OTEL_BSP_MAX_QUEUE_SIZE: "100",
  },
])("an endpoint that hangs is given up by the time of each signal: %j", async (times) => {
  const receiver = forTest.use(await OtlpReceiver.start());
  receiver.answer = "hang";
  const service = await start({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_METRICS_EXPORTER: "prometheus,otlp",
    OTEL_METRIC_EXPORT_INTERVAL: "500",
    OTEL_BSP_SCHEDULE_DELAY: "50",
    OTEL_BLRP_SCHEDULE_DELAY: "50",
    ...times,
  });
  await service.call("GET", "/datasets");
  for (const signal of ["traces", "logs", "metrics"])
    await eventually(
      async () => (await service.metric("mlops_backend_telemetry_export_dropped_total", { signal })) > 0,
    );
});

test("each variable that does anything was seen to do it", ({ skip }) => {
  skip(starts < 4, "only after all the others, which need openssl");
  const doing = openTelemetryNames.filter((name) => openTelemetryVariables[name]?.needs !== "nothing");
  expect(doing.filter((name) => !followed.has(name))).toEqual([]);
});
