import { readOtlpHeaders } from "./otlp-headers.ts";
import { type Given, readPemFiles } from "./pem-files.ts";

const protocols = ["http/protobuf", "http/json"] as const;

/** How one signal is sent; the exporter itself reads endpoint, compression and certificates. */
export interface OtlpSettings {
  readonly protocol: (typeof protocols)[number];
  /** They hold tokens: not to be shown. Undefined where there are none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Of one export, its repetitions included. */
  readonly timeoutMillis: number;
}

/** Of a signal whose items wait for one another. */
export interface BatchSettings extends OtlpSettings {
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelayMillis: number;
}

/** What the exporters of a signal take. */
export function exporterOptionsOf({ headers }: OtlpSettings): { headers?: Record<string, string> } {
  return headers === undefined ? {} : { headers };
}

/** What both batch processors take. */
export function batchOf({ maxQueueSize, maxExportBatchSize, scheduledDelayMillis, timeoutMillis }: BatchSettings) {
  // Only a backstop behind the exporter's own time-out: a processor that gives up first (30 s by default) sends the next
  // batch beside the one that is still on its way, and says so each time.
  const exportTimeoutMillis = timeoutMillis + 5_000;
  return { maxQueueSize, maxExportBatchSize, scheduledDelayMillis, exportTimeoutMillis };
}

/** OpenTelemetry's own variables of logs, for `.env.example`; unset, unless a value stands there. */
export const logVariables = {
  OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: {
    value: "http://localhost:3100/otlp/v1/logs",
    about: "The endpoint for logs alone, with the whole path; here Loki's own.",
  },
  OTEL_LOGS_EXPORTER: { value: "otlp", about: "none: logs on stdout alone although an endpoint is set." },
  OTEL_BLRP_MAX_QUEUE_SIZE: { value: "2048", about: "Most lines that wait for export; more are dropped and counted." },
  OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: { value: "512", about: "Most lines in one export." },
  OTEL_BLRP_SCHEDULE_DELAY: { value: "1000", about: "Milliseconds between exports." },
} as const satisfies Record<string, { value: string; about: string }>;

/** Reads a variable; what is wrong becomes a fault, and the fallback stands in its place. */
export type ReadVariable = <Value>(name: string, reader: (text: string) => Value, fallback: Value) => Value;

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error("must be a whole number from 1");
  return value;
};

/** A reader of one of some words. */
export const oneOf =
  <const Value extends string>(values: readonly Value[]) =>
  (text: string): Value => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new Error(`must be one of ${values.join(", ")}`);
    return found;
  };

function httpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new Error("must be an address that begins with http:// or https://");
  if (text.endsWith(" ")) throw new Error("must be without a blank at its end");
  return text;
}

/** To OpenTelemetry an empty variable is an unset one. */
const given = (env: NodeJS.ProcessEnv, name: string): string | undefined => env[name]?.trim() || undefined;

/** A reader of this environment, and what it found to be wrong so far. */
export function variableReader(env: NodeJS.ProcessEnv): { read: ReadVariable; faults: string[] } {
  const faults: string[] = [];
  const read: ReadVariable = (name, reader, fallback) => {
    const text = given(env, name);
    if (text === undefined) return fallback;
    try {
      return reader(text);
    } catch (error) {
      faults.push(`${name} ${error instanceof Error ? error.message : String(error)}`);
      return fallback;
    }
  };
  return { read, faults };
}

/** The endpoints that are set for a signal, by the names of their variables. */
const endpointsOf = (env: NodeJS.ProcessEnv, upper: string): string[] =>
  [`OTEL_EXPORTER_OTLP_${upper}_ENDPOINT`, "OTEL_EXPORTER_OTLP_ENDPOINT"].filter(
    (name) => given(env, name) !== undefined,
  );

/**
 * Reads how a signal is sent by OTLP, which somebody has asked for.
 * @param upper what the signal is called in OpenTelemetry's variables
 */
export function readExporter(
  env: NodeJS.ProcessEnv,
  upper: string,
  { read, faults }: ReturnType<typeof variableReader>,
): OtlpSettings {
  const forSignal = (what: string): Given | undefined => {
    const setBy = [`OTEL_EXPORTER_OTLP_${upper}_${what}`, `OTEL_EXPORTER_OTLP_${what}`].find((name) =>
      given(env, name),
    );
    // As it stands: the exporter, too, takes a blank at an end for a part of the path.
    return setBy === undefined ? undefined : { value: env[setBy] ?? "", setBy };
  };
  // As they stand: the exporter would put the path behind a blank, take the whole for no address, and send to localhost.
  for (const name of endpointsOf(env, upper)) read(name, () => httpUrl(env[name] ?? ""), "");
  // The exporter would go on without a file that it can't read, and with what it takes to be no compression. A process
  // that sends nothing need not have the files: a command on another machine, or who switches it off for their absence.
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() !== "true")
    readPemFiles(
      {
        authority: forSignal("CERTIFICATE"),
        certificate: forSignal("CLIENT_CERTIFICATE"),
        key: forSignal("CLIENT_KEY"),
        pair: "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY",
      },
      faults,
    );
  for (const name of ["OTEL_EXPORTER_OTLP_COMPRESSION", `OTEL_EXPORTER_OTLP_${upper}_COMPRESSION`])
    read(name, oneOf(["none", "gzip"]), "none");
  const timeoutMillis = read("OTEL_EXPORTER_OTLP_TIMEOUT", wholeNumber, 10_000);
  const protocol = read("OTEL_EXPORTER_OTLP_PROTOCOL", oneOf(protocols), "http/protobuf");
  const { headers, faults: headerFaults } = readOtlpHeaders(env, upper);
  faults.push(...headerFaults);
  return {
    protocol: read(`OTEL_EXPORTER_OTLP_${upper}_PROTOCOL`, oneOf(protocols), protocol),
    headers,
    timeoutMillis: read(`OTEL_EXPORTER_OTLP_${upper}_TIMEOUT`, wholeNumber, timeoutMillis),
  };
}

/** What a signal that is sent in batches is called in OpenTelemetry's variables, its batches too, and how long a batch waits by default. */
const signals = {
  traces: { name: "TRACES", batch: "BSP", delayMillis: 5_000 },
  logs: { name: "LOGS", batch: "BLRP", delayMillis: 1_000 },
} as const;

/**
 * Reads how traces or logs are sent by OTLP. Settings are undefined without an endpoint for them, or with their exporter
 * `none`; then nothing else is looked at.
 */
export function readOtlpSettings(
  env: NodeJS.ProcessEnv,
  signal: keyof typeof signals,
): { settings: BatchSettings | undefined; faults: string[]; read: ReadVariable } {
  const { name: upper, batch, delayMillis } = signals[signal];
  const variables = variableReader(env);
  const { read, faults } = variables;
  if (
    endpointsOf(env, upper).length === 0 ||
    read(`OTEL_${upper}_EXPORTER`, oneOf(["otlp", "none"]), "otlp") === "none"
  )
    return { settings: undefined, faults, read };
  const exporter = readExporter(env, upper, variables);
  const maxQueueSize = read(`OTEL_${batch}_MAX_QUEUE_SIZE`, wholeNumber, 2048);
  const settings: BatchSettings = {
    ...exporter,
    maxQueueSize,
    maxExportBatchSize: Math.min(read(`OTEL_${batch}_MAX_EXPORT_BATCH_SIZE`, wholeNumber, 512), maxQueueSize),
    scheduledDelayMillis: read(`OTEL_${batch}_SCHEDULE_DELAY`, wholeNumber, delayMillis),
  };
  return { settings, faults, read };
}
