import type { IncomingMessage } from "node:http";
import type { MeterProvider } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import { NodeSDK } from "@opentelemetry/sdk-node";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import type { ExportLosses } from "./export-losses.ts";
import { followLinks } from "./follow-links.ts";
import { patchImports, tracingInstrumentations } from "./official-instrumentations.ts";
import { type RunOfContext, runKey, spanAttributes } from "./span-attributes.ts";
import { exportingProcessor } from "./span-export.ts";
import type { TraceSettings } from "./trace-settings.ts";

/** Traces, running. */
export interface Tracing {
  /** Sends what waits, for a few seconds at most. */
  shutdown(): Promise<void>;
}

function samplerOf({ sampler, samplingRatio }: TraceSettings): Sampler {
  const roots: Record<string, () => Sampler> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(samplingRatio),
  };
  const root = roots[sampler.replace("parentbased_", "")]!();
  return sampler.startsWith("parentbased_") ? new ParentBasedSampler({ root: followLinks(root) }) : root;
}

/** A run's id on every span of its context, those of the instrumentations too: one search finds all its traces. */
const runIds: SpanProcessor = {
  onStart(span, parent) {
    const run = parent.getValue(runKey) as RunOfContext | undefined;
    if (run?.id !== undefined) span.setAttribute(spanAttributes.runId, run.id);
  },
  onEnd() {},
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

/** Health checks and scrapes come every few seconds and tell nothing. */
export function isUntraced(request: Pick<IncomingMessage, "url">, metricsPath: string): boolean {
  const path = (request.url ?? "").split("?", 1)[0]!;
  return path === metricsPath || path === "/api/health" || path.startsWith("/api/health/");
}

/**
 * Starts traces: spans of the official instrumentations and of our own code, sent by OTLP. Must run before the
 * libraries are imported. Metrics stay on the provider that is given: there is one path for them, with traces or without.
 */
export async function startTracing(
  settings: TraceSettings,
  parts: {
    readonly resource: Resource;
    readonly metricsPath: string;
    /** Undefined while metrics are switched off. */
    readonly meterProvider: MeterProvider | undefined;
    readonly losses: ExportLosses;
  },
): Promise<Tracing> {
  const { resource, metricsPath, meterProvider, losses } = parts;
  await patchImports(settings.libraries);
  const instrumentations = tracingInstrumentations(settings.libraries, (request) => isUntraced(request, metricsPath));
  if (meterProvider !== undefined)
    for (const instrumentation of instrumentations) instrumentation.setMeterProvider(meterProvider);
  const sdk = withoutItsLogger(
    () =>
      new NodeSDK({
        autoDetectResources: false,
        resource,
        sampler: samplerOf(settings),
        spanProcessors: [runIds, exportingProcessor(settings, losses)],
        // Without these two, NodeSDK posts metrics and logs to the endpoint as well.
        metricReaders: [],
        logRecordProcessors: [],
        instrumentations,
      }),
  );
  sdk.start();
  return { shutdown: () => losses.settle(sdk.shutdown()) };
}

/** With OTEL_LOG_LEVEL, NodeSDK puts a logger of its own in the place of ours, which writes plain text, on stdout too. */
function withoutItsLogger<Value>(construct: () => Value): Value {
  const level = process.env.OTEL_LOG_LEVEL;
  delete process.env.OTEL_LOG_LEVEL;
  try {
    return construct();
  } finally {
    if (level !== undefined) process.env.OTEL_LOG_LEVEL = level;
  }
}
