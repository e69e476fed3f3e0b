import { expect, test } from "vitest";
import { batchOf, readOtlpSettings } from "../../../otel/otlp-settings.ts";
import { readTelemetrySettings } from "../../../otel/telemetry-settings.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
const logs = (env: Record<string, string>) => readOtlpSettings(env, "logs");

test("logs are sent with either form of an endpoint, in batches of their own", () => {
  const defaults = {
    protocol: "http/protobuf",
    maxQueueSize: 2048,
    maxExportBatchSize: 512,
    scheduledDelayMillis: 1000,
    timeoutMillis: 10_000,
  };
  expect(logs(endpoint)).toMatchObject({ settings: defaults, faults: [] });
  expect(logs({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "https://loki/otlp/v1/logs" }).settings).toEqual(defaults);
  const set = {
    OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: "http/json",
    OTEL_BLRP_MAX_QUEUE_SIZE: "100",
    OTEL_BSP_MAX_QUEUE_SIZE: "7",
  };
  expect(logs({ ...endpoint, ...set }).settings).toEqual({
    protocol: "http/json",
    maxQueueSize: 100,
    maxExportBatchSize: 100,
    scheduledDelayMillis: 1000,
    timeoutMillis: 10_000,
  });
});

test("one signal can be without the other", () => {
  const both = (env: Record<string, string>) => {
    const { settings } = readTelemetrySettings(env);
    return [settings.traces !== undefined, settings.logs !== undefined];
  };
  expect(both({})).toEqual([false, false]);
  expect(both(endpoint)).toEqual([true, true]);
  expect(both({ ...endpoint, OTEL_LOGS_EXPORTER: "none" })).toEqual([true, false]);
  expect(both({ ...endpoint, OTEL_TRACES_EXPORTER: "none" })).toEqual([false, true]);
  expect(both({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "http://loki/otlp/v1/logs" })).toEqual([false, true]);
  expect(both({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: " " })).toEqual([false, false]);
});

test.each([
  ["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "loki:3100"],
  ["OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc"],
  ["OTEL_LOGS_EXPORTER", "console"],
  ["OTEL_BLRP_MAX_QUEUE_SIZE", "0"],
  ["OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "1.5"],
  ["OTEL_BLRP_SCHEDULE_DELAY", "soon"],
])("%s=%s is refused by name", (name, value) => {
  expect(readTelemetrySettings({ ...endpoint, [name]: value }).faults).toEqual([
    expect.stringMatching(new RegExp(`^${name} must be `)),
  ]);
});

test("what both signals read is one fault", () => {
  const { faults } = readTelemetrySettings({
    OTEL_EXPORTER_OTLP_ENDPOINT: "collector",
    OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
  });
  expect(faults.map((fault) => fault.split(" ")[0])).toEqual([
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
  ]);
});

test("a processor waits for longer than its exporter tries, whatever time that is given", () => {
  for (const [env, timeoutMillis] of [
    [{}, 10_000],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: "60000" }, 60_000],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: "60000", OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: "90000" }, 90_000],
  ] as const) {
    const { settings } = logs({ ...endpoint, ...env });
    expect(settings?.timeoutMillis).toBe(timeoutMillis);
    expect(batchOf(settings!).exportTimeoutMillis).toBeGreaterThan(timeoutMillis);
  }
  expect(logs({ ...endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: "10s" }).faults).toEqual([
    "OTEL_EXPORTER_OTLP_TIMEOUT must be a whole number from 1",
  ]);
});
