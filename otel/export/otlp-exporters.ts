import type { OtlpSettings } from "../settings/otlp-settings.ts";

/** What every exporter takes; endpoint, compression and certificates it reads by itself. */
async function optionsOf({ protocol, headers, timeoutMillis }: OtlpSettings) {
  if (headers === undefined) return { timeoutMillis };
  if (protocol !== "grpc") return { timeoutMillis, headers };
  const { Metadata } = await import("@grpc/grpc-js");
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return { timeoutMillis, metadata };
}

/** The exporter of that protocol; the others are not even loaded. */
export async function traceExporter(settings: OtlpSettings) {
  const { OTLPTraceExporter } = await {
    "http/protobuf": () => import("@opentelemetry/exporter-trace-otlp-proto"),
    "http/json": () => import("@opentelemetry/exporter-trace-otlp-http"),
    grpc: () => import("@opentelemetry/exporter-trace-otlp-grpc"),
  }[settings.protocol]();
  return new OTLPTraceExporter(await optionsOf(settings));
}

/** The same of log lines. */
export async function logExporter(settings: OtlpSettings) {
  const { OTLPLogExporter } = await {
    "http/protobuf": () => import("@opentelemetry/exporter-logs-otlp-proto"),
    "http/json": () => import("@opentelemetry/exporter-logs-otlp-http"),
    grpc: () => import("@opentelemetry/exporter-logs-otlp-grpc"),
  }[settings.protocol]();
  return new OTLPLogExporter(await optionsOf(settings));
}

/** The same of metrics. */
export async function metricExporter(settings: OtlpSettings) {
  const { OTLPMetricExporter } = await {
    "http/protobuf": () => import("@opentelemetry/exporter-metrics-otlp-proto"),
    "http/json": () => import("@opentelemetry/exporter-metrics-otlp-http"),
    grpc: () => import("@opentelemetry/exporter-metrics-otlp-grpc"),
  }[settings.protocol]();
  // Cumulative by default, and read by itself: metric-settings.ts refuses all else.
  return new OTLPMetricExporter(await optionsOf(settings));
}
