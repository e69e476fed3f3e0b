import type { Condition, Variable } from "./variable.ts";

/** What each of them says for all signals, and, with the signal's name in it, for one alone. */
const ofAllSignals = {
  ENDPOINT: {
    value: "http://localhost:4318",
    about:
      "Collector that takes OTLP, here over HTTP; it turns traces and logs on. /v1/traces, /v1/logs or /v1/metrics is added. For gRPC http://localhost:4317, and nothing is added.",
  },
  PROTOCOL: { value: "http/protobuf", about: "http/protobuf | http/json | grpc." },
  HEADERS: {
    value: "",
    about:
      "Sent with every export: key=value pairs, separated by commas. Or OTEL_EXPORTER_OTLP_HEADERS_FILE: a file that holds it; both forms also with TRACES_, LOGS_ or METRICS_ before HEADERS, for one signal.",
  },
  COMPRESSION: { value: "none", about: "none | gzip." },
  CERTIFICATE: {
    value: "",
    about: "PEM file of the authority that signed the endpoint's certificate; empty: the usual authorities.",
  },
  CLIENT_CERTIFICATE: { value: "", about: "PEM file of our certificate, where it asks for one." },
  CLIENT_KEY: { value: "", about: "PEM file of its key, without a passphrase." },
  TIMEOUT: { value: "10000", about: "Milliseconds for one export, its repetitions included." },
} as const;

const endpoints = {
  TRACES: { value: "http://localhost:4318/v1/traces", about: "The endpoint for traces alone, with the whole path." },
  LOGS: {
    value: "http://localhost:3100/otlp/v1/logs",
    about: "The endpoint for logs alone, with the whole path; here Loki's own.",
  },
  METRICS: {
    value: "http://localhost:4318/v1/metrics",
    about:
      "Where otlp sends metrics to, with the whole path; else OTEL_EXPORTER_OTLP_ENDPOINT, and /v1/metrics is added.",
  },
} as const;

const needed = {
  TRACES: "traces",
  LOGS: "logs",
  METRICS: "metrics by otlp",
} as const satisfies Record<string, Condition>;

const noInsecure = "the endpoint's own http:// or https:// says whether it is encrypted";

function ofSignal(signal: keyof typeof needed): Record<string, Variable> {
  const name = signal.toLowerCase();
  const prefix = `OTEL_EXPORTER_OTLP_${signal}`;
  const section = "Sending";
  const others = Object.keys(ofAllSignals).filter((what) => what !== "ENDPOINT");
  return {
    [`${prefix}_ENDPOINT`]: { section, needs: needed[signal], ...endpoints[signal] },
    ...Object.fromEntries(
      others.flatMap((what) => {
        const variable = {
          section,
          needs: needed[signal],
          about: `OTEL_EXPORTER_OTLP_${what} for ${name} alone.`,
        } as const;
        const inFile = { ...variable, about: `A file that holds OTEL_EXPORTER_OTLP_${signal}_HEADERS.` };
        return [
          [`${prefix}_${what}`, variable] as const,
          ...(what === "HEADERS" ? [[`${prefix}_${what}_FILE`, inFile] as const] : []),
        ];
      }),
    ),
    [`${prefix}_INSECURE`]: { section, needs: "nothing", about: noInsecure },
  };
}

const noZipkin = "there is no exporter for Zipkin, which takes OTLP by way of a collector";

/** Variables of the exporters, for all signals and for each of them. */
export const otlpVariables: Readonly<Record<string, Variable>> = {
  ...Object.fromEntries(
    Object.entries(ofAllSignals).map(([what, { value, about }]) => [
      `OTEL_EXPORTER_OTLP_${what}`,
      { section: "Sending", needs: "anything by otlp", value, about } satisfies Variable,
    ]),
  ),
  OTEL_EXPORTER_OTLP_HEADERS_FILE: {
    section: "Sending",
    needs: "anything by otlp",
    about: "A file that holds OTEL_EXPORTER_OTLP_HEADERS.",
  },
  OTEL_EXPORTER_OTLP_INSECURE: { section: "Sending", needs: "nothing", about: noInsecure },
  ...ofSignal("TRACES"),
  ...ofSignal("LOGS"),
  ...ofSignal("METRICS"),
  OTEL_EXPORTER_ZIPKIN_ENDPOINT: { section: "Sending", needs: "nothing", about: noZipkin },
  OTEL_EXPORTER_ZIPKIN_TIMEOUT: { section: "Sending", needs: "nothing", about: noZipkin },
};
