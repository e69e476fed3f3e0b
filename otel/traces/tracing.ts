import type { IncomingMessage, Server } from "node:http";
import { createNoopMeter, type MeterProvider } from "@opentelemetry/api";
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
import { type RunOfContext, runKey, spanAttributes } from "../api/span-attributes.ts";
import type { ExportLosses } from "../export/losses.ts";
import type { TraceSettings } from "../settings/trace-settings.ts";
import { type EarlySampling, sampleEarly } from "./early-sampling.ts";
import { followLinks } from "./follow-links.ts";
import { patchImports, tracingInstrumentations } from "./official-instrumentations.ts";
import { propagationOf } from "./propagation.ts";
import { exportingProcessor } from "./span-export.ts";

/** Traces, running. */
export interface Tracing {
  /** To be called for the server whose requests are traced, before it listens. */
  attachServer(server: Server): void;
  /** Sends what waits, for a few seconds at most. */
  shutdown(): Promise<void>;
}

/** Decides where neither a caller nor a link does. */
function rootSampler({ sampler, samplingRatio }: TraceSettings): Sampler {
  const roots: Record<string, () => Sampler> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(samplingRatio),
  };
  return roots[sampler.replace("parentbased_", "")]!();
}

const samplerOf = ({ sampler }: TraceSettings, early: EarlySampling): Sampler =>
  sampler.startsWith("parentbased_") ? new ParentBasedSampler({ root: followLinks(early.sampler) }) : early.sampler;

/** Our metrics say what these instrumentations would measure (docs/metrics.md compares them): no series twice. */
const noMetrics: MeterProvider = { getMeter: () => createNoopMeter() };

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
  // Express takes a path with a slash behind it for the same.
  const path = (request.url ?? "").split("?", 1)[0]!.replace(/(?<=.)\/$/, "");
  return path === metricsPath || path === "/api/health" || path.startsWith("/api/health/");
}

/**
 * Starts traces: spans of the official instrumentations and of our own code, sent by OTLP. Must run before the
 * libraries are imported. Metrics are none of its business: there is one path for them, with traces or without.
 */
export async function startTracing(
  settings: TraceSettings,
  parts: { readonly resource: Resource; readonly metricsPath: string; readonly losses: ExportLosses },
): Promise<Tracing> {
  const { resource, metricsPath, losses } = parts;
  // Loaded before there is anything that patches.
  const exporting = await exportingProcessor(settings, losses);
  await patchImports(settings.libraries);
  const isNeverTraced = (request: IncomingMessage): boolean => isUntraced(request, metricsPath);
  const instrumentations = tracingInstrumentations(settings.libraries, isNeverTraced);
  const propagation = await propagationOf(settings.propagators);
  const early = sampleEarly(rootSampler(settings), isNeverTraced, propagation.carriers);
  const sdk = withoutItsLogger(
    () =>
      new NodeSDK({
        autoDetectResources: false,
        resource,
        sampler: samplerOf(settings, early),
        idGenerator: early.ids,
        textMapPropagator: propagation.propagator,
        spanLimits: settings.limits,
        spanProcessors: [runIds, exporting],
        // Without these two, NodeSDK posts metrics and logs to the endpoint as well.
        metricReaders: [],
        logRecordProcessors: [],
        instrumentations,
      }),
  );
  sdk.start();
  for (const instrumentation of instrumentations) instrumentation.setMeterProvider(noMetrics);
  return {
    attachServer: (server) => {
      if (settings.libraries.includes("http")) early.attach(server);
    },
    shutdown: () => losses.settle(sdk.shutdown()),
  };
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
