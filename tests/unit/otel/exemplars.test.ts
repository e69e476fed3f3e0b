import { type MeterProvider as ApiMeterProvider, context, metrics, type SpanContext, trace } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { StackContextManager } from "@opentelemetry/sdk-trace";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultLatencyBounds } from "../../../otel/api/catalogue/metric-definition.ts";
import { ExemplarSlots, Exemplars, rememberedSpan, rememberSpan, useExemplars } from "../../../otel/api/exemplars.ts";
import type { EndedRequest } from "../../../otel/api/http-recorder.ts";
import { writeExposition } from "../../../otel/exposition/exposition.ts";
import { HttpAggregation } from "../../../otel/http/aggregation.ts";
import { metricViews } from "../../../otel/metrics/views.ts";
import { predicted } from "../../../src/monitoring/metrics.ts";
import { expositionOptions } from "../../support/exposition-options.ts";
import { parseExposition } from "../../support/parse-exposition.ts";

const span = (number: number, traceFlags = 1): SpanContext => ({
  traceId: number.toString(16).padStart(32, "a"),
  spanId: number.toString(16).padStart(16, "b"),
  traceFlags,
});
let reader: PrometheusExporter;
let http: HttpAggregation;
let store: Exemplars;

beforeEach(() => {
  reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [reader], views: metricViews(defaultLatencyBounds) });
  metrics.setGlobalMeterProvider(provider as ApiMeterProvider);
  context.setGlobalContextManager(new StackContextManager().enable());
  http = new HttpAggregation(defaultLatencyBounds);
  store = new Exemplars(defaultLatencyBounds);
  useExemplars(store);
});
afterEach(() => {
  metrics.disable();
  context.disable();
  useExemplars(undefined);
});

async function exposition(format: "openmetrics" | "text") {
  const { resourceMetrics } = await reader.collect();
  resourceMetrics.scopeMetrics.push({ scope: { name: "mlops-backend" }, metrics: http.collect() });
  const exemplarsOf = store.find.bind(store);
  const text = writeExposition(resourceMetrics, { ...expositionOptions, format, exemplarsOf });
  return { text, families: parseExposition(Buffer.from(text), format) };
}
async function exemplarsOf(metric: string) {
  const { families } = await exposition("openmetrics");
  return families
    .flatMap(({ samples }) => samples)
    .filter(({ name, exemplar }) => name === metric && exemplar !== undefined);
}

const request: EndedRequest = {
  method: "GET",
  scheme: "http",
  route: "/a",
  statusCode: 200,
  durationSeconds: 0.3,
  requestBytes: 0,
  responseBytes: 500,
};

test("a sampled request is the exemplar of its buckets and its counter, with its own values", async () => {
  http.ended({ ...request, span: span(1) });
  const labels = new Map([
    ["trace_id", span(1).traceId],
    ["span_id", span(1).spanId],
  ]);
  const [duration, ...more] = await exemplarsOf("http_server_request_duration_seconds_bucket");
  expect(more).toEqual([]);
  expect(duration?.labels.get("le")).toBe("0.5");
  expect(duration?.exemplar).toMatchObject({ labels, value: 0.3 });
  expect((await exemplarsOf("http_server_response_body_size_bytes_bucket"))[0]?.exemplar?.value).toBe(500);
  expect((await exemplarsOf("mlops_backend_http_requests_total"))[0]?.exemplar).toMatchObject({ labels, value: 1 });
});

test("the text format never has exemplars, and a request that is not sampled is none", async () => {
  http.ended({ ...request, span: span(1) });
  expect((await exposition("text")).text).not.toContain("trace_id");
  const unsampled = {};
  rememberSpan(unsampled, span(2, 0));
  expect(rememberedSpan(unsampled)).toBeUndefined();
});

test("without traces nothing is remembered, looked up or shown", async () => {
  useExemplars(undefined);
  const traced = {};
  rememberSpan(traced, span(1));
  expect(rememberedSpan(traced)).toBeUndefined();
  http.ended({ ...request, span: span(1) });
  context.with(trace.setSpanContext(context.active(), span(3)), () => {
    predicted({ task: "regression", outcome: "succeeded", rows: 3, unknownValues: 0, durationSeconds: 0.2 });
  });
  expect((await exposition("openmetrics")).text).not.toContain("trace_id");
});

test("what domain code measures within a sampled trace is an exemplar too", async () => {
  const predict = (durationSeconds: number) =>
    predicted({ task: "regression", outcome: "succeeded", rows: 3, unknownValues: 0, durationSeconds });
  predict(0.01);
  context.with(trace.setSpanContext(context.active(), span(4, 0)), () => predict(0.02));
  context.with(trace.setSpanContext(context.active(), span(5)), () => predict(0.2));
  const duration = await exemplarsOf("mlops_backend_prediction_duration_seconds_bucket");
  expect(duration.map(({ exemplar }) => exemplar?.labels.get("trace_id"))).toEqual([span(5).traceId]);
  expect(duration[0]?.labels.get("le")).toBe("0.5");
  expect((await exemplarsOf("mlops_backend_prediction_rows_total"))[0]?.exemplar?.value).toBe(3);
});

describe("of several in one bucket", () => {
  const slots = () => new ExemplarSlots([]);
  const plain = (weight: number) => ({ isError: false, weight });

  test("the error stays before the slow one, the slow one before the quick one", () => {
    const kept = slots();
    kept.offer(span(1), 1, plain(0.1), 100);
    kept.offer(span(2), 1, plain(0.3), 101);
    kept.offer(span(3), 1, plain(0.2), 102);
    expect(kept.all()[0]?.traceId).toBe(span(2).traceId);
    kept.offer(span(4), 1, { isError: true, weight: 0.01 }, 103);
    kept.offer(span(5), 1, plain(9), 104);
    expect(kept.all()[0]?.traceId).toBe(span(4).traceId);
  });

  test("an old one gives way to any newer one", () => {
    const kept = slots();
    kept.offer(span(1), 1, { isError: true, weight: 9 }, 100);
    kept.offer(span(2), 1, plain(0.1), 159);
    expect(kept.all()[0]?.traceId).toBe(span(1).traceId);
    kept.offer(span(3), 1, plain(0.1), 161);
    expect(kept.all()[0]?.traceId).toBe(span(3).traceId);
  });
});

test("whatever is measured, an exemplar stands in the bucket of its value and within OpenMetrics' limits", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          statusCode: fc.constantFrom(200, 404, 500),
          durationSeconds: fc.oneof(
            fc.double({ min: 0, max: 20, noNaN: true }),
            fc.constantFrom(...defaultLatencyBounds),
          ),
          responseBytes: fc.nat(2e7),
          isSampled: fc.boolean(),
        }),
        { minLength: 1, maxLength: 60 },
      ),
      async (requests) => {
        http = new HttpAggregation(defaultLatencyBounds);
        store = new Exemplars(defaultLatencyBounds);
        useExemplars(store);
        for (const [index, { isSampled, ...given }] of requests.entries())
          http.ended({ ...request, ...given, span: isSampled ? span(index) : undefined });
        // The parser throws where an exemplar stands in another bucket or is too long.
        const shown = await exemplarsOf("http_server_request_duration_seconds_bucket");
        expect(shown.length > 0).toBe(requests.some(({ isSampled }) => isSampled));
        for (const { exemplar } of shown) {
          const number = requests.findIndex((_, index) => span(index).traceId === exemplar?.labels.get("trace_id"));
          expect(requests[number]).toMatchObject({ isSampled: true, durationSeconds: exemplar?.value });
        }
      },
    ),
    { numRuns: 50 },
  );
});
