import { diag, metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import type { Resource } from "@opentelemetry/resources";
import { MeterProvider, type MetricProducer } from "@opentelemetry/sdk-metrics";
import { Exemplars, useExemplars } from "./api/exemplars.ts";
import { useHttpRecorder } from "./api/http-recorder.ts";
import { guarded, record, startCountersAtZero } from "./api/instruments.ts";
import { onlyObserved } from "./api/observed-gauges.ts";
import type { Telemetry } from "./api/telemetry.ts";
import { allMetrics } from "./exposition/all-metrics.ts";
import { chooseFormat, contentTypes, type Format } from "./exposition/choose-format.ts";
import { shareInFlight, writeInSlices } from "./exposition/scrape.ts";
import { HttpAggregation } from "./http/aggregation.ts";
import { HttpMetricsInstrumentation } from "./http/instrumentation.ts";
import { httpProducer } from "./http/metric-producer.ts";
import { startProcessMetrics } from "./metrics/process-metrics.ts";
import { metricViews, onlyDeclared } from "./metrics/views.ts";
import type { TelemetrySettings } from "./settings/telemetry-settings.ts";
import { runtimeInstrumentation } from "./traces/official-instrumentations.ts";

/** Metrics whose provider is there, and which do not measure yet. */
interface OpenedMetrics {
  /** Begins to measure; after what traces patch. */
  start(options: { readonly hasExemplars: boolean }): RunningMetrics;
}

interface RunningMetrics extends Pick<Telemetry, "render" | "shutdown"> {
  /** All metrics, for a reader of the SDK that sends them elsewhere. */
  readonly producer: MetricProducer;
}

/**
 * Metrics, for whoever reads them. The provider has one reader, whose readings all others share: with two, the SDK keeps
 * for each what only the other one has collected, without end where one of them never comes (sdk-metrics 3.1.1,
 * docs/adr/0042-all-readers-share-one-collection.md). Of the parts that NodeSDK would put together: importing it loads every
 * exporter and propagator that a configuration could name, 0.28 s of CPU at each start
 * (docs/adr/0011-metrics-without-node-sdk.md).
 */
export function openMetrics(
  settings: TelemetrySettings,
  { resource, version, role, revision }: { resource: Resource; version: string; role: string; revision: string },
): OpenedMetrics {
  const http = new HttpAggregation(settings.latencyBounds);
  useHttpRecorder(http);
  const reader = new PrometheusExporter({ preventServerStart: true, metricProducers: [httpProducer(http, resource)] });
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

      // Two formats at once, or a scrape and an export, are read once and written twice.
      const collect = shareInFlight(async (_all: "all") => {
        const { resourceMetrics: collected, errors } = await reader.collect();
        // A reading that failed is absent; the others are shown.
        for (const error of errors) diag.warn("A reading for /metrics failed", error);
        return onlyObserved(onlyDeclared(collected));
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
        producer: {
          collect: async () => ({
            resourceMetrics: allMetrics(await collect("all"), { ...settings, role, startedSeconds }),
            errors: [],
          }),
        },
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
