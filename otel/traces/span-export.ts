import { TraceFlags } from "@opentelemetry/api";
import { BatchSpanProcessor, type SpanProcessor } from "@opentelemetry/sdk-trace";
import type { ExportLosses } from "../export/losses.ts";
import { traceExporter } from "../export/otlp-exporters.ts";
import { type BatchSettings, batchOf } from "../settings/otlp-settings.ts";
import { guardSpan } from "./span-guard.ts";

/**
 * Collects ended spans and sends them in batches, in the background. The queue is bounded: while the endpoint is slow
 * or away, memory does not grow, and what has no room is counted as dropped.
 */
export async function exportingProcessor(settings: BatchSettings, losses: ExportLosses): Promise<SpanProcessor> {
  const batches = new BatchSpanProcessor({
    ...batchOf(settings),
    exporter: losses.guard(await traceExporter(settings), guardSpan),
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
