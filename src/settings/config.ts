// Over 300 lines: the settings are one table, with what reads and checks it.
import { isIPv4 } from "node:net";
import { readSecretFiles } from "../../otel/settings/secret-files.ts";
import {
  readTelemetrySettings,
  type TelemetrySettings,
  telemetryVariables,
} from "../../otel/settings/telemetry-settings.ts";
import { openTelemetryNames } from "../../otel/settings/variables/all-variables.ts";
import { unheardVariables } from "../../otel/settings/variables/unheard.ts";
import type { Logger } from "../log.ts";
import { fewestConnections, usualConnections } from "../store/connection-shares.ts";
import { readPostgresConnection, sslModes } from "../store/postgres-connection.ts";
import { findMisspelt, isServiceLink } from "./unknown-names.ts";

/** How a value is read from its text; throws with what it should be. */
type Reader<Value> = (text: string) => Value;

function numberBetween(minimum: number, maximum: number, whole: boolean): Reader<number> {
  return (text) => {
    const value = Number(text);
    if (
      // Not what only a program writes: 0x10 is 16.
      !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ||
      !Number.isFinite(value) ||
      value < minimum ||
      value > maximum ||
      (whole && !Number.isInteger(value))
    ) {
      throw new Error(`must be a ${whole ? "whole " : ""}number from ${minimum} to ${maximum}`);
    }
    return value;
  };
}

const whole = (minimum: number, maximum = Number.MAX_SAFE_INTEGER) => numberBetween(minimum, maximum, true);
const decimal = (minimum: number, maximum: number) => numberBetween(minimum, maximum, false);

function boolean(text: string): boolean {
  if (text !== "true" && text !== "false") throw new Error("must be true or false");
  return text === "true";
}

function oneOf<const Value extends string>(...values: Value[]): Reader<Value> {
  return (text) => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new Error(`must be one of ${values.join(", ")}`);
    return found;
  };
}

