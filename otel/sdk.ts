import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { hostname } from "node:os";
import { DiagLogLevel, diag } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import type { Instrumentation } from "@opentelemetry/instrumentation";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { chooseFormat, contentTypes, type Format } from "./choose-format.ts";
import { HttpAggregation } from "./http-aggregation.ts";
import { HttpMetricsInstrumentation } from "./http-metrics.ts";
import { useHttpRecorder } from "./http-recorder.ts";
import { guarded, meterName, record, startCountersAtZero } from "./instruments.ts";
import { startProcessMetrics } from "./process-metrics.ts";
import { shareInFlight, writeInSlices } from "./scrape.ts";
import type { Telemetry } from "./telemetry.ts";
import type { TelemetrySettings } from "./telemetry-settings.ts";
import { metricViews } from "./views.ts";

/** The only resource attributes that leave this process: detectors would add command-line arguments, owner and pid. */
const allowedResource = [
  "service.name",
  "service.namespace",
  "service.version",
  "service.instance.id",
  "deployment.environment.name",
];

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone % is the text itself; refusing to start over a label would be worse.
  }
}

/** OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME, cut to the allow-list. */
export function resourceAttributes(env: NodeJS.ProcessEnv, version: string): Record<string, string> {
  const given = new Map(
    (env.OTEL_RESOURCE_ATTRIBUTES ?? "")
      .split(",")
      .filter((pair) => pair.includes("="))
      .map((pair) => [pair.slice(0, pair.indexOf("=")).trim(), decoded(pair.slice(pair.indexOf("=") + 1).trim())]),
  );
  const defaults: Record<string, string | undefined> = {
    "service.name": env.OTEL_SERVICE_NAME || given.get("service.name") || "mlops-backend",
    "service.version": version,
    "service.instance.id": `${hostname()}:${process.pid}`,
  };
  const attributes: Record<string, string> = {};
  for (const name of allowedResource) {
    const value = name === "service.name" ? defaults[name] : (given.get(name) ?? defaults[name]);
    if (value !== undefined && value !== "") attributes[name] = value;
  }
  return attributes;
}

/** Garbage collections, from the official selection; the package of it is loaded alone, all 39 would cost 44 MB. */
function runtimeInstrumentation(): Instrumentation {
  const own = createRequire(import.meta.url);
  const selection = createRequire(own.resolve("@opentelemetry/auto-instrumentations-node"));
  const { RuntimeNodeInstrumentation } = selection("@opentelemetry/instrumentation-runtime-node") as {
    RuntimeNodeInstrumentation: new () => Instrumentation;
  };
  return new RuntimeNodeInstrumentation();
}

function logToStandardError(): void {
  const write =
    (level: string) =>
    (message: string, ...details: unknown[]) => {
      const error = details.map((each) => (each instanceof Error ? each.message : String(each))).join(" ");
      process.stderr.write(
        `${JSON.stringify({ level, time: new Date().toISOString(), msg: `telemetry: ${message}`, error })}\n`,
      );
    };
  const silent = () => {};
  diag.setLogger(
    { error: write("error"), warn: write("warn"), info: silent, debug: silent, verbose: silent },
    DiagLogLevel.WARN,
  );
}

/** Starts metrics and returns the handle; nothing is exported anywhere, Prometheus comes and reads. */
export function startTelemetry(settings: TelemetrySettings, env: NodeJS.ProcessEnv): Telemetry {
  logToStandardError();
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const role = env.SERVICE_ROLE ?? "all";
  const http = new HttpAggregation(settings.latencyBounds);
  useHttpRecorder(http);
  const reader = new PrometheusExporter({ preventServerStart: true });
  const sdk = new NodeSDK({
    autoDetectResources: false,
    resource: resourceFromAttributes(resourceAttributes(env, version)),
    metricReaders: [reader],
    views: metricViews(settings.latencyBounds),
    // Without these, NodeSDK posts spans and logs to localhost:4318.
    spanProcessors: [],
    logRecordProcessors: [],
    textMapPropagator: null,
    instrumentations: [
      new HttpMetricsInstrumentation({ showsActive: settings.instrumentInProgress }),
      runtimeInstrumentation(),
    ],
  });
  sdk.start();
  startCountersAtZero(role);
  const stopProcessMetrics = startProcessMetrics({ version, revision: env.BUILD_REVISION || "unknown" });
  const startedSeconds = performance.timeOrigin / 1000;
  let stopping: Promise<void> | undefined;

  const render = shareInFlight(async (format: Format) => {
    const beganMs = performance.now();
    const { resourceMetrics, errors } = await reader.collect();
    // A reading that failed is absent; the others are shown.
    for (const error of errors) diag.warn("A reading for /metrics failed", error);
    resourceMetrics.scopeMetrics.push({ scope: { name: meterName }, metrics: http.collect() });
    const body = await writeInSlices(resourceMetrics, { ...settings, format, role, startedSeconds });
    guarded(() => record("metricsCollectionDuration", (performance.now() - beganMs) / 1000, {}));
    return { body, contentType: contentTypes[format] };
  });

  return {
    state: "on",
    render: (accept) => render(chooseFormat(accept)),
    shutdown: () => {
      stopping ??= (async () => {
        stopProcessMetrics();
        useHttpRecorder(undefined);
        await sdk.shutdown();
      })();
      return stopping;
    },
  };
}
