import { type MeterProvider as ApiMeterProvider, metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { attributeSetLimit } from "../../../otel/api/catalogue/attribute-sets.ts";
import { metricDefinitions } from "../../../otel/api/catalogue/catalogue.ts";
import { httpMethods } from "../../../otel/api/catalogue/http.ts";
import { defaultLatencyBounds } from "../../../otel/api/catalogue/metric-definition.ts";
import type { EndedRequest } from "../../../otel/api/http-recorder.ts";
import { writeExposition } from "../../../otel/exposition/exposition.ts";
import { HttpAggregation } from "../../../otel/http/aggregation.ts";
import { sdkHttpRecorder } from "../../../otel/http/sdk-recorder.ts";
import { metricViews } from "../../../otel/metrics/views.ts";
import { expositionOptions } from "../../support/exposition-options.ts";

afterEach(() => metrics.disable());

/** Order tells nothing in an exposition; the last digits of a sum depend on the order of its additions. */
const samplesOf = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("http_") || line.startsWith("mlops_backend_http_"))
    .map((line) =>
      line.includes("_sum{") ? line.replace(/ (\S+)$/, (_, value) => ` ${Number(value).toPrecision(9)}`) : line,
    )
    .toSorted();

const endedRequest: fc.Arbitrary<EndedRequest> = fc.record({
  method: fc.constantFrom(...httpMethods, "PROPFIND", "get", ""),
  scheme: fc.constantFrom("http", "https"),
  route: fc.oneof(
    fc.constantFrom("/a", "/a/:id", "/b/:id/c", "unmatched", ""),
    fc.nat(400).map((n) => `/r/${n}`),
  ),
  statusCode: fc.constantFrom(0, 100, 200, 201, 204, 304, 400, 404, 499, 500, 503, 599, 600, 999),
  fault: fc.constantFrom(undefined, "client_closed", "timeout", "parse_error", "other"),
  isCallersFault: fc.constantFrom(undefined, false, true),
  durationSeconds: fc.oneof(
    fc.double({ min: 0, max: 30, noNaN: true }),
    fc.constantFrom(...defaultLatencyBounds, -1, Number.NaN),
  ),
  requestBytes: fc.oneof(fc.nat(3e7), fc.constantFrom(0, 100, 1000, 1e7)),
  responseBytes: fc.nat(3e7),
});

/** Lines that only one of the two has. */
const differenceOf = (expected: readonly string[], shown: readonly string[]): string[] => [
  ...new Set(expected).symmetricDifference(new Set(shown)),
];

/** What happens between two collections. */
const period = fc.record({
  declared: fc.uniqueArray(fc.constantFrom("/a", "/never", "/late", "unmatched")),
  // By default fast-check makes some ten of them, and no run came to the limits of label sets.
  requests: fc.array(endedRequest, { maxLength: 300, size: "max" }),
  changes: fc.array(fc.record({ method: fc.constantFrom("GET", "PUT", "BREW"), change: fc.constantFrom(1, -1) }), {
    maxLength: 10,
  }),
});

test("the same events give the same exposition as the SDK's own instruments, at each of several collections", async () => {
  await fc.assert(
    fc.asyncProperty(endedRequest, fc.array(period, { minLength: 1, maxLength: 4 }), async (first, periods) => {
      metrics.disable();
      const reader = new PrometheusExporter({ preventServerStart: true });
      const provider = new MeterProvider({ readers: [reader], views: metricViews(defaultLatencyBounds) });
      metrics.setGlobalMeterProvider(provider as ApiMeterProvider);
      const aggregation = new HttpAggregation(defaultLatencyBounds);
      const recorders = [sdkHttpRecorder, aggregation];
      for (const recorder of recorders) recorder.ended(first);
      for (const { declared, requests, changes } of periods) {
        for (const recorder of recorders) {
          recorder.declare(declared);
          for (const request of requests) recorder.ended(request);
          for (const { method, change } of changes) recorder.active(change as 1 | -1, method, "http");
        }
        const { resourceMetrics } = await reader.collect();
        const expected = samplesOf(await writeExposition(resourceMetrics, expositionOptions));
        const scopeMetrics = [{ scope: { name: "http" }, metrics: aggregation.collect() }];
        const shown = samplesOf(await writeExposition({ ...resourceMetrics, scopeMetrics }, expositionOptions));
        // Not the whole lists: their difference is worked out at each step of shrinking, which took minutes.
        expect(differenceOf(expected, shown)).toEqual([]);
        expect(shown).toHaveLength(expected.length);
        // The two sizes and the counter at least, whatever the duration was.
        expect(expected.length).toBeGreaterThanOrEqual(19);
      }
    }),
    { numRuns: 60, interruptAfterTimeLimit: 30_000 },
  );
});

test("more routes than any limit take no more room", async () => {
  const aggregation = new HttpAggregation(defaultLatencyBounds);
  const request = {
    method: "GET",
    scheme: "http",
    statusCode: 200,
    durationSeconds: 0.1,
    requestBytes: 0,
    responseBytes: 1,
  } as const;
  for (let index = 0; index < 5_000; index += 1) aggregation.ended({ ...request, route: `/r/${index}` });
  const limits = new Map(metricDefinitions.map(([, definition]) => [definition.name, attributeSetLimit(definition)]));
  for (const { descriptor, dataPoints } of aggregation.collect())
    expect(dataPoints.length, descriptor.name).toBeLessThanOrEqual(limits.get(descriptor.name)!);
  const [durations] = aggregation.collect();
  const counted = durations?.dataPoints.reduce((sum, point) => sum + (point.value as { count: number }).count, 0);
  expect(counted).toBe(5_000);
});
