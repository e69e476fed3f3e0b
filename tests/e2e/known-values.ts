/** A small process of known values behind our exposition: POST /events?count=N records, GET /metrics shows. */
import { createServer } from "node:http";
import { metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { meterName, startCountersAtZero } from "../../otel/api/instruments.ts";
import { chooseFormat, contentTypes } from "../../otel/exposition/choose-format.ts";
import { writeInSlices } from "../../otel/exposition/scrape.ts";
import { HttpAggregation } from "../../otel/http/aggregation.ts";
import { metricViews } from "../../otel/metrics/views.ts";
import { readTelemetrySettings } from "../../otel/settings/telemetry-settings.ts";
import { runFinished } from "../../src/monitoring/metrics.ts";

const { settings, faults } = readTelemetrySettings(process.env);
if (faults.length > 0) throw new Error(faults.join("\n"));
// Put together as otel/sdk.ts does it, but for the guard that lets only the catalogue's metrics through.
const reader = new PrometheusExporter({ preventServerStart: true });
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader], views: metricViews(settings.latencyBounds) }));
const http = new HttpAggregation(settings.latencyBounds);
startCountersAtZero("all");
const startedSeconds = performance.timeOrigin / 1000;

/** What no label should be, and any may be. */
const oddLabel = 'a "quoted" \\ back\\nslash,\nline\r\ttab {é=😀}';
const levels = [0, -1.5, 1e300, 5e-324, 0.1 + 0.2, 123_456_789_012_345_680, Number.NaN, 1 / 0, -1 / 0];

metrics
  .getMeter("known")
  .createObservableGauge("known.level", { description: `Known "levels"\nof \\ all kinds.` })
  .addCallback((result) => {
    for (const [index, value] of levels.entries()) result.observe(value, { index, odd: oddLabel });
  });

/** One request of 600 kB and one run of 0.3 s each. */
function record(count: number): void {
  for (let index = 0; index < count; index += 1) {
    const model = { mode: "heavy", relativeError: 2 } as const;
    runFinished({ mode: "heavy", task: "regression", outcome: "succeeded", durationSeconds: 0.25, model });
    http.ended({
      method: "PUT",
      scheme: "https",
      route: oddLabel,
      statusCode: 200,
      durationSeconds: index % 2 === 0 ? 0.125 : 20,
      requestBytes: 2 ** 19,
      responseBytes: 3,
    });
  }
}

record(Number(process.env.EVENTS_AT_START ?? 0));

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname === "/events") {
    record(Number(url.searchParams.get("count")));
    response.end();
    return;
  }
  const format = chooseFormat(request.headers.accept);
  const { resourceMetrics } = await reader.collect();
  resourceMetrics.scopeMetrics.push({ scope: { name: meterName }, metrics: http.collect() });
  const body = await writeInSlices(resourceMetrics, { ...settings, format, role: "all", startedSeconds });
  response.setHeader("content-type", contentTypes[format]).end(body);
}).listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ msg: "ready", url: `http://127.0.0.1:${port}`, oddLabel })}\n`);
});
