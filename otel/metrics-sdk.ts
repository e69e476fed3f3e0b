import { diag, metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import type { Resource } from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { Exemplars, useExemplars } from "./api/exemplars.ts";
import { useHttpRecorder } from "./api/http-recorder.ts";
import { guarded, meterName, record, startCountersAtZero } from "./api/instruments.ts";
import { onlyObserved } from "./api/observed-gauges.ts";
import type { Telemetry } from "./api/telemetry.ts";
import { chooseFormat, contentTypes, type Format } from "./exposition/choose-format.ts";
import { shareInFlight, writeInSlices } from "./exposition/scrape.ts";
import { HttpAggregation } from "./http/aggregation.ts";
import { HttpMetricsInstrumentation } from "./http/instrumentation.ts";
import { startProcessMetrics } from "./metrics/process-metrics.ts";
import { metricViews, onlyDeclared } from "./metrics/views.ts";
import type { TelemetrySettings } from "./settings/telemetry-settings.ts";
import { runtimeInstrumentation } from "./traces/official-instrumentations.ts";

/** Metrics whose provider is there, and which do not measure yet. */
interface OpenedMetrics {
  /** Begins to measure; after what traces patch. */
  start(options: { readonly hasExemplars: boolean }): Pick<Telemetry, "render" | "shutdown">;
}

/**
 * Metrics, which Prometheus comes and reads. Of the parts that NodeSDK would put together: importing it loads every
 * exporter and propagator that a configuration could name, 0.28 s of CPU at each start
 * (docs/adr/0011-metrics-without-node-sdk.md).
 */
export function openMetrics(
  settings: TelemetrySettings,
  { resource, version, role, revision }: { resource: Resource; version: string; role: string; revision: string },
): OpenedMetrics {
  const http = new HttpAggregation(settings.latencyBounds);
  useHttpRecorder(http);
  const reader = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ resource, views: metricViews(settings.latencyBounds), readers: [reader] });
  metrics.setGlobalMeterProvider(meterProvider);
  return {
    start({ hasExemplars }) {
      const disableInstrumentations = registerInstrumentations({
        instrumentations: [
          new HttpMetricsInstrumentation({ showsActive: settings.instrumentInProgress, recorderOf: () => http }),
          runtimeInstrumentation(),
        ],
        meterProvider,
      });
      const exemplars = hasExemplars ? new Exemplars(settings.latencyBounds) : undefined;
      useExemplars(exemplars);
      const exemplarsOf = exemplars?.find.bind(exemplars);
      startCountersAtZero(role);
      const stopProcessMetrics = startProcessMetrics({ version, revision });
      const startedSeconds = performance.timeOrigin / 1000;

      // Two formats at once are read once and written twice.
      const collect = shareInFlight(async (_all: "all") => {
        const { resourceMetrics: collected, errors } = await reader.collect();
        const resourceMetrics = onlyObserved(onlyDeclared(collected));
        // A reading that failed is absent; the others are shown.
        for (const error of errors) diag.warn("A reading for /metrics failed", error);
        resourceMetrics.scopeMetrics.push({ scope: { name: meterName }, metrics: http.collect() });
        return resourceMetrics;
      });
      const render = shareInFlight(async (format: Format) => {
        const beganMs = performance.now();
        const resourceMetrics = await collect("all");
        const body = await writeInSlices(resourceMetrics, { ...settings, format, role, startedSeconds, exemplarsOf });
        guarded(() => record("metricsCollectionDuration", (performance.now() - beganMs) / 1000, {}));
        return { body, contentType: contentTypes[format] };
      });
      return {
        render: (accept) => render(chooseFormat(accept)),
        async shutdown() {
          stopProcessMetrics();
          useHttpRecorder(undefined);
          useExemplars(undefined);
          disableInstrumentations();
          await meterProvider.shutdown();
        },
      };
    },
  };
}
