import type { Resource } from "@opentelemetry/resources";
import {
  MeterProvider,
  type MetricProducer,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import type { MetricSettings } from "../settings/metric-settings.ts";
import { consoleMetrics } from "./console-metrics.ts";
import type { ExportLosses } from "./losses.ts";
import { metricExporter } from "./otlp-exporters.ts";

/** Metrics, being sent. */
export interface MetricExport {
  /** Sends what was counted since the last export, within that time. */
  shutdown(longestMs: number): Promise<void>;
}

const pointsOf = ({ scopeMetrics }: ResourceMetrics): number =>
  scopeMetrics.flatMap(({ metrics }) => metrics).reduce((sum, { dataPoints }) => sum + dataPoints.length, 0);

/** The exporter, with what fails counted and over: to its reader every export has succeeded. */
function guard(inner: PushMetricExporter, losses: ExportLosses): PushMetricExporter {
  return {
    export(metrics, done) {
      const points = pointsOf(metrics);
      losses.taken(points);
      inner.export(metrics, (result) => {
        losses.settled(points, result);
        done({ code: 0 });
      });
    },
    forceFlush: () => inner.forceFlush(),
    shutdown: () => inner.shutdown(),
  };
}

/**
 * Sends metrics by OTLP, writes them to stdout, or both: each by a reader of the SDK of its own, which collects from
 * `producer` at an interval. An endpoint that is slow or away costs an export, which is counted as lost; the next one has
 * the counts of it.
 * @param producer has all metrics; the readers' own provider has none
 */
export async function startMetricExport(
  { otlp, console, intervalMillis }: MetricSettings,
  { resource, producer, losses }: { resource: Resource; producer: MetricProducer; losses: ExportLosses },
): Promise<MetricExport> {
  const readerOf = (exporter: PushMetricExporter, timeoutMillis: number) =>
    new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: intervalMillis,
      exportTimeoutMillis: timeoutMillis,
      metricProducers: [producer],
    });
  const readers = [
    ...(otlp === undefined ? [] : [readerOf(guard(await metricExporter(otlp), losses), otlp.timeoutMillis)]),
    ...(console ? [readerOf(consoleMetrics, intervalMillis)] : []),
  ];
  const provider = new MeterProvider({ resource, readers });
  return { shutdown: (longestMs) => losses.settle(provider.shutdown(), longestMs) };
}
