import { expect, test } from "vitest";
import { readMetricSettings } from "../../../otel/settings/metric-settings.ts";
import { readTelemetrySettings } from "../../../otel/settings/telemetry-settings.ts";
import { unheardVariables } from "../../../otel/settings/variables/unheard.ts";

const otlp = { OTEL_METRICS_EXPORTER: "otlp" };
const read = (env: Record<string, string>) => readMetricSettings(env).settings;

test("Prometheus comes and reads unless something else is asked for, whatever endpoint there is", () => {
  const byDefault = {
    prometheus: true,
    address: { host: undefined, port: undefined },
    exemplars: true,
    otlp: undefined,
    console: false,
    intervalMillis: 60_000,
  };
  for (const env of [
    {},
    { OTEL_METRICS_EXPORTER: "" },
    { OTEL_METRICS_EXPORTER: "prometheus" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" },
    { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://collector:4318/v1/metrics" },
  ])
    expect(readMetricSettings(env)).toEqual({ settings: byDefault, faults: [] });
});

test("each exporter that is named is there, none is none", () => {
  const those = (value: string) => {
    const { prometheus, otlp: sent, console } = read({ OTEL_METRICS_EXPORTER: value });
    return { prometheus, otlp: sent !== undefined, console };
  };
  expect(those("otlp")).toEqual({ prometheus: false, otlp: true, console: false });
  expect(those("prometheus,otlp")).toEqual({ prometheus: true, otlp: true, console: false });
  expect(those(" console , prometheus,console")).toEqual({ prometheus: true, otlp: false, console: true });
  expect(those("none")).toEqual({ prometheus: false, otlp: false, console: false });
});

test("metrics that go nowhere are not measured, and PROMETHEUS__ENABLED=false leaves out Prometheus alone", () => {
  const metricsOf = (env: Record<string, string>) => readTelemetrySettings(env).settings.metrics;
  expect(metricsOf({ OTEL_METRICS_EXPORTER: "none" })).toBeUndefined();
  expect(readTelemetrySettings({ OTEL_METRICS_EXPORTER: "none" }).settings.enabled).toBe(false);
  expect(metricsOf({ PROMETHEUS__ENABLED: "false" })).toBeUndefined();
  expect(metricsOf({ PROMETHEUS__ENABLED: "false", OTEL_METRICS_EXPORTER: "prometheus,otlp" })).toMatchObject({
    prometheus: false,
    otlp: { protocol: "http/protobuf" },
  });
  expect(metricsOf({ ...otlp, OTEL_SDK_DISABLED: "true" })).toBeUndefined();
});

test("how they are sent is said for all signals or for metrics, and an export has the least of three times", () => {
  expect(read(otlp).otlp).toEqual({ protocol: "http/protobuf", headers: undefined, timeoutMillis: 10_000 });
  const set = {
    ...otlp,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_METRICS_HEADERS: "x-tenant=a",
    OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: "20000",
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "Cumulative",
  };
  expect(readMetricSettings(set)).toMatchObject({
    settings: { otlp: { protocol: "http/json", headers: { "x-tenant": "a" }, timeoutMillis: 20_000 } },
    faults: [],
  });
  expect(read({ ...set, OTEL_METRIC_EXPORT_TIMEOUT: "15000" }).otlp?.timeoutMillis).toBe(15_000);
  const often = { ...set, OTEL_METRIC_EXPORT_INTERVAL: "5000" };
  expect(read(often)).toMatchObject({ intervalMillis: 5_000, otlp: { timeoutMillis: 5_000 } });
});

test.each([
  ["OTEL_METRICS_EXPORTER", "zipkin"],
  ["OTEL_METRICS_EXPORTER", "otlp,none"],
  ["OTEL_METRICS_EXPORTER", "otlp prometheus"],
  ["OTEL_METRICS_EXPORTER", ","],
  ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "collector:4318"],
  ["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "thrift"],
  ["OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "zstd"],
  ["OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "10s"],
  ["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"],
  ["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "lowmemory"],
  ["OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "summary"],
  ["OTEL_METRICS_EXEMPLAR_FILTER", "sometimes"],
  ["OTEL_METRIC_EXPORT_INTERVAL", "0"],
  // A timer of Node's that is longer than that fires at once, again and again.
  ["OTEL_METRIC_EXPORT_INTERVAL", "2147483648"],
  ["OTEL_METRIC_EXPORT_TIMEOUT", "soon"],
])("%s=%s is refused by name", (name, value) => {
  expect(readTelemetrySettings({ ...otlp, [name]: value }).faults).toEqual([
    expect.stringMatching(new RegExp(`^${name} must be `)),
  ]);
});

test("what is set of sending, and not asked for, is told", () => {
  const set = { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://c:4318", OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: " " };
  const toldOf = (env: Record<string, string>) => unheardVariables(env, readTelemetrySettings(env).settings);
  expect(toldOf(set)).toEqual(["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT (OTEL_METRICS_EXPORTER has no otlp)"]);
  expect(toldOf({ ...set, OTEL_METRICS_EXPORTER: "prometheus,otlp" })).toEqual([]);
  expect(toldOf({ ...set, OTEL_SDK_DISABLED: "true" })).toEqual([]);
  expect(toldOf({ OTEL_METRIC_EXPORT_INTERVAL: "abc" })).toEqual([
    "OTEL_METRIC_EXPORT_INTERVAL (OTEL_METRICS_EXPORTER has neither otlp nor console)",
  ]);
  expect(toldOf({ ...set, OTEL_METRIC_EXPORT_INTERVAL: "100", OTEL_METRICS_EXPORTER: "console" })).toEqual([
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT (OTEL_METRICS_EXPORTER has no otlp)",
  ]);
});

test("OpenTelemetry's own address of /metrics is read where there is one", () => {
  const addressOf = (env: Record<string, string>) => readMetricSettings(env);
  const both = { OTEL_EXPORTER_PROMETHEUS_HOST: "[::1]", OTEL_EXPORTER_PROMETHEUS_PORT: "9464" };
  expect(addressOf(both).settings.address).toEqual({ host: "::1", port: 9464 });
  expect(addressOf({ ...both, OTEL_METRICS_EXPORTER: "none" }).settings.address.port).toBeUndefined();
  // What Kubernetes sets for a service of that name.
  const link = { OTEL_EXPORTER_PROMETHEUS_PORT: "tcp://10.0.0.1:9464" };
  expect(addressOf(link)).toMatchObject({ settings: { address: { port: undefined } }, faults: [] });
  for (const wrong of ["65536", "-1", "0x1"])
    expect(addressOf({ OTEL_EXPORTER_PROMETHEUS_PORT: wrong }).faults).toEqual([
      "OTEL_EXPORTER_PROMETHEUS_PORT must be a whole number from 0 to 65535",
    ]);
});

test("what is wrong with sending is no fault while nothing is sent", () => {
  const wrong = {
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "collector",
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "delta",
    OTEL_METRIC_EXPORT_INTERVAL: "soon",
  };
  expect(readTelemetrySettings(wrong).faults).toEqual([]);
});
