import {
  milliseconds,
  type OtlpSettings,
  oneOf,
  type ReadVariable,
  readExporter,
  variableReader,
} from "./otlp-settings.ts";
import { type PrometheusAddress, readPrometheusAddress } from "./prometheus-address.ts";

const exporters = ["prometheus", "otlp", "console"] as const;
type MetricExporter = (typeof exporters)[number];

/** Where metrics go. */
export interface MetricSettings {
  /** They wait at /metrics for whoever comes and reads them. */
  readonly prometheus: boolean;
  /** Where, if not with the API. */
  readonly address: PrometheusAddress;
  /** What was counted leads to its trace, where there is one. */
  readonly exemplars: boolean;
  /** Undefined where none are sent. */
  readonly otlp: OtlpSettings | undefined;
  /** They are written to stdout. */
  readonly console: boolean;
  /** Between two exports of those that are sent or written. */
  readonly intervalMillis: number;
}

/** Whether metrics also go where nobody comes for them. */
export const isSent = ({ otlp, console }: MetricSettings): boolean => otlp !== undefined || console;

function exporterList(text: string): readonly MetricExporter[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 1 && names[0] === "none") return [];
  const known = exporters.filter((name) => names.includes(name));
  if (names.length === 0 || known.length < new Set(names).size)
    throw new Error(`must be one or more of ${exporters.join(", ")}, with commas between them, or none alone`);
  return known;
}

/** Counters that begin anew with each export would need a memory of their own for each reader, and lose what is lost on the way. */
function cumulative(text: string): void {
  if (text.toLowerCase() !== "cumulative")
    throw new Error("must be cumulative: this service counts from its start; a collector can make deltas of it");
}

/** The other one is told as not followed: sums, counts and quantiles are the same question with our bounds. */
const histogram = (text: string) =>
  oneOf(["explicit_bucket_histogram", "base2_exponential_bucket_histogram"])(text.toLowerCase());

function readOtlp(env: NodeJS.ProcessEnv, variables: { read: ReadVariable; faults: string[] }): OtlpSettings {
  variables.read("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", cumulative, undefined);
  variables.read("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", histogram, undefined);
  return readExporter(env, "METRICS", variables);
}

/**
 * Reads where metrics go; unlike traces and logs they are sent by OTLP only when `otlp` is asked for, since Prometheus
 * comes and reads them. Without an endpoint that is the specification's, http://localhost:4318.
 */
export function readMetricSettings(env: NodeJS.ProcessEnv): { settings: MetricSettings; faults: string[] } {
  const variables = variableReader(env);
  const { read, faults } = variables;
  const wanted = read<readonly MetricExporter[]>("OTEL_METRICS_EXPORTER", exporterList, ["prometheus"]);
  const exemplars = read(
    "OTEL_METRICS_EXEMPLAR_FILTER",
    oneOf(["trace_based", "always_on", "always_off"]),
    "trace_based",
  );
  const address = wanted.includes("prometheus")
    ? readPrometheusAddress(variables)
    : { host: undefined, port: undefined };
  const isPushed = wanted.includes("otlp") || wanted.includes("console");
  const intervalMillis = isPushed ? read("OTEL_METRIC_EXPORT_INTERVAL", milliseconds, 60_000) : 60_000;
  const longestExport = isPushed ? read("OTEL_METRIC_EXPORT_TIMEOUT", milliseconds, 30_000) : 30_000;
  const sent = wanted.includes("otlp") ? readOtlp(env, variables) : undefined;
  const otlp = sent && {
    ...sent,
    // An export that is still on its way when the next one is due has had its time.
    timeoutMillis: Math.min(sent.timeoutMillis, longestExport, intervalMillis),
  };
  return {
    settings: {
      prometheus: wanted.includes("prometheus"),
      address,
      exemplars: exemplars !== "always_off",
      otlp,
      console: wanted.includes("console"),
      intervalMillis,
    },
    faults,
  };
}
