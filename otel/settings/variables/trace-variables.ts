import { propagators, tracedLibraries } from "../trace-settings.ts";
import { listOf, type Variable } from "./variable.ts";

const cutToQueue = (value: string, longest: number | undefined, name: string): string | undefined =>
  longest !== undefined && Number(value) > longest ? `${name} is smaller` : undefined;

const cutToTimeout = (value: string, longest: number | undefined): string | undefined =>
  longest !== undefined && Number(value) > longest ? `OTEL_EXPORTER_OTLP_TIMEOUT leaves ${longest} ms` : undefined;

/** The libraries among these that are none of ours. */
function otherLibraries(value: string): string | undefined {
  const known: readonly string[] = tracedLibraries;
  const others = listOf(value).filter((name) => !known.includes(name));
  return others.length === 0 ? undefined : `${others.join(", ")}: not among ${known.join(", ")}`;
}

function otherPropagators(value: string): string | undefined {
  const names = listOf(value);
  if (names.includes("none")) return names.length === 1 ? undefined : "none stands among others, and is followed";
  const known: readonly string[] = propagators;
  const others = names.filter((name) => !known.includes(name));
  return others.length === 0 ? undefined : `${others.join(", ")}: not among ${known.join(", ")}, none`;
}

/** Variables of traces. */
export const traceVariables = {
  OTEL_TRACES_EXPORTER: {
    section: "Traces",
    value: "otlp",
    about: "none: no traces although an endpoint is set.",
    leavesOut: (value, { settings }) =>
      value.trim() !== "none" && settings.traces === undefined ? "no endpoint for traces is set" : undefined,
  },
  OTEL_PROPAGATORS: {
    section: "Traces",
    needs: "traces",
    value: "tracecontext,baggage",
    about:
      "How a trace comes from callers and goes to whom we call: tracecontext, baggage, b3 (one header), b3multi, or several with commas; or none.",
    leavesOut: otherPropagators,
  },
  OTEL_TRACES_SAMPLER: {
    section: "Traces",
    needs: "traces",
    value: "parentbased_traceidratio",
    about:
      "Which requests are traced: always_on, always_off or traceidratio; with parentbased_ before it, a caller's own decision (traceparent) is followed.",
  },
  OTEL_TRACES_SAMPLER_ARG: {
    section: "Traces",
    needs: "traces",
    value: "1",
    about: "Share of traces kept by the ratio samplers, 0 to 1.",
    leavesOut: (_value, { settings: { traces } }) =>
      traces?.sampler.endsWith("traceidratio") ? undefined : `OTEL_TRACES_SAMPLER=${traces?.sampler} has no share`,
  },
  OTEL_BSP_MAX_QUEUE_SIZE: {
    section: "Traces",
    needs: "traces",
    value: "2048",
    about: "Most spans that wait for export; more are dropped and counted.",
  },
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: {
    section: "Traces",
    needs: "traces",
    value: "512",
    about: "Most spans in one export; no more than OTEL_BSP_MAX_QUEUE_SIZE.",
    leavesOut: (value, { settings }) =>
      cutToQueue(value, settings.traces?.maxExportBatchSize, "OTEL_BSP_MAX_QUEUE_SIZE"),
  },
  OTEL_BSP_SCHEDULE_DELAY: {
    section: "Traces",
    needs: "traces",
    value: "5000",
    about: "Milliseconds between exports.",
  },
  OTEL_BSP_EXPORT_TIMEOUT: {
    section: "Traces",
    needs: "traces",
    value: "30000",
    about: "Milliseconds for one export, where OTEL_EXPORTER_OTLP_TIMEOUT leaves as many.",
    leavesOut: (value, { settings }) => cutToTimeout(value, settings.traces?.timeoutMillis),
  },
  OTEL_ATTRIBUTE_COUNT_LIMIT: {
    section: "Traces",
    needs: "traces or logs",
    value: "128",
    about: "Most attributes of a span or line that is sent; the forms for spans and for lines win.",
  },
  OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: {
    section: "Traces",
    needs: "traces or logs",
    value: "",
    about:
      "Most characters of an attribute's text, the rest is cut off; empty: no limit. The forms for spans and for lines win.",
  },
  OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: {
    section: "Traces",
    needs: "traces",
    value: "128",
    about: "Most attributes of a span.",
  },
  OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: {
    section: "Traces",
    needs: "traces",
    value: "",
    about: "Most characters of the text of a span's attribute; empty: no limit.",
  },
  OTEL_SPAN_EVENT_COUNT_LIMIT: { section: "Traces", needs: "traces", value: "128", about: "Most events of a span." },
  OTEL_SPAN_LINK_COUNT_LIMIT: { section: "Traces", needs: "traces", value: "128", about: "Most links of a span." },
  OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: {
    section: "Traces",
    needs: "traces",
    value: "128",
    about: "Most attributes of an event of a span.",
  },
  OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: {
    section: "Traces",
    needs: "traces",
    value: "128",
    about: "Most attributes of a link of a span.",
  },
  OTEL_NODE_ENABLED_INSTRUMENTATIONS: {
    section: "Traces",
    needs: "traces",
    value: tracedLibraries.join(","),
    about: "Libraries that make spans; the others stay as they are.",
    leavesOut: otherLibraries,
  },
  OTEL_NODE_DISABLED_INSTRUMENTATIONS: {
    section: "Traces",
    needs: "traces",
    value: "",
    about: "Libraries that make none.",
    // Whoever is not there makes no spans: that is what was wanted.
  },
} as const satisfies Record<string, Variable>;

/** Variables of log lines. */
export const logVariables = {
  OTEL_LOGS_EXPORTER: {
    section: "Logs",
    value: "otlp",
    about: "none: logs on stdout alone although an endpoint is set.",
    leavesOut: (value, { settings }) =>
      value.trim() !== "none" && settings.logs === undefined ? "no endpoint for logs is set" : undefined,
  },
  OTEL_BLRP_MAX_QUEUE_SIZE: {
    section: "Logs",
    needs: "logs",
    value: "2048",
    about: "Most lines that wait for export; more are dropped and counted.",
  },
  OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: {
    section: "Logs",
    needs: "logs",
    value: "512",
    about: "Most lines in one export; no more than OTEL_BLRP_MAX_QUEUE_SIZE.",
    leavesOut: (value, { settings }) =>
      cutToQueue(value, settings.logs?.maxExportBatchSize, "OTEL_BLRP_MAX_QUEUE_SIZE"),
  },
  OTEL_BLRP_SCHEDULE_DELAY: { section: "Logs", needs: "logs", value: "1000", about: "Milliseconds between exports." },
  OTEL_BLRP_EXPORT_TIMEOUT: {
    section: "Logs",
    needs: "logs",
    value: "30000",
    about: "Milliseconds for one export, where OTEL_EXPORTER_OTLP_TIMEOUT leaves as many.",
    leavesOut: (value, { settings }) => cutToTimeout(value, settings.logs?.timeoutMillis),
  },
  OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: {
    section: "Logs",
    needs: "logs",
    value: "128",
    about: "Most attributes of a line that is sent; on stdout it has all.",
  },
  OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: {
    section: "Logs",
    needs: "logs",
    value: "",
    about: "Most characters of the text of its attributes; empty: no limit.",
  },
} as const satisfies Record<string, Variable>;
