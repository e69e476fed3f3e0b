/**
 * One Express 5 application for every way to measure it: BENCH_VARIANT says which. CommonJS, since the official
 * instrumentations patch what is required.
 */
type Express = import("express").Express;

const variant = process.env.BENCH_VARIANT ?? "bare";
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const httpHistograms = [
  "http.server.request.duration",
  "http.server.request.body.size",
  "http.server.response.body.size",
];

/** Every span sent by OTLP, as whoever follows the documentation of the official packages has it. */
function officialSpanProcessors(): unknown[] {
  if (!variant.endsWith("-traced")) return [];
  const { BatchSpanProcessor } = require("@opentelemetry/sdk-trace");
  const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-proto");
  return [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })];
}

/** OpenTelemetry with the official exporter; explicit bounds, since the default ones are for milliseconds. */
function startOfficial(instrumentations: readonly unknown[]): {
  handler: (request: unknown, response: unknown) => void;
} {
  const { NodeSDK } = require("@opentelemetry/sdk-node");
  const { PrometheusExporter } = require("@opentelemetry/exporter-prometheus");
  const { AggregationType } = require("@opentelemetry/sdk-metrics");
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const sdk = new NodeSDK({
    autoDetectResources: false,
    metricReaders: [exporter],
    spanProcessors: officialSpanProcessors(),
    logRecordProcessors: [],
    instrumentations,
    views: httpHistograms.map((instrumentName) => ({
      instrumentName,
      aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: bounds } },
    })),
  });
  sdk.start();
  return { handler: (request, response) => exporter.getMetricsRequestHandler(request, response) };
}

/** What `otel/register` was imported for; switched off, the service still mounts all of it. */
const isOurs = ["ours", "disabled", "traced-all", "traced-1-percent"].includes(variant);

let mountMetrics: (app: Express) => void = () => {};
if (variant.startsWith("official-")) {
  // The package of the selection is what resolves its instrumentations.
  const selection = require("node:module").createRequire(require.resolve("@opentelemetry/auto-instrumentations-node"));
  process.env.OTEL_SEMCONV_STABILITY_OPT_IN = "http";
  const { HttpInstrumentation } = selection("@opentelemetry/instrumentation-http");
  const { ExpressInstrumentation } = selection("@opentelemetry/instrumentation-express");
  const instrumentations: unknown[] = [];
  if (variant.startsWith("official-auto"))
    instrumentations.push(require("@opentelemetry/auto-instrumentations-node").getNodeAutoInstrumentations());
  else instrumentations.push(new HttpInstrumentation());
  // The route is told by the span of this one alone.
  if (variant === "official-routes") instrumentations.push(new ExpressInstrumentation());
  const official = startOfficial(instrumentations);
  mountMetrics = (app) => app.get("/metrics", (request, response) => official.handler(request, response));
}
if (variant === "prom-client") {
  mountMetrics = (app) =>
    app.use(
      require("express-prom-bundle")({
        includeMethod: true,
        includePath: true,
        includeStatusCode: true,
        buckets: bounds,
        httpDurationMetricName: "http_server_request_duration_seconds",
        normalizePath: [["^/items/.*", "/items/#id"]],
      }),
    );
}

async function start(): Promise<void> {
  const express = require("express");
  const app: Express = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  if (isOurs) {
    const { attachRouteAccessor } = await import("../../../otel/api/route-template.ts");
    const { telemetryHandle } = await import("../../../otel/api/telemetry.ts");
    const { mountMetrics: mountOurs } = await import("../../../src/http/metrics-endpoint.ts");
    mountMetrics = (application) => {
      attachRouteAccessor(application);
      mountOurs(application, { path: "/metrics", bearerToken: "", telemetry: telemetryHandle() });
    };
  }
  mountMetrics(app);
  app.get("/items/:id", (request, response) => {
    response.json({ id: request.params.id, name: "an item", tags: ["a", "b"] });
  });
  // The rest is for comparing what is said of a request, not what it costs.
  const router = express.Router();
  router.get("/fails/:id", (_request: unknown, _response: unknown, next: (error: Error) => void) =>
    next(new Error("fails")),
  );
  router.post("/bodies", (request: NodeJS.ReadableStream, response: import("express").Response) => {
    request.resume();
    request.on("end", () => {
      response.write("x".repeat(600));
      response.end("y".repeat(400));
    });
  });
  router.all("/bodies", (_request: unknown, response: import("express").Response) => void response.status(405).end());
  app.use("/api", router);
  app.use(
    ((_error, _request, response, _next) => void response.status(500).end()) as import("express").ErrorRequestHandler,
  );
  const server = require("node:http").createServer(app);
  if (isOurs) {
    require("../../../src/http/client-errors.ts").watchClientErrors(server);
    require("../../../otel/api/telemetry.ts").telemetryHandle()?.attachServer?.(server);
  }
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    process.stdout.write(`${JSON.stringify({ msg: "ready", url: `http://127.0.0.1:${port}` })}\n`);
  });
}
void start();
