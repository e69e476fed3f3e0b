import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, type SpanProcessor } from "@opentelemetry/sdk-trace";
import { ExportLosses } from "./export-losses.ts";
import type { OtlpSettings } from "./otlp-settings.ts";
import { guardSpan } from "./span-guard.ts";

/**
 * Collects ended spans and sends them in batches, in the background. The queue is bounded: while the endpoint is slow
 * or away, memory does not grow, and what has no room is counted as dropped.
 */
export function exportingProcessor(settings: OtlpSettings): SpanProcessor {
  const { protocol, maxQueueSize, maxExportBatchSize, scheduledDelayMillis } = settings;
  const exporter = protocol === "http/json" ? new JsonExporter() : new ProtobufExporter();
  const losses = new ExportLosses("traces");
  return new BatchSpanProcessor({
    exporter: losses.guard(exporter, guardSpan),
    maxQueueSize,
    maxExportBatchSize,
    scheduledDelayMillis,
    selfObsMeterProvider: losses.meterProvider,
  });
}
