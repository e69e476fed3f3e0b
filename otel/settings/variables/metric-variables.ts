import { otherPortOf } from "../prometheus-address.ts";
import { listOf, type Variable } from "./variable.ts";

/** Variables of metrics, and of where they are read. */
export const metricVariables = {
  OTEL_METRICS_EXPORTER: {
    section: "Metrics",
    value: "prometheus",
    about: "prometheus, otlp and console, or several of them with commas; or none: nothing is measured.",
    leavesOut: (value, { settings }) =>
      listOf(value).includes("prometheus") && settings.metrics?.prometheus !== true
        ? "PROMETHEUS__ENABLED=false takes prometheus out"
        : undefined,
  },
  OTEL_EXPORTER_PROMETHEUS_PORT: {
    section: "Metrics",
    needs: "/metrics",
    about: "Another name of METRICS_PORT, which wins.",
    leavesOut: (value, { env }) =>
      otherPortOf(env, value) === undefined ? undefined : `METRICS_PORT=${otherPortOf(env, value)} wins`,
  },
  OTEL_EXPORTER_PROMETHEUS_HOST: {
    section: "Metrics",
    needs: "/metrics",
    about: "Where METRICS_PORT or OTEL_EXPORTER_PROMETHEUS_PORT listens; SERVICE_HOST without it.",
    leavesOut: (_value, { env }) =>
      env.METRICS_PORT || env.OTEL_EXPORTER_PROMETHEUS_PORT?.trim()
        ? undefined
        : "/metrics has no port of its own, and is at SERVICE_HOST",
  },
  OTEL_METRIC_EXPORT_INTERVAL: {
    section: "Metrics",
    needs: "metrics that are sent",
    value: "60000",
    about: "Milliseconds between two exports of otlp or console.",
  },
  OTEL_METRIC_EXPORT_TIMEOUT: {
    section: "Metrics",
    needs: "metrics that are sent",
    value: "30000",
    about: "Milliseconds for one export, where OTEL_EXPORTER_OTLP_TIMEOUT and the interval leave as many.",
    leavesOut: (value, { settings }) => {
      const longest = settings.metrics?.otlp?.timeoutMillis;
      return longest !== undefined && Number(value) > longest
        ? `another one, or the interval, leaves ${longest} ms`
        : undefined;
    },
  },
  OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: {
    section: "Metrics",
    needs: "metrics by otlp",
    value: "cumulative",
    about: "cumulative only: counters count from the start of the process.",
  },
  OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: {
    section: "Metrics",
    needs: "metrics by otlp",
    value: "explicit_bucket_histogram",
    about: "explicit_bucket_histogram: the bounds are those of docs/metrics.md.",
    leavesOut: (value) =>
      value.trim().toLowerCase() === "explicit_bucket_histogram"
        ? undefined
        : "histograms have the bounds of docs/metrics.md, and are not exponential",
  },
  OTEL_METRICS_EXEMPLAR_FILTER: {
    section: "Metrics",
    needs: "/metrics",
    value: "trace_based",
    about: "trace_based: where traces are on, /metrics shows the trace of what was counted. always_off: it does not.",
    leavesOut: (value, { settings }) => {
      if (value.trim() === "always_off") return undefined;
      if (value.trim() === "always_on") return "outside of a trace an exemplar would lead nowhere: as trace_based";
      return settings.traces === undefined ? "there are no traces" : undefined;
    },
  },
} as const satisfies Record<string, Variable>;
