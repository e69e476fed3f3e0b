import { TraceFlags } from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, type SpanProcessor } from "@opentelemetry/sdk-trace";
import type { ExportLosses } from "../export/losses.ts";
import { type BatchSettings, batchOf, exporterOptionsOf } from "../settings/otlp-settings.ts";
import { guardSpan } from "./span-guard.ts";

/**
 * Collects ended spans and sends them in batches, in the background. The queue is bounded: while the endpoint is slow
 * or away, memory does not grow, and what has no room is counted as dropped.
 */
export function exportingProcessor(settings: BatchSettings, losses: ExportLosses): SpanProcessor {
  const options = exporterOptionsOf(settings);
  const exporter = settings.protocol === "http/json" ? new JsonExporter(options) : new ProtobufExporter(options);
  const batches = new BatchSpanProcessor({
    ...batchOf(settings),
    exporter: losses.guard(exporter, guardSpan),
    selfObsMeterProvider: losses.meterProvider,
  });
  return {
    onStart: (span, parent) => batches.onStart(span, parent),
    onEnd(span) {
      if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0) losses.taken();
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}
