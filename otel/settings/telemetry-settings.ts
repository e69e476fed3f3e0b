import { defaultLatencyBounds } from "../api/catalogue/metric-definition.ts";
import { isSent, type MetricSettings, readMetricSettings } from "./metric-settings.ts";
import { type BatchSettings, readOtlpSettings } from "./otlp-settings.ts";
import { readTraceSettings, type TraceSettings } from "./trace-settings.ts";

/** What telemetry takes from the environment. */
export interface TelemetrySettings {
  /** False with OTEL_SDK_DISABLED=true, or where nothing is asked for: nothing of the SDK is loaded. */
  readonly enabled: boolean;
  /** Undefined where they go nowhere: no meters, nothing is measured. */
  readonly metrics: MetricSettings | undefined;
  readonly metricsPath: string;
  /** Of our own names, e.g. `mlops_backend`. */
  readonly prefix: string;
  readonly latencyBounds: readonly number[];
  readonly instrumentInProgress: boolean;
  /** `_created` lines. */
  readonly created: boolean;
  /** Undefined without an OTLP endpoint: then nothing of traces is loaded. */
  readonly traces: TraceSettings | undefined;
  /** Undefined without an OTLP endpoint: then logs are on stdout alone. */
  readonly logs: BatchSettings | undefined;
}

/** Every PROMETHEUS__* variable with its default, for `.env.example` and the check of names in `src/settings/config.ts`. */
export const telemetryVariables = {
  PROMETHEUS__ENABLED: {
    fallback: "true",
    about: "false: /metrics answers 404, and nothing is measured unless OTEL_METRICS_EXPORTER has otlp or console.",
  },
  PROMETHEUS__METRICS_PATH: { fallback: "/metrics", about: "Where metrics are served." },
  PROMETHEUS__METRIC_NAMESPACE: { fallback: "mlops", about: "First part of our metric names." },
  PROMETHEUS__METRIC_SUBSYSTEM: { fallback: "backend", about: "Second part of our metric names." },
  PROMETHEUS__LATENCY_BUCKETS: {
    fallback: JSON.stringify(defaultLatencyBounds),
    about: "Bounds of request durations in seconds, a JSON array, ascending, 0.5 among them.",
  },
  PROMETHEUS__INSTRUMENT_INPROGRESS: { fallback: "true", about: "Shows the requests being answered now." },
  PROMETHEUS__CREATED: {
    fallback: "false",
    about: "Adds _created lines; only with Prometheus' created-timestamp-zero-ingestion.",
  },
} as const satisfies Record<string, { fallback: string; about: string }>;

type VariableName = keyof typeof telemetryVariables;

function boolean(text: string): boolean {
  if (text !== "true" && text !== "false") throw new Error("must be true or false");
  return text === "true";
}

/** Prometheus' rule for metric names, without the colon, which is for recording rules. */
function namePart(text: string): string {
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(text))
    throw new Error("must be letters, digits and _, and not begin with a digit");
  return text;
}

function metricsPath(text: string): string {
  if (!/^\/[A-Za-z0-9._~/-]+$/.test(text) || text.includes("//") || text.endsWith("/")) {
    throw new Error("must begin with /, name a path of letters, digits, . _ ~ -, and not end with /");
  }
  if (text.split("/").some((part) => part === "." || part === "..")) throw new Error("must not hold . or .. as a part");
  if (/^\/api(\/|$)/i.test(text)) throw new Error("must not lie under /api");
  return text;
}

function latencyBounds(text: string): readonly number[] {
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    throw new Error("must be a JSON array of seconds, e.g. [0.1, 0.5, 1]");
  }
  if (!Array.isArray(values) || values.length < 1 || values.length > 50)
    throw new Error("must be a JSON array of 1 to 50 numbers");
  const isAscending = values.every(
    (value, index) =>
      typeof value === "number" && Number.isFinite(value) && value > (index === 0 ? 0 : values[index - 1]),
  );
  if (!isAscending) throw new Error("must be positive numbers in ascending order");
  // The latency objective is "under 0.5 s": without that bound its rule would be silently wrong.
  if (!values.includes(0.5)) throw new Error("must contain 0.5, which the latency objective is measured by");
  return values as number[];
}

/** Whether OTEL_SDK_DISABLED is true, by OpenTelemetry's own rule for its booleans: in any case of letters, and all else is false. */
export const isSdkDisabled = ({ OTEL_SDK_DISABLED: said }: NodeJS.ProcessEnv): boolean =>
  said?.trim().toLowerCase() === "true";

/**
 * Reads the telemetry settings, and the files that their secrets stand in; without the SDK. With faults, the settings hold the defaults in the places
 * of what is wrong, and must not be used: `main.ts` reports the faults together with those of `src/settings/config.ts`.
 */
export function readTelemetrySettings(env: NodeJS.ProcessEnv): { settings: TelemetrySettings; faults: string[] } {
  const sdkEnabled = !isSdkDisabled(env);
  // A process that has no telemetry need not have right what it says, nor the files: a command on another machine, or who
  // switches it off for their absence.
  const followed = sdkEnabled ? env : {};
  const { traces, faults: traceFaults } = readTraceSettings(followed);
  const { settings: logs, faults: logFaults } = readOtlpSettings(followed, "logs");
  const { settings: metrics, faults: metricFaults } = readMetricSettings(followed);
  // What several read is one fault.
  const faults = [...new Set([...traceFaults, ...logFaults, ...metricFaults])];
  const read = <Value>(name: VariableName, reader: (text: string) => Value): Value => {
    const { fallback } = telemetryVariables[name];
    try {
      return reader(env[name] || fallback);
    } catch (error) {
      faults.push(`${name} ${error instanceof Error ? error.message : String(error)}`);
      return reader(fallback);
    }
  };
  const prometheus = read("PROMETHEUS__ENABLED", boolean) && metrics.prometheus;
  const isMeasured = prometheus || isSent(metrics);
  const settings: TelemetrySettings = {
    enabled: sdkEnabled && (isMeasured || traces !== undefined || logs !== undefined),
    metrics: sdkEnabled && isMeasured ? { ...metrics, prometheus } : undefined,
    metricsPath: read("PROMETHEUS__METRICS_PATH", metricsPath),
    prefix: `${read("PROMETHEUS__METRIC_NAMESPACE", namePart)}_${read("PROMETHEUS__METRIC_SUBSYSTEM", namePart)}`,
    latencyBounds: read("PROMETHEUS__LATENCY_BUCKETS", latencyBounds),
    instrumentInProgress: read("PROMETHEUS__INSTRUMENT_INPROGRESS", boolean),
    created: read("PROMETHEUS__CREATED", boolean),
    traces,
    logs,
  };
  return { settings, faults };
}