/** A blank at an end is not seen, and belongs to the name of no bucket, file or token. */
function plain(text: string): string {
  if (text.trim() !== text) throw new Error("must be without white space at its ends");
  return text;
}
/** As the system takes it: an address of IPv6 may stand in brackets, as in a URL. */
const host: Reader<string> = (text) => plain(text).replace(/^\[(.*:.*)\]$/, "$1");
const list: Reader<string[]> = (text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** As browsers send them: one that is written otherwise would match no request. */
function origins(text: string): string[] {
  return list(text).map((origin) => {
    const isWeb = /^https?:/.test(origin);
    const isSent = isWeb
      ? URL.canParse(origin) && new URL(origin).origin === origin
      : /^[a-z][\w+.-]*:\/\/[^/\s]+$/.test(origin);
    if (!isSent) throw new Error("must be origins as browsers send them, e.g. https://app.example.com: no path, no *");
    return origin;
  });
}

/** As they are compared: ports are not looked at. */
function hostNames(text: string): string[] {
  return list(text).map((host) => {
    if (!/^([\w.-]+|\[[\da-f:.]+\])$/i.test(host))
      throw new Error("must be names of hosts, without port, scheme and *");
    return host;
  });
}

function databaseUrl(text: string): string {
  if (text !== "" && !/^postgres(ql)?:\/\//.test(text))
    throw new Error("must begin with postgres:// or postgresql://, or be empty");
  return plain(text);
}

function endpoint(text: string): string {
  if (text === "") return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url !== undefined && /^https?:$/.test(url.protocol) && url.username === "" && url.search === "" && url.hash === "";
  if (!isPlain) throw new Error("must be an http:// or https:// address without user, query and fragment, or be empty");
  return plain(text);
}

function s3Prefix(text: string): string {
  if (text !== "" && !/^[\w.-]+(\/[\w.-]+)*$/.test(text))
    throw new Error("must be letters, digits, . _ - and, in between, /");
  return text;
}

function apiKeys(text: string): { owner: string; keySha256: string }[] {
  return list(text).map((entry) => {
    const match = /^([A-Za-z0-9_.-]{1,64}):([0-9a-f]{64})$/.exec(entry);
    if (!match) throw new Error("must be owner:sha256-of-key entries (64 lower-case hex digits), separated by commas");
    return { owner: match[1]!, keySha256: match[2]! };
  });
}

interface Setting<Value> {
  readonly env: string;
  readonly read: Reader<Value>;
  readonly fallback: string;
  readonly about: string;
  /** Its value can also stand in a file, which NAME_FILE names. */
  readonly isSecret?: boolean;
}

const setting = <Value>(env: string, read: Reader<Value>, fallback: string, about: string): Setting<Value> => ({
  env,
  read,
  fallback,
  about,
});

const secret = <Value>(...row: Parameters<typeof setting<Value>>): Setting<Value> => ({
  ...setting(...row),
  isSecret: true,
});

const usual = Object.entries(usualConnections)
  .map(([role, connections]) => `${connections} (${role})`)
  .join(", ");

/**
 * Every setting of the service with its environment variable, default and unit. PROMETHEUS__* and OTEL_* are read by
 * `otel/settings/telemetry-settings.ts`, since telemetry starts before this file is loaded.
 */
export const settings = {
  host: setting("SERVICE_HOST", host, "127.0.0.1", "Address to listen on; wider than loopback needs API_KEYS."),
  port: setting("SERVICE_PORT", whole(0, 65_535), "8000", "Port of the API; 0 takes a free one."),
  role: setting("SERVICE_ROLE", oneOf("all", "api", "worker"), "all", "all | api | worker; worker needs DATABASE_URL."),
  databaseUrl: secret("DATABASE_URL", databaseUrl, "", "postgres://…; empty: the embedded database in DATA_DIR."),
  databaseMaxConnections: setting(
    "DATABASE__MAX_CONNECTIONS",
    (text) => (text === "" ? undefined : whole(fewestConnections, 10_000)(text)),
    "",
    `Most connections of this process to PostgreSQL, at least ${fewestConnections}; empty: ${usual}.`,
  ),
  databaseSslMode: setting(
    "DATABASE__SSL_MODE",
    (text) => (text === "" ? text : oneOf(...sslModes)(text)),
    "",
    "disable | require (encrypted, to whoever answers) | verify-ca | verify-full; empty: sslmode of DATABASE_URL.",
  ),
  databaseSslRootCert: setting(
    "DATABASE__SSL_ROOT_CERT",
    plain,
    "",
    "File with the certificate of PostgreSQL's authority; empty: sslrootcert of DATABASE_URL, else the public ones.",
  ),
  databaseSslCert: setting("DATABASE__SSL_CERT", plain, "", "File with the client's certificate; empty: sslcert."),
  databaseSslKey: setting("DATABASE__SSL_KEY", plain, "", "File with its key, without a passphrase; empty: sslkey."),
  databaseTimeoutSeconds: setting(
    "DATABASE__TIMEOUT_SECONDS",
    decimal(0.5, 3600),
    "15",
    "Seconds that PostgreSQL has for a statement; after it 503. Migrations may take longer.",
  ),
  dataDir: setting("DATA_DIR", plain, "./data", "Folder of files and of the embedded database."),
  storageBackend: setting(
    "STORAGE_BACKEND",
    oneOf("local", "s3"),
    "local",
    "Where files are kept: local (DATA_DIR) | s3 (S3__*).",
  ),
  s3Bucket: setting("S3__BUCKET", plain, "", "Name of the bucket."),
  s3Region: setting("S3__REGION", plain, "us-east-1", "Region of the bucket."),
  s3Endpoint: setting("S3__ENDPOINT", endpoint, "", "http(s)://… of another S3 than AWS'; empty: AWS."),
  s3Prefix: setting("S3__PREFIX", s3Prefix, "", "What all names of objects begin with, without / at its ends."),
  s3ForcePathStyle: setting("S3__FORCE_PATH_STYLE", boolean, "false", "true: the bucket in the path, not in the host."),
  s3AccessKeyId: secret("S3__ACCESS_KEY_ID", plain, "", "Empty, as is the next: credentials of AWS' usual chain."),
  s3SecretAccessKey: secret("S3__SECRET_ACCESS_KEY", plain, "", "Belongs to S3__ACCESS_KEY_ID."),
  s3PresignSeconds: setting(
    "S3__PRESIGN_SECONDS",
    whole(0, 604_800),
    "0",
    "Downloads are redirected to an address of the bucket that is good for that many seconds; 0: sent by the service.",
  ),
  s3PublicEndpoint: setting(
    "S3__PUBLIC_ENDPOINT",
    endpoint,
    "",
    "S3__ENDPOINT as clients reach it, for those redirects; empty: the same.",
  ),
  s3ServerSideEncryption: setting(
    "S3__SERVER_SIDE_ENCRYPTION",
    oneOf("none", "AES256", "aws:kms"),
    "none",
    "none (what the bucket does by itself) | AES256 | aws:kms.",
  ),
  s3KmsKeyId: setting("S3__KMS_KEY_ID", plain, "", "Key for aws:kms; empty: the account's own."),
  s3Checksum: setting(
    "S3__CHECKSUM",
    oneOf("SHA256", "CRC32", "none"),
    "SHA256",
    "By which the storage checks uploads: SHA256 | CRC32 | none (for an S3 that knows neither).",
  ),
  s3MaxAttempts: setting("S3__MAX_ATTEMPTS", whole(1, 20), "4", "Tries of a request, with growing random pauses."),
  s3TimeoutSeconds: setting(
    "S3__TIMEOUT_SECONDS",
    decimal(0.1, 600),
    "10",
    "Seconds of silence after which a connection is given up.",
  ),
  s3TimeBudgetSeconds: setting(
    "S3__TIME_BUDGET_SECONDS",
    decimal(0.1, 3600),
    "30",
    "Seconds for a call with all its tries; moving a file has 1 s more for each 100 kB.",
  ),
  apiKeys: secret("API_KEYS", apiKeys, "", "owner:sha256-of-key, separated by commas; sent as Authorization: Bearer."),
  consoleEnabled: setting("CONSOLE__ENABLED", boolean, "true", "false: no pages for browsers at /, only the API."),
  authDisabled: setting("AUTH__DISABLED", boolean, "false", "true: no keys although not bound to loopback."),
  allowedHosts: setting(
    "AUTH__ALLOWED_HOSTS",
    hostNames,
    "localhost,127.0.0.1,[::1]",
    "Host names accepted while there are no keys.",
  ),
  corsOrigins: setting("CORS__ALLOW_ORIGINS", origins, "", "Origins that browsers may call from, separated by commas."),
  logLevel: setting(
    "LOG_LEVEL",
    oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"),
    "info",
    "Least level that is logged.",
  ),
  maxUploadBytes: setting(
    "MAX_CSV_UPLOAD_BYTES",
    whole(1),
    "10485760",
    "Largest CSV, expanded, in bytes; above it 413.",
  ),
  minDataRows: setting("MIN_CSV_DATA_ROWS", whole(1), "2", "Fewest rows below the header."),
  maxEmptyRatio: setting("MAX_EMPTY_RATIO", decimal(0, 1), "0.5", "Largest share of empty cells, 0 to 1."),
  maxConcurrentUploads: setting(
    "MAX_CONCURRENT_UPLOADS",
    whole(1, 1000),
    "4",
    "Uploads at once in this process; above it 429. With several owners each has half of them.",
  ),
  uploadIdleTimeoutSeconds: setting(
    "UPLOAD_IDLE_TIMEOUT_SECONDS",
    decimal(0.1, 3600),
    "20",
    "Seconds that an upload may send nothing, or too little; after it 408.",
  ),
  uploadMinBytesPerSecond: setting(
    "UPLOAD_MIN_BYTES_PER_SECOND",
    whole(0, 1_000_000),
    "500",
    "Least bytes a second, over UPLOAD_IDLE_TIMEOUT_SECONDS, of an upload; below it 408. 0: any byte will do.",
  ),
  maxModelArtifacts: setting(
    "MAX_MODEL_ARTIFACTS",
    whole(1),
    "20",
    "Newest models kept for each owner, pinned ones aside.",
  ),
  maxQueuedRunsPerOwner: setting(
    "MAX_QUEUED_RUNS_PER_OWNER",
    whole(1),
    "20",
    "Waiting runs of one owner; above it 429.",
  ),
  maxStorageBytesPerOwner: setting(
    "MAX_STORAGE_BYTES_PER_OWNER",
    whole(0),
    "0",
    "Bytes kept for one owner, typed copies of datasets included; 0: no limit.",
  ),
  minFreeDiskBytes: setting(
    "MIN_FREE_DISK_BYTES",
    whole(0),
    "67108864",
    "Free bytes below which uploads and trainings get 507, where the embedded database lives; 0: never.",
  ),
  trainingConcurrency: setting("TRAINING_CONCURRENCY", whole(1, 64), "1", "Trainings at once in this process."),
  trainingMemoryBytes: setting(
    "TRAINING_MEMORY_BYTES",
    whole(268_435_456),
    "2147483648",
    "Bytes that the process of one training may hold; half of it JavaScript's heap, a quarter DuckDB's.",
  ),
  trainingTimeoutSeconds: setting(
    "TRAINING_TIMEOUT_SECONDS",
    decimal(0.1, 86_400),
    "600",
    "Seconds after which a training is ended.",
  ),
  shutdownGraceSeconds: setting(
    "SHUTDOWN_GRACE_SECONDS",
    decimal(0, 3600),
    "20",
    "Seconds that running work gets at shutdown.",
  ),
  predictionThreads: setting(
    "PREDICTION_THREADS",
    whole(1, 64),
    "2",
    "Threads for long predictions, beside one for short ones; small ones take none.",
  ),
  maxConcurrentPredictions: setting(
    "MAX_CONCURRENT_PREDICTIONS",
    whole(1, 1000),
    "16",
    "Long predictions, and short ones, that are made or wait; above it 429. With several owners each has half of them.",
  ),
  predictionTimeoutSeconds: setting(
    "PREDICTION_TIMEOUT_SECONDS",
    decimal(0.1, 3600),
    "60",
    "Seconds that a thread may take for one prediction, or one ONNX file; after it 422.",
  ),
  datasetTtlDays: setting(
    "DATASET_TTL_DAYS",
    decimal(0, 36_500),
    "0",
    "Age in days at which a dataset goes; 0 keeps all; decimals are allowed.",
  ),
  ttlIntervalSeconds: setting(
    "DATASET_TTL_CHECK_INTERVAL_SECONDS",
    whole(1, 86_400 * 7),
    "3600",
    "Seconds between two TTL cycles.",
  ),
  ttlBatchLimit: setting("DATASET_TTL_BATCH_LIMIT", whole(1, 100_000), "500", "Datasets removed in one cycle at most."),
  metricsPort: setting(
    "METRICS_PORT",
    (text) => (text === "" ? undefined : whole(0, 65_535)(text)),
    "",
    "Serves /metrics on a port of its own; empty: on the API's. Also OTEL_EXPORTER_PROMETHEUS_PORT, which it wins over.",
  ),
  metricsBearerToken: secret("METRICS_BEARER_TOKEN", plain, "", "Token that a scrape must send; empty: none."),
} as const satisfies Record<string, Setting<unknown>>;

/** The service's settings, read and checked. */
export type Config = {
  readonly [Key in keyof typeof settings]: (typeof settings)[Key] extends Setting<infer Value> ? Value : never;
};

/** The settings that can be read from a file: `NAME_FILE` instead of `NAME`. */
export const secretNames: readonly string[] = Object.values<Setting<unknown>>(settings)
  .filter(({ isSecret }) => isSecret === true)
  .map(({ env }) => env);

/** Names of these families are ours: an unknown one is a typing error, not somebody else's variable. */
const ownFamilies = /^(PROMETHEUS|AUTH|CONSOLE|CORS|S3|DATABASE)__/;

/** What this process reads, by the names of the environment. */
const ourNames: readonly string[] = [
  ...Object.values(settings).map(({ env }) => env),
  ...secretNames.map((name) => `${name}_FILE`),
  ...Object.keys(telemetryVariables),
];
const namesWithoutFile = new Set(ourNames.filter((name) => !ourNames.includes(`${name}_FILE`)));

/** Names that nobody reads although they look like ours. */
function faultsInNames(env: NodeJS.ProcessEnv): string[] {
  const meant = new Map(findMisspelt(env, ourNames).refused.map((each) => [each.name, each.meant]));
  const faults: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (ourNames.includes(name) || value === "") continue;
    if (name.endsWith("_FILE") && namesWithoutFile.has(name.slice(0, -"_FILE".length)))
      faults.push(`${name} is not a setting of this service: only secrets can stand in a file`);
    else if (meant.has(name)) faults.push(`${name} is not a setting of this service: is ${meant.get(name)} meant?`);
    else if (ownFamilies.test(name)) faults.push(`${name} is not a setting of this service`);
  }
  return faults;
}

/**
 * Tells, in one line, of names that are not read although they look meant, since a platform may have set them by itself;
 * and, of a process that has telemetry, which variables of OpenTelemetry's are set without effect, and why.
 */
export function tellUnreadNames(log: Logger, env: NodeJS.ProcessEnv, telemetry?: TelemetrySettings): void {
  const { told } = findMisspelt(env, [...ourNames, ...openTelemetryNames]);
  const asked = new Set(told.map(({ name }) => name));
  const isOther = (name: string): boolean => asked.has(name) || isServiceLink(name, env[name] ?? "");
  const unheard = telemetry === undefined ? [] : unheardVariables(env, telemetry, isOther);
  const parts = [
    ["not read, though it looks meant", told.map(({ name, meant }) => `${name} (${meant}?)`).join(", ")],
    ["set, and without effect here", unheard.join("; ")],
  ].filter(([, names]) => names !== "");
  if (parts.length > 0) log.warn(parts.map((part) => part.join(": ")).join("; "));
}

/** Everything wrong with the environment, so that one look is enough. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`The configuration is not usable:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`);
    this.name = "ConfigError";
    this.faults = faults;
  }
}

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));

/** What can't go together; a value that was refused is absent here, and contradicts nothing. */
function contradictionsIn(config: Partial<Config>, otherMetricsPort: number | undefined): string[] {
  const contradictions: string[] = [];
  if (
    config.host !== undefined &&
    !isLoopback(config.host) &&
    config.apiKeys?.length === 0 &&
    config.authDisabled === false
  ) {
    contradictions.push(
      "SERVICE_HOST is wider than loopback but there are no API_KEYS: set some, or AUTH__DISABLED=true if something else keeps strangers out",
    );
  }
  const hashes = config.apiKeys?.map(({ keySha256 }) => keySha256) ?? [];
  if (new Set(hashes).size < hashes.length) {
    contradictions.push("API_KEYS has one key twice: a key must tell one owner");
  }
  if (config.role === "worker" && config.databaseUrl === "") {
    contradictions.push("SERVICE_ROLE=worker needs DATABASE_URL: the embedded database belongs to one process");
  }
  if (config.databaseUrl)
    contradictions.push(...readPostgresConnection({ ...config, databaseUrl: config.databaseUrl }).faults);
  const metricsPort = config.metricsPort ?? otherMetricsPort;
  if (metricsPort !== undefined && metricsPort !== 0 && metricsPort === config.port) {
    const setBy = config.metricsPort === undefined ? "OTEL_EXPORTER_PROMETHEUS_PORT" : "METRICS_PORT";
    contradictions.push(`${setBy} must differ from SERVICE_PORT`);
  }
  if (config.storageBackend === "s3" && config.s3Bucket === "") {
    contradictions.push("S3__BUCKET is empty: STORAGE_BACKEND=s3 needs one");
  }
  if (config.s3AccessKeyId && config.s3SecretAccessKey === "") {
    contradictions.push("S3__SECRET_ACCESS_KEY is empty: S3__ACCESS_KEY_ID needs it");
  }
  if (config.s3AccessKeyId === "" && config.s3SecretAccessKey) {
    contradictions.push("S3__ACCESS_KEY_ID is empty: S3__SECRET_ACCESS_KEY needs it");
  }
  if (config.s3KmsKeyId && config.s3ServerSideEncryption !== undefined && config.s3ServerSideEncryption !== "aws:kms") {
    contradictions.push("S3__KMS_KEY_ID is of use with S3__SERVER_SIDE_ENCRYPTION=aws:kms only");
  }
  return contradictions;
}

/**
 * Reads the environment. A value is right or refused, never quietly replaced; an empty one counts as not set.
 * @throws ConfigError naming every fault at once; values of secrets are never part of it
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const { fromFiles, faults } = readSecretFiles(env, secretNames);
  const values: Record<string, unknown> = {};
  for (const [key, { env: name, read, fallback }] of Object.entries<Setting<unknown>>(settings)) {
    const fromFile = fromFiles.get(name);
    if (fromFile === "unusable") continue;
    try {
      // An empty value is none, as in .env files that name all settings.
      values[key] = read(fromFile?.text ?? (env[name] || fallback));
    } catch (error) {
      faults.push(`${name} ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const telemetry = readTelemetrySettings(env);
  faults.push(...telemetry.faults, ...faultsInNames(env));
  faults.push(...contradictionsIn(values as Partial<Config>, telemetry.settings.metrics?.address.port));
  if (faults.length > 0) throw new ConfigError(faults);
  return values as unknown as Config;
}
