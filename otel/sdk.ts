import { readFileSync } from "node:fs";
import { DiagLogLevel, diag, metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { chooseFormat, contentTypes, type Format } from "./choose-format.ts";
import { Exemplars, useExemplars } from "./exemplars.ts";
import { HttpAggregation } from "./http-aggregation.ts";
import { HttpMetricsInstrumentation } from "./http-metrics.ts";
import { useHttpRecorder } from "./http-recorder.ts";
import { guarded, meterName, record, startCountersAtZero } from "./instruments.ts";
import { runtimeInstrumentation } from "./official-instrumentations.ts";
import { startProcessMetrics } from "./process-metrics.ts";
import { resourceAttributes } from "./resource.ts";
import { shareInFlight, writeInSlices } from "./scrape.ts";
import type { Telemetry } from "./telemetry.ts";
import type { TelemetrySettings } from "./telemetry-settings.ts";
import { metricViews, onlyDeclared } from "./views.ts";

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

/** Starts metrics, which Prometheus comes and reads, and traces and logs where an OTLP endpoint is set; returns the handle. */
export async function startTelemetry(settings: TelemetrySettings, env: NodeJS.ProcessEnv): Promise<Telemetry> {
  logToStandardError();
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const role = env.SERVICE_ROLE ?? "all";
  const http = new HttpAggregation(settings.latencyBounds);
  useHttpRecorder(http);
  const reader = new PrometheusExporter({ preventServerStart: true });
  // The parts that NodeSDK would put together: importing it loads every exporter and propagator that a configuration
  // could name, 0.28 s of CPU at each start (docs/adr/0011-metrics-without-node-sdk.md).
  const resource = resourceFromAttributes(resourceAttributes(env, version));
  const provider = new MeterProvider({
    resource,
    views: metricViews(settings.latencyBounds),
    readers: [reader],
  });
  metrics.setGlobalMeterProvider(provider);
  // Before anything that it traces is imported; with neither an endpoint nor traces nothing of it is loaded.
  const tracing = settings.traces && (await import("./tracing.ts"));
  const traces = await tracing?.startTracing(settings.traces!, {
    resource,
    metricsPath: settings.metricsPath,
    meterProvider: provider,
  });
  const logs = settings.logs && (await import("./log-export.ts")).startLogExport(settings.logs, resource);
  const disableInstrumentations = registerInstrumentations({
    instrumentations: [
      new HttpMetricsInstrumentation({ showsActive: settings.instrumentInProgress }),
      runtimeInstrumentation(),
    ],
    meterProvider: provider,
  });
  const exemplars = traces && new Exemplars(settings.latencyBounds);
  useExemplars(exemplars);
  const exemplarsOf = exemplars?.find.bind(exemplars);
  startCountersAtZero(role);
  const stopProcessMetrics = startProcessMetrics({ version, revision: env.BUILD_REVISION || "unknown" });
  const startedSeconds = performance.timeOrigin / 1000;
  let stopping: Promise<void> | undefined;

  const render = shareInFlight(async (format: Format) => {
    const beganMs = performance.now();
    const { resourceMetrics: collected, errors } = await reader.collect();
    const resourceMetrics = onlyDeclared(collected);
    // A reading that failed is absent; the others are shown.
    for (const error of errors) diag.warn("A reading for /metrics failed", error);
    resourceMetrics.scopeMetrics.push({ scope: { name: meterName }, metrics: http.collect() });
    const body = await writeInSlices(resourceMetrics, {
      ...settings,
      format,
      role,
      startedSeconds,
      exemplarsOf,
    });
    guarded(() => record("metricsCollectionDuration", (performance.now() - beganMs) / 1000, {}));
    return { body, contentType: contentTypes[format] };
  });

  return {
    state: "on",
    render: (accept) => render(chooseFormat(accept)),
    exportLog: logs?.write,
    shutdown: () => {
      stopping ??= (async () => {
        stopProcessMetrics();
        useHttpRecorder(undefined);
        useExemplars(undefined);
        disableInstrumentations();
        await Promise.all([traces?.shutdown(), logs?.shutdown()]);
        await provider.shutdown();
      })();
      return stopping;
    },
  };
}
