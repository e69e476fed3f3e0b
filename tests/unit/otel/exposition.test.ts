import { type MeterProvider as ApiMeterProvider, metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { seriesCeiling } from "../../../otel/api/catalogue/attribute-sets.ts";
import { catalogue } from "../../../otel/api/catalogue/catalogue.ts";
import { defaultLatencyBounds } from "../../../otel/api/catalogue/metric-definition.ts";
import { startCountersAtZero } from "../../../otel/api/instruments.ts";
import {
  type ExpositionOptions,
  escapeHelp,
  escapeLabelValue,
  formatBound,
  formatNumber,
  writeExposition,
} from "../../../otel/exposition/exposition.ts";
import { sdkHttpRecorder } from "../../../otel/http/sdk-recorder.ts";
import { metricViews } from "../../../otel/metrics/views.ts";
import { databaseOperation, datasetUpload, predicted, runFinished } from "../../../src/monitoring/metrics.ts";
import { expositionOptions } from "../../support/exposition-options.ts";

const options: ExpositionOptions = { ...expositionOptions, role: "all", startedSeconds: 1000 };
let reader: PrometheusExporter;
let provider: MeterProvider;

beforeEach(() => {
  metrics.disable();
  reader = new PrometheusExporter({ preventServerStart: true });
  provider = new MeterProvider({
    readers: [reader],
    views: metricViews(defaultLatencyBounds),
    resource: resourceFromAttributes({ "service.name": "x", "service.version": "1.2.3" }),
  });
  metrics.setGlobalMeterProvider(provider as ApiMeterProvider);
});

async function exposition(given: Partial<ExpositionOptions> = {}): Promise<string> {
  const { resourceMetrics } = await reader.collect();
  return writeExposition(resourceMetrics, { ...options, ...given });
}

/** The reverse of the escaping, by the grammar of OpenMetrics. */
function parseLabelValue(line: string): string {
  const quoted = /="((?:[^"\\\n]|\\.)*)"/.exec(line)?.[1] ?? "";
  return quoted.replace(/\\(.)/g, (_all, character: string) => (character === "n" ? "\n" : character));
}

test("any label value comes back as it was, on one line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (value) => {
      const written = `a{b="${escapeLabelValue(value)}"} 1`;
      expect(written).not.toContain("\n");
      expect(parseLabelValue(written)).toBe(value);
    }),
  );
  expect(parseLabelValue(`="${escapeLabelValue('\\n"\n\\')}"`)).toBe('\\n"\n\\');
});

test("help, numbers and bounds are written as the formats say", () => {
  expect(escapeHelp('a "b"\n\\', "text")).toBe('a "b"\\n\\\\');
  expect(escapeHelp('a "b"\n\\', "openmetrics")).toBe('a \\"b\\"\\n\\\\');
  expect([Number.NaN, 1 / 0, -1 / 0, 0.5, 1e21].map(formatNumber)).toEqual(["NaN", "+Inf", "-Inf", "0.5", "1e+21"]);
  expect([1, 0.5, 1e7].map(formatBound)).toEqual(["1.0", "0.5", "10000000.0"]);
});

test("a recorded histogram is cumulative, and combinations without a record are 0", async () => {
  runFinished({ mode: "light", task: "regression", outcome: "succeeded", durationSeconds: 0.2 });
  const lines = (await exposition()).split("\n");
  const name = "mlops_backend_training_duration_seconds";
  expect(lines).toContain(`${name}_bucket{mode="light",task="regression",le="0.1"} 0`);
  expect(lines).toContain(`${name}_bucket{mode="light",task="regression",le="0.5"} 1`);
  expect(lines).toContain(`${name}_bucket{mode="light",task="regression",le="+Inf"} 1`);
  expect(lines).toContain(`${name}_sum{mode="light",task="regression"} 0.2`);
  expect(lines).toContain(`${name}_count{mode="heavy",task="classification"} 0`);
  expect(lines.filter((line) => line === `# TYPE ${name} histogram`)).toHaveLength(1);
});

test("OpenMetrics has families without _total, units and an end", async () => {
  datasetUpload({ outcome: "accepted", sizeBytes: 100 });
  const text = await exposition({ format: "openmetrics" });
  expect(text).toContain(
    '# TYPE mlops_backend_dataset_uploads counter\nmlops_backend_dataset_uploads_total{outcome="accepted"} 1\n',
  );
  expect(text).toContain("# UNIT mlops_backend_dataset_upload_size_bytes bytes\n");
  expect(text).toContain('target_info{service_version="1.2.3"} 1');
  expect(text.endsWith("# EOF\n")).toBe(true);
  expect(text).not.toContain("_created");
  expect(await exposition({ format: "openmetrics", created: true })).toMatch(
    /^mlops_backend_dataset_uploads_created\{outcome="accepted"\} \d+/m,
  );
  expect(await exposition({ format: "text", created: true })).not.toContain("_created");
});

