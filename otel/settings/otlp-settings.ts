import { readOtlpHeaders } from "./otlp-headers.ts";
import { type Given, readPemFiles } from "./pem-files.ts";

const protocols = ["http/protobuf", "http/json", "grpc"] as const;

/** How one signal is sent; the exporter itself reads endpoint, compression and certificates. */
export interface OtlpSettings {
  readonly protocol: (typeof protocols)[number];
  /** They hold tokens: not to be shown. Undefined where there are none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Of one export, its repetitions included. */
  readonly timeoutMillis: number;
}

/** What of a span or line is left out because there is too much of it; undefined: the SDK's own limit. */
export interface AttributeLimits {
  readonly attributeCountLimit?: number;
  /** Characters of a text; what is longer is cut off there. */
  readonly attributeValueLengthLimit?: number;
}

/** Of a signal whose items wait for one another. */
export interface BatchSettings extends OtlpSettings {
  readonly limits: AttributeLimits;
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelayMillis: number;
}

/** A longer timer of Node's is one of a millisecond (setTimeout, «delay»). */
const longestMillis = 2 ** 31 - 1;

/** What both batch processors take. */
export function batchOf({ maxQueueSize, maxExportBatchSize, scheduledDelayMillis, timeoutMillis }: BatchSettings) {
  // Only a backstop behind the exporter's own time-out: a processor that gives up first (30 s by default) sends the next
  // batch beside the one that is still on its way, and says so each time.
  const exportTimeoutMillis = Math.min(timeoutMillis + 5_000, longestMillis);
  return { maxQueueSize, maxExportBatchSize, scheduledDelayMillis, exportTimeoutMillis };
}

/** Reads a variable; what is wrong becomes a fault, and the fallback stands in its place. */
export type ReadVariable = <Value>(name: string, reader: (text: string) => Value, fallback: Value) => Value;

const wholeFrom =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least) throw new Error(`must be a whole number from ${least}`);
    return value;
  };
const wholeNumber = wholeFrom(1);

/** Reads a time in milliseconds. @throws Error where it is none, or longer than a timer can be */
export function milliseconds(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > longestMillis)
    throw new Error(`must be a whole number from 1 to ${longestMillis}`);
  return value;
}

/**
 * Reads limits by their names, in the order of whose word counts.
 * @returns those that are set
 */
export function readLimits<Limit extends string>(
  read: ReadVariable,
  names: Readonly<Record<Limit, readonly string[]>>,
): { [Name in Limit]?: number } {
  const limits: { [Name in Limit]?: number } = {};
  for (const [limit, variables] of Object.entries(names) as [Limit, readonly string[]][]) {
    // A text of no length is no limit to the SDK, which says so for each of them.
    const least = limit.endsWith("LengthLimit") ? 1 : 0;
    const given = variables.map((name) =>
      read(name, wholeFrom(least) as (text: string) => number | undefined, undefined),
    );
    const first = given.find((value) => value !== undefined);
    if (first !== undefined) limits[limit] = first;
  }
  return limits;
}

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

/** What gRPC's metadata take; the exporter would end the start with a stack. */
const isMetadata = ([name, value]: [string, string]): boolean =>
  /^[0-9a-z_.-]+$/i.test(name) && !/-bin$/i.test(name) && /^[ -~]*$/.test(value);

function faultsOfGrpc(endpoint: Given | undefined, headers: OtlpSettings["headers"], upper: string): string[] {
  const faults: string[] = [];
  if (endpoint !== undefined && URL.canParse(endpoint.value)) {
    const { pathname, search } = new URL(endpoint.value);
    // The exporter would leave it out, and what is behind another path would not get what it should.
    if (pathname !== "/" || search !== "")
      faults.push(`${endpoint.setBy} must be without a path: gRPC has its own, e.g. http://localhost:4317`);
  }
  if (!Object.entries(headers ?? {}).every(isMetadata))
    faults.push(
      `OTEL_EXPORTER_OTLP_HEADERS or OTEL_EXPORTER_OTLP_${upper}_HEADERS has what gRPC can't send: names are of letters, digits, _ . and -, and don't end with -bin; values are printable ASCII`,
    );
  return faults;
}

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
  // The exporter would go on without a file that it can't read, and with what it takes to be no compression.
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
  const timeoutMillis = read("OTEL_EXPORTER_OTLP_TIMEOUT", milliseconds, 10_000);
  const protocol = read("OTEL_EXPORTER_OTLP_PROTOCOL", oneOf(protocols), "http/protobuf");
  const ofSignal = read(`OTEL_EXPORTER_OTLP_${upper}_PROTOCOL`, oneOf(protocols), protocol);
  const { headers, faults: headerFaults } = readOtlpHeaders(env, upper);
  faults.push(...headerFaults);
  if (ofSignal === "grpc") faults.push(...faultsOfGrpc(forSignal("ENDPOINT"), headers, upper));
  return {
    protocol: ofSignal,
    headers,
    timeoutMillis: read(`OTEL_EXPORTER_OTLP_${upper}_TIMEOUT`, milliseconds, timeoutMillis),
  };
}

/** What a signal that is sent in batches is called in OpenTelemetry's variables, its batches too, and how long a batch waits by default. */
const signals = {
  traces: { name: "TRACES", batch: "BSP", limits: "SPAN", delayMillis: 5_000 },
  logs: { name: "LOGS", batch: "BLRP", limits: "LOGRECORD", delayMillis: 1_000 },
} as const;

/**
 * Reads how traces or logs are sent by OTLP. Settings are undefined without an endpoint for them, or with their exporter
 * `none`; then nothing else is looked at but the exporter.
 */
export function readOtlpSettings(
  env: NodeJS.ProcessEnv,
  signal: keyof typeof signals,
): { settings: BatchSettings | undefined; faults: string[]; read: ReadVariable } {
  const { name: upper, batch, limits, delayMillis } = signals[signal];
  const variables = variableReader(env);
  const { read, faults } = variables;
  // Also without an endpoint: who wants another exporter would wait in vain.
  const exporterName = read(`OTEL_${upper}_EXPORTER`, oneOf(["otlp", "none"]), "otlp");
  if (endpointsOf(env, upper).length === 0 || exporterName === "none") return { settings: undefined, faults, read };
  const exporter = readExporter(env, upper, variables);
  const maxQueueSize = read(`OTEL_${batch}_MAX_QUEUE_SIZE`, wholeNumber, 2048);
  const longestExport = read(`OTEL_${batch}_EXPORT_TIMEOUT`, milliseconds, Number.POSITIVE_INFINITY);
  const settings: BatchSettings = {
    ...exporter,
    timeoutMillis: Math.min(exporter.timeoutMillis, longestExport),
    limits: readLimits(read, {
      attributeCountLimit: [`OTEL_${limits}_ATTRIBUTE_COUNT_LIMIT`, "OTEL_ATTRIBUTE_COUNT_LIMIT"],
      attributeValueLengthLimit: [`OTEL_${limits}_ATTRIBUTE_VALUE_LENGTH_LIMIT`, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"],
    }),
    maxQueueSize,
    maxExportBatchSize: Math.min(read(`OTEL_${batch}_MAX_EXPORT_BATCH_SIZE`, wholeNumber, 512), maxQueueSize),
    scheduledDelayMillis: read(`OTEL_${batch}_SCHEDULE_DELAY`, milliseconds, delayMillis),
  };
  return { settings, faults, read };
}
