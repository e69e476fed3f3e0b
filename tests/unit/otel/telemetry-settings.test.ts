import { expect, test } from "vitest";
import { readTelemetrySettings, telemetryVariables } from "../../../otel/settings/telemetry-settings.ts";
import { openTelemetryNames } from "../../../otel/settings/variables/all-variables.ts";

test("the defaults are usable", () => {
  const { settings, faults } = readTelemetrySettings({});
  expect(faults).toEqual([]);
  expect(settings).toMatchObject({
    enabled: true,
    metricsPath: "/metrics",
    prefix: "mlops_backend",
    created: false,
    instrumentInProgress: true,
  });
  expect(settings.latencyBounds).toContain(0.5);
});

test.for([
  ["PROMETHEUS__ENABLED", "yes"],
  ["PROMETHEUS__ENABLED", "True"],
  ["PROMETHEUS__CREATED", "1"],
  ["PROMETHEUS__INSTRUMENT_INPROGRESS", "on"],
  ["PROMETHEUS__METRICS_PATH", "metrics"],
  ["PROMETHEUS__METRICS_PATH", "/"],
  ["PROMETHEUS__METRICS_PATH", "/api/metrics"],
  ["PROMETHEUS__METRICS_PATH", "/API/health"],
  ["PROMETHEUS__METRICS_PATH", "/internal/../api"],
  ["PROMETHEUS__METRICS_PATH", "/.."],
  ["PROMETHEUS__METRICS_PATH", "/:id"],
  ["PROMETHEUS__METRIC_NAMESPACE", "1st"],
  ["PROMETHEUS__METRIC_SUBSYSTEM", "back-end"],
  ["PROMETHEUS__LATENCY_BUCKETS", "0.1,0.5"],
  ["PROMETHEUS__LATENCY_BUCKETS", "[]"],
  ["PROMETHEUS__LATENCY_BUCKETS", "[0.1, 1]"],
  ["PROMETHEUS__LATENCY_BUCKETS", "[0.5, 0.1]"],
  ["PROMETHEUS__LATENCY_BUCKETS", "[0.5, 0.5]"],
  ["PROMETHEUS__LATENCY_BUCKETS", "[0, 0.5]"],
  ["PROMETHEUS__LATENCY_BUCKETS", '["0.5"]'],
  ["PROMETHEUS__LATENCY_BUCKETS", JSON.stringify(Array.from({ length: 51 }, (_, index) => (index + 1) / 2))],
] as const)("%s=%s is refused by name", ([name, value]) => {
  const { faults } = readTelemetrySettings({ [name]: value });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(name);
});

test("an empty value is none, of every variable", () => {
  for (const name of [...Object.keys(telemetryVariables), ...openTelemetryNames])
    expect(readTelemetrySettings({ [name]: "" }), name).toEqual(readTelemetrySettings({}));
});

test("all faults are reported together", () => {
  const { faults } = readTelemetrySettings({
    PROMETHEUS__ENABLED: "x",
    PROMETHEUS__METRICS_PATH: "x",
    PROMETHEUS__CREATED: "x",
  });
  expect(faults).toHaveLength(3);
});

test.for([
  [{ PROMETHEUS__ENABLED: "false" }, false],
  [{ OTEL_SDK_DISABLED: "true" }, false],
  [{ OTEL_SDK_DISABLED: "TRUE" }, false],
  [{ OTEL_SDK_DISABLED: "false" }, true],
] as const)("%j switches telemetry to %s", ([env, enabled]) => {
  const { settings } = readTelemetrySettings(env);
  expect([settings.enabled, settings.metrics !== undefined]).toEqual([enabled, enabled]);
});

test("what is wrong in OpenTelemetry's variables keeps nobody from starting without it, and what is wrong in ours does", () => {
  const wrong = {
    OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317",
    OTEL_EXPORTER_OTLP_PROTOCOL: "thrift",
    OTEL_TRACES_EXPORTER: "zipkin",
    OTEL_METRICS_EXPORTER: "statsd",
    OTEL_EXPORTER_PROMETHEUS_PORT: "many",
  };
  expect(readTelemetrySettings(wrong).faults).toHaveLength(5);
  const off = { ...wrong, OTEL_SDK_DISABLED: "true" };
  expect(readTelemetrySettings(off)).toMatchObject({ settings: { enabled: false }, faults: [] });
  expect(readTelemetrySettings({ ...off, PROMETHEUS__ENABLED: "no" }).faults).toHaveLength(1);
});

test("without metrics an endpoint keeps traces and logs on; OTEL_SDK_DISABLED switches all off", () => {
  const env = { PROMETHEUS__ENABLED: "false", OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318" };
  expect(readTelemetrySettings(env).settings).toMatchObject({ enabled: true, metrics: undefined });
  const off = { OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318" };
  expect(readTelemetrySettings(off).settings).toMatchObject({ enabled: false, metrics: undefined });
});
