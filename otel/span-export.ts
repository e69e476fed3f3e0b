import { createNoopMeter, diag, type MeterProvider } from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, type SpanProcessor } from "@opentelemetry/sdk-trace";
import { add, guarded } from "./instruments.ts";
import { guardSpan } from "./span-guard.ts";
import type { TraceSettings } from "./trace-settings.ts";

/** Of @opentelemetry/core's ExportResultCode. */
const success = 0;

function dropped(spans: number): void {
  guarded(() => add("telemetryExportDropped", spans, { signal: "traces" }));
}

/** Sends guarded spans; what can't be sent is counted and is over: to the processor every export has succeeded. */
class GuardedExporter implements SpanExporter {
  readonly #inner: SpanExporter;

  constructor(inner: SpanExporter) {
    this.#inner = inner;
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter["export"]>[1]): void {
    this.#inner.export(spans.map(guardSpan), ({ code, error }) => {
      if (code !== success) {
        dropped(spans.length);
        diag.warn(`${spans.length} spans could not be exported and are lost`, error);
      }
      done({ code: success });
    });
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }
}

/** Takes the processor's figures about itself: what its full queue refused is told nowhere else. */
const queueWatch: MeterProvider = {
  getMeter() {
    const meter = createNoopMeter();
    meter.createCounter = () => ({
      add(spans, attributes) {
        if (attributes?.["error.type"] === "queue_full") dropped(spans);
      },
    });
    return meter;
  },
};

/**
 * Collects ended spans and sends them in batches, in the background. The queue is bounded: while the endpoint is slow
 * or away, memory does not grow, and what has no room is counted as dropped.
 */
export function exportingProcessor(settings: TraceSettings): SpanProcessor {
  const { protocol, maxQueueSize, maxExportBatchSize, scheduledDelayMillis } = settings;
  const exporter = protocol === "http/json" ? new JsonExporter() : new ProtobufExporter();
  return new BatchSpanProcessor({
    exporter: new GuardedExporter(exporter),
    maxQueueSize,
    maxExportBatchSize,
    scheduledDelayMillis,
    selfObsMeterProvider: queueWatch,
  });
}
