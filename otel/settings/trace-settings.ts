import { type BatchSettings, oneOf, readOtlpSettings } from "./otlp-settings.ts";

/** The libraries whose official instrumentations make spans, by the names that OTEL_NODE_*_INSTRUMENTATIONS know. */
export const tracedLibraries = ["http", "express", "pg", "undici", "pino"] as const;
export type TracedLibrary = (typeof tracedLibraries)[number];

const samplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

/** How spans are made and where they go. */
export interface TraceSettings extends BatchSettings {
  readonly sampler: (typeof samplers)[number];
  /** Share of traces that begin here and are kept, 0 to 1. */
  readonly samplingRatio: number;
  readonly libraries: readonly TracedLibrary[];
}

/** OpenTelemetry's own variables of traces, for `.env.example`; unset, unless a value stands there. */
export const traceVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    value: "http://localhost:4318",
    about:
      "Collector that takes OTLP over HTTP; it turns traces and logs on. /v1/traces, /v1/logs or /v1/metrics is added.",
  },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: {
    value: "http://localhost:4318/v1/traces",
    about: "The same for traces alone, with the whole path.",
  },
  OTEL_EXPORTER_OTLP_PROTOCOL: { value: "http/protobuf", about: "http/protobuf | http/json." },
  OTEL_EXPORTER_OTLP_HEADERS: {
    value: "",
    about:
      "Sent with every export: key=value pairs, separated by commas. Or OTEL_EXPORTER_OTLP_HEADERS_FILE: a file that holds it; both forms also with TRACES_, LOGS_ or METRICS_ before HEADERS, for one signal.",
  },
  OTEL_EXPORTER_OTLP_COMPRESSION: { value: "none", about: "none | gzip." },
  OTEL_EXPORTER_OTLP_CERTIFICATE: {
    value: "",
    about: "PEM file of the authority that signed the endpoint's certificate; empty: the usual authorities.",
  },
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: { value: "", about: "PEM file of our certificate, where it asks for one." },
  OTEL_EXPORTER_OTLP_CLIENT_KEY: { value: "", about: "PEM file of its key, without a passphrase." },
  OTEL_EXPORTER_OTLP_TIMEOUT: { value: "10000", about: "Milliseconds for one export, its repetitions included." },
  OTEL_TRACES_EXPORTER: { value: "otlp", about: "none: no traces although an endpoint is set." },
  OTEL_TRACES_SAMPLER: {
    value: "parentbased_traceidratio",
    about: "Which requests are traced; a caller's own decision (traceparent) is followed by the parentbased ones.",
  },
  OTEL_TRACES_SAMPLER_ARG: { value: "1", about: "Share of traces kept by the ratio samplers, 0 to 1." },
  OTEL_BSP_MAX_QUEUE_SIZE: { value: "2048", about: "Most spans that wait for export; more are dropped and counted." },
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: { value: "512", about: "Most spans in one export." },
  OTEL_BSP_SCHEDULE_DELAY: { value: "5000", about: "Milliseconds between exports." },
  OTEL_NODE_ENABLED_INSTRUMENTATIONS: {
    value: tracedLibraries.join(","),
    about: "Libraries that make spans; the others stay as they are.",
  },
  OTEL_NODE_DISABLED_INSTRUMENTATIONS: { value: "", about: "Libraries that make none." },
} as const satisfies Record<string, { value: string; about: string }>;

function ratio(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 1)) throw new Error("must be a number from 0 to 1");
  return value;
}

const names = (text: string | undefined): string[] =>
  (text ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

/** The names of other libraries are no fault: the variables may be set for a whole cluster. */
function librariesOf(env: NodeJS.ProcessEnv): TracedLibrary[] {
  const enabled = names(env.OTEL_NODE_ENABLED_INSTRUMENTATIONS);
  const disabled = names(env.OTEL_NODE_DISABLED_INSTRUMENTATIONS);
  return tracedLibraries.filter(
    (library) => (enabled.length === 0 || enabled.includes(library)) && !disabled.includes(library),
  );
}

/** Reads what traces take from the environment; `traces` is undefined without an OTLP endpoint for them. */
export function readTraceSettings(env: NodeJS.ProcessEnv): { traces: TraceSettings | undefined; faults: string[] } {
  const { settings, faults, read } = readOtlpSettings(env, "traces");
  if (settings === undefined) return { traces: undefined, faults };
  const traces: TraceSettings = {
    ...settings,
    // Not the specification's parentbased_always_on: whoever sets the ratio alone means it.
    sampler: read("OTEL_TRACES_SAMPLER", oneOf(samplers), "parentbased_traceidratio"),
    samplingRatio: read("OTEL_TRACES_SAMPLER_ARG", ratio, 1),
    libraries: librariesOf(env),
  };
  return { traces, faults };
}
