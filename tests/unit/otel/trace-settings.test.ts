import { expect, test } from "vitest";
import { readTelemetrySettings } from "../../../otel/settings/telemetry-settings.ts";
import { readTraceSettings } from "../../../otel/settings/trace-settings.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

test("without an endpoint there are no traces, and what else is set doesn't matter", () => {
  expect(readTraceSettings({})).toEqual({ traces: undefined, faults: [] });
  expect(readTraceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: " " })).toEqual({ traces: undefined, faults: [] });
  expect(readTraceSettings({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc", OTEL_TRACES_SAMPLER: "jaeger_remote" })).toEqual({
    traces: undefined,
    faults: [],
  });
  expect(readTraceSettings({ ...endpoint, OTEL_TRACES_EXPORTER: "none" })).toEqual({ traces: undefined, faults: [] });
});

test("an endpoint alone is enough, in either form", () => {
  const { traces, faults } = readTraceSettings(endpoint);
  expect(faults).toEqual([]);
  expect(traces).toEqual({
    protocol: "http/protobuf",
    sampler: "parentbased_traceidratio",
    samplingRatio: 1,
    maxQueueSize: 2048,
    maxExportBatchSize: 512,
    scheduledDelayMillis: 5000,
    timeoutMillis: 10_000,
    libraries: ["http", "express", "pg", "undici", "pino"],
    propagators: ["tracecontext", "baggage"],
    limits: {},
  });
  expect(readTraceSettings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces/v1/traces" }).traces).toEqual(traces);
});

test("the form for traces wins, and a batch is no larger than the queue", () => {
  const { traces } = readTraceSettings({
    ...endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json",
    OTEL_BSP_MAX_QUEUE_SIZE: "100",
  });
  expect(traces).toMatchObject({ protocol: "http/json", maxQueueSize: 100, maxExportBatchSize: 100 });
});

test("instrumentations are chosen by OpenTelemetry's own variables; those of other libraries are no fault", () => {
  const librariesOf = (env: Record<string, string>) => readTraceSettings({ ...endpoint, ...env }).traces?.libraries;
  expect(librariesOf({ OTEL_NODE_ENABLED_INSTRUMENTATIONS: "http, redis" })).toEqual(["http"]);
  expect(librariesOf({ OTEL_NODE_DISABLED_INSTRUMENTATIONS: "express,fs" })).toEqual(["http", "pg", "undici", "pino"]);
});

test.for([
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"],
  ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "grpc://collector:4317"],
  ["OTEL_EXPORTER_OTLP_PROTOCOL", "thrift"],
  ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http"],
  ["OTEL_TRACES_EXPORTER", "zipkin"],
  ["OTEL_TRACES_SAMPLER", "sometimes"],
  ["OTEL_TRACES_SAMPLER_ARG", "1%"],
  ["OTEL_TRACES_SAMPLER_ARG", "1.5"],
  ["OTEL_BSP_MAX_QUEUE_SIZE", "0"],
  ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "many"],
  ["OTEL_BSP_SCHEDULE_DELAY", "-1"],
  ["OTEL_BSP_EXPORT_TIMEOUT", "0"],
  ["OTEL_SPAN_LINK_COUNT_LIMIT", "-1"],
  ["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "0"],
] as const)("%s=%s is refused by name, with the other faults", ([name, value]) => {
  const { faults } = readTelemetrySettings({ ...endpoint, [name]: value, PROMETHEUS__ENABLED: "yes" });
  expect(faults).toEqual([
    expect.stringMatching(new RegExp(`^${name} `)),
    expect.stringMatching(/^PROMETHEUS__ENABLED/),
  ]);
});
