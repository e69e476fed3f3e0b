/** /metrics of one histogram with 14 bounds and BENCH_SETS label sets, by the way that BENCH_VARIANT names. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

const sets = Number(process.env.BENCH_SETS ?? 100);
const bounds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10];
const labelsOf = (index: number) => ({ method: "GET", route: `/api/items/${index}`, status: "200" });

async function openTelemetryReader() {
  const { PrometheusExporter } = await import("@opentelemetry/exporter-prometheus");
  const { AggregationType, MeterProvider } = await import("@opentelemetry/sdk-metrics");
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({
    readers: [reader],
    views: [
      {
        instrumentName: "*",
        aggregationCardinalityLimit: sets + 2,
        aggregation: {
          type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
          options: { boundaries: bounds, recordMinMax: false },
        },
      },
    ],
  });
  const histogram = provider.getMeter("bench").createHistogram("work.duration", { unit: "s", description: "Work." });
  for (let index = 0; index < sets; index += 1) {
    for (let event = 0; event < 3; event += 1) histogram.record((index % 17) * 0.03 * (event + 1), labelsOf(index));
  }
  return reader;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function handlerOf(variant: string): Promise<Handler> {
  if (variant === "prom-client") {
    const { Histogram, Registry } = await import("prom-client");
    const registry = new Registry();
    const histogram = new Histogram({
      name: "work_duration_seconds",
      help: "Work.",
      labelNames: ["method", "route", "status"],
      buckets: bounds,
      registers: [registry],
    });
    for (let index = 0; index < sets; index += 1) {
      for (let event = 0; event < 3; event += 1) histogram.observe(labelsOf(index), (index % 17) * 0.03 * (event + 1));
    }
    return async (_request, response) => {
      response.setHeader("Content-Type", registry.contentType);
      response.end(await registry.metrics());
    };
  }
  const reader = await openTelemetryReader();
  if (variant === "official") return (request, response) => reader.getMetricsRequestHandler(request, response);
  const { contentTypes } = await import("../../../otel/exposition/choose-format.ts");
  const { writeInSlices } = await import("../../../otel/exposition/scrape.ts");
  return async (_request, response) => {
    const { resourceMetrics } = await reader.collect();
    const body = await writeInSlices(resourceMetrics, {
      format: "text",
      prefix: "mlops_backend",
      role: "none",
      latencyBounds: bounds,
      created: false,
      startedSeconds: 0,
    });
    response.setHeader("Content-Type", contentTypes.text);
    response.end(body);
  };
}

const handler = await handlerOf(process.env.BENCH_VARIANT ?? "ours");
const server = createServer(handler).listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ msg: "ready", url: `http://127.0.0.1:${port}` })}\n`);
});