test("values of attributes that become one label stand in the order of their keys, however they came", async () => {
  const gauge = (...attributes: Record<string, string>[]) => {
    provider
      .getMeter("strange")
      .createObservableGauge("strange")
      .addCallback((result) => {
        for (const each of attributes) result.observe(1, each);
      });
  };
  gauge({ z: "1", a_b: "under", "a.b": "dot", "a-b": "dash" }, { "a.b": "dot", "a-b": "dash", a_b: "under", z: "1" });
  const lines = (await exposition()).split("\n").filter((line) => line.startsWith("strange{"));
  expect(lines).toEqual(['strange{a_b="dash;dot;under",z="1"} 1']);
});

test("a rejection with an unknown code counts as other", async () => {
  datasetUpload({ outcome: "rejected", reason: "/etc/passwd" });
  expect(await exposition()).toContain('mlops_backend_dataset_upload_rejections_total{reason="other"} 1');
});

test("negative durations and NaN are left out and nothing throws", async () => {
  predicted({ task: "regression", outcome: "succeeded", rows: 1, unknownValues: 0, durationSeconds: Number.NaN });
  databaseOperation({ operationName: "VACUUM", durationSeconds: -1 });
  databaseOperation({ operationName: "VACUUM", durationSeconds: 0.001 });
  const text = await exposition();
  expect(text).toContain('mlops_backend_prediction_duration_seconds_count{task="regression"} 0');
  expect(text).toContain('db_client_operation_duration_seconds_count{db_operation_name="OTHER"} 1');
});

test("another prefix renames our metrics only", async () => {
  datasetUpload({ outcome: "accepted" });
  databaseOperation({ operationName: "SELECT", durationSeconds: 0.001 });
  const text = await exposition({ prefix: "acme_ml" });
  expect(text).toContain("acme_ml_dataset_uploads_total");
  expect(text).not.toContain("mlops_backend");
  expect(text).toContain("db_client_operation_duration_seconds_count");
});

const aRequest = {
  method: "GET",
  scheme: "http",
  statusCode: 200,
  durationSeconds: 0.1,
  requestBytes: 0,
  responseBytes: 0,
} as const;

test("what goes past a series limit is folded and counted, also over several scrapes", async () => {
  const limit = catalogue.httpRequestDuration.seriesLimit;
  const aScrape = Math.ceil(limit / 2);
  let text = "";
  for (let scrape = 0; scrape < 3; scrape++) {
    for (let index = 0; index < aScrape; index++)
      sdkHttpRecorder.ended({ ...aRequest, route: `/r/${scrape}/${index}` });
    text = await exposition();
  }
  const name = "http_server_request_duration_seconds";
  expect(text.split("\n").filter((line) => line.startsWith(`${name}_count{`))).toHaveLength(limit);
  expect(text).toContain(`mlops_backend_metrics_dropped_total{metric="${name}"} ${3 * aScrape - (limit - 1)}\n`);
});

const saidSeries = (text: string): Map<string, number> =>
  new Map(
    [...text.matchAll(/^mlops_backend_metrics_series\{metric="(\w+)"\} (\d+)$/gm)].map(([, metric, count]) => [
      metric!,
      Number(count),
    ]),
  );

test.each([
  { format: "text", created: false },
  { format: "openmetrics", created: false },
  { format: "openmetrics", created: true },
] as const)("the metric about series says how many there are: $format, created lines $created", async (given) => {
  startCountersAtZero("all");
  const text = await exposition(given);
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const series = samples.map((line) => line.slice(0, line.lastIndexOf(" ")));
  expect(new Set(series).size).toBe(series.length);
  // To Prometheus they are the time at which a series began, and none of their own.
  const counted = series.filter((each) => !/^\w+_created(\{|$)/.test(each));
  expect(counted.length < series.length).toBe(given.created);
  expect([...saidSeries(text).values()].reduce((sum, value) => sum + value, 0)).toBe(counted.length);
});

test("a metric at its limit has as many series as its ceiling says, with created lines too", async () => {
  const definition = catalogue.httpRequests;
  for (let index = 0; index < 2 * definition.seriesLimit; index++)
    sdkHttpRecorder.ended({ ...aRequest, route: `/r/${index}` });
  for (const created of [false, true]) {
    const series = saidSeries(await exposition({ format: "openmetrics", created }));
    expect(series.get("mlops_backend_http_requests_total")).toBe(seriesCeiling(definition));
  }
});

test("a process of one role does not show what the other does", async () => {
  startCountersAtZero("api");
  const text = await exposition({ role: "api" });
  expect(text).toContain("mlops_backend_dataset_uploads_total");
  expect(text).not.toContain("mlops_backend_training_duration_seconds");
});
