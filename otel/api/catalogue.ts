/**
 * Every metric of this service, declared once. Instruments (`src/monitoring/metrics.ts`), views, the exposition,
 * `docs/metrics.md`, the queries of dashboards and rules and the drift checks all follow from this table; it is the
 * table of metrics. Longer than 300 lines because it is that table.
 */

export const uploadOutcomes = ["accepted", "duplicate", "rejected", "failed", "aborted"] as const;
/** Error codes with which an upload is refused. */
export const uploadRejectionReasons = [
  "NOT_MULTIPART",
  "FILE_MISSING",
  "UNEXPECTED_FIELD",
  "TOO_MANY_FILES",
  "NOT_CSV",
  "WRONG_ENCODING",
  "NUL_BYTES",
  "HEADER_MISSING",
  "COLUMN_NAMES_INVALID",
  "TOO_FEW_COLUMNS",
  "TOO_FEW_ROWS",
  "TOO_MANY_EMPTY_CELLS",
  "DATASET_TOO_LARGE",
  "DATASET_TOO_WIDE",
  "ROW_RAGGED",
  "TARGET_UNKNOWN",
  "TARGET_SINGLE_CLASS",
  "DATASET_EXISTS",
  "GZIP_INVALID",
  "FIELD_INVALID",
  "TOO_MANY_UPLOADS",
  "UPLOAD_TIMEOUT",
  "QUOTA_EXCEEDED",
  "other",
] as const;
export const trainingModes = ["light", "heavy"] as const;
export const trainingTasks = ["classification", "regression"] as const;
export const runOutcomes = ["succeeded", "failed", "cancelled"] as const;
export const runErrorTypes = ["data", "timeout", "out_of_memory", "crash", "storage", "database", "other"] as const;
export const predictionOutcomes = ["succeeded", "rejected", "failed", "aborted"] as const;
/** `unknown`: the model's row could not be read, or there is none. */
export const predictionTasks = [...trainingTasks, "unknown"] as const;
export const queueJobStates = ["queued", "active", "retry", "failed"] as const;
export const workerSlotStates = ["busy", "idle"] as const;
export const storageKinds = ["dataset", "artifact"] as const;
export const ttlResults = ["success", "empty", "failure"] as const;
export const artifactRemovalReasons = ["retention", "request"] as const;
export const databaseOperationNames = ["SELECT", "INSERT", "UPDATE", "DELETE", "OTHER"] as const;
export const connectionStates = ["idle", "used"] as const;
export const telemetrySignals = ["traces", "logs"] as const;
export type Signal = (typeof telemetrySignals)[number];
export const httpOutcomes = ["ok", "client_error", "server_error", "aborted"] as const;
/** The methods of RFC 9110 and PATCH; others become `_OTHER`, as the HTTP semantic conventions say. */
export const httpMethods = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "CONNECT",
  "TRACE",
  "_OTHER",
] as const;
export const urlSchemes = ["http", "https"] as const;

const serverErrorCodes = Array.from({ length: 100 }, (_, index) => String(500 + index));
/** Faults of what was sent, not of the system: nobody is woken by them. */
export const callersRunErrorTypes = [
  "data",
  "out_of_memory",
] as const satisfies readonly (typeof runErrorTypes)[number][];

/** "" is success; a 5xx is its own error type, as the HTTP semantic conventions say. */
export const httpErrorTypes: readonly string[] = ["", "client_closed", "timeout", "parse_error", ...serverErrorCodes];
/** "" where no final response was sent. */
export const httpStatusCodes: readonly string[] = [
  "",
  ...Array.from({ length: 500 }, (_, index) => String(100 + index)),
];

/** A value that the code makes from a bounded source (route templates, versions) and not from a list written here. */
export const fromBoundedSource = "bounded";
/** Marks the one series into which everything beyond a metric's series limit goes (OpenTelemetry metrics SDK, "Cardinality limits"). */
export const overflowAttribute = "otel.metric.overflow";
export type AttributeValues = readonly string[] | typeof fromBoundedSource;

/** `gauge` is read at scrape (observable); `upDownCounter` is kept by events and shown as a gauge. */
export type MetricKind = "counter" | "observableCounter" | "upDownCounter" | "gauge" | "histogram";

export interface MetricDefinition {
  /** OpenTelemetry name; `mlops.backend.` is replaced by the configured prefix in the exposition. */
  readonly name: string;
  readonly kind: MetricKind;
  /** UCUM; `s` and `By` become suffixes, annotations in braces do not. */
  readonly unit: string;
  readonly description: string;
  /** OpenTelemetry attribute names and what they may hold. */
  readonly attributes: Readonly<Record<string, AttributeValues>>;
  /** Histograms only; "latency" is PROMETHEUS__LATENCY_BUCKETS. */
  readonly bounds?: readonly number[] | "latency";
  /** `deployment`: every replica reads the same, so queries take max without (instance), never sum. */
  readonly scope: "process" | "deployment";
  /** The roles whose process has it from the start; default both. */
  readonly role?: "api" | "worker";
  /** Shown with 0 before the first event, over all combinations of its closed sets. */
  readonly fromStart: boolean;
  /** Most attribute sets kept; needed where a set isn't closed or where fewer than all combinations are expected. */
  readonly seriesLimit?: number;
  /** A name that no rule gives, e.g. what Prometheus clients call it. */
  readonly prometheusName?: string;
  /** Set by the exposition itself, not by an instrument. */
  readonly source?: "exposition";
}

/** 0.5 is named by the latency objective. */
export const defaultLatencyBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
/** 10.5 and not 10: Prometheus 3 rewrites whole-number `le` values, and rules name these. */
const trainingBounds = [0.1, 0.5, 2.5, 10.5, 60.5, 300.5, 600.5, 1200.5] as const;
const uploadSizeBounds = [1e4, 5e4, 1e5, 2.5e5, 5e5, 1e6, 2e6, 5e6, 1e7, 2e7] as const;
const bodySizeBounds = [1e2, 1e3, 1e4, 1e5, 1e6, 1e7] as const;
/** 0.01: what no scrape may block. */
const collectionBounds = [0.01, 0.05, 0.5] as const;
const shortBounds = [0.005, 0.025, 0.1, 0.5, 2.5] as const;
const jobBounds = [0.05, 0.25, 1.5, 5.5, 30.5] as const;
const databaseBounds = [0.005, 0.025, 0.1, 0.5, 2.5] as const;

const none = {} as const;
const http = { "http.request.method": httpMethods, "url.scheme": urlSchemes } as const;
const modeAndTask = { mode: trainingModes, task: trainingTasks } as const;

export const catalogue = {
  httpRequestDuration: {
    name: "http.server.request.duration",
    kind: "histogram",
    unit: "s",
    description: "From the request's headers to the end of the response or the break of the connection.",
    attributes: {
      ...http,
      "http.route": fromBoundedSource,
      "http.response.status_code": httpStatusCodes,
      "error.type": httpErrorTypes,
    },
    bounds: "latency",
    scope: "process",
    role: "api",
    fromStart: false,
    // Room for whatever can happen at every route and method: at 200, four hundred requests without a key had filled it
    // (tests/integration/label-sets.test.ts), and the first 503 of a route had no series.
    seriesLimit: 800,
  },
  httpRequestBodySize: {
    name: "http.server.request.body.size",
    kind: "histogram",
    unit: "By",
    description: "Bytes of the request body as sent, without headers and chunk framing.",
    attributes: { ...http, "http.route": fromBoundedSource },
    bounds: bodySizeBounds,
    scope: "process",
    role: "api",
    fromStart: false,
    seriesLimit: 80,
  },
  httpResponseBodySize: {
    name: "http.server.response.body.size",
    kind: "histogram",
    unit: "By",
    description: "Bytes of the response body as sent, without headers and chunk framing.",
    attributes: { ...http, "http.route": fromBoundedSource },
    bounds: bodySizeBounds,
    scope: "process",
    role: "api",
    fromStart: false,
    seriesLimit: 80,
  },
  httpActiveRequests: {
    name: "http.server.active_requests",
    kind: "upDownCounter",
    unit: "{request}",
    description: "Requests being answered now (PROMETHEUS__INSTRUMENT_INPROGRESS).",
    attributes: http,
    scope: "process",
    role: "api",
    fromStart: false,
    seriesLimit: 22,
  },
  httpRequests: {
    name: "mlops.backend.http.requests",
    kind: "counter",
    unit: "{request}",
    description: "Requests by how they ended; 0 from the start for every route, for availability.",
    attributes: { "http.route": fromBoundedSource, outcome: httpOutcomes },
    scope: "process",
    role: "api",
    fromStart: true,
    seriesLimit: 200,
  },
  datasetUploads: {
    name: "mlops.backend.dataset.uploads",
    kind: "counter",
    unit: "{upload}",
    description: "Dataset uploads by how they ended.",
    attributes: { outcome: uploadOutcomes },
    scope: "process",
    role: "api",
    fromStart: true,
  },
  datasetUploadRejections: {
    name: "mlops.backend.dataset.upload.rejections",
    kind: "counter",
    unit: "{upload}",
    description: "Rejected dataset uploads by error code.",
    attributes: { reason: uploadRejectionReasons },
    scope: "process",
    role: "api",
    fromStart: true,
  },
  datasetUploadSize: {
    name: "mlops.backend.dataset.upload.size",
    kind: "histogram",
    unit: "By",
    description: "Expanded size of accepted CSV files.",
    attributes: none,
    bounds: uploadSizeBounds,
    scope: "process",
    role: "api",
    fromStart: true,
  },
  datasetProfileDuration: {
    name: "mlops.backend.dataset.profile.duration",
    kind: "histogram",
    unit: "s",
    description: "Time to make a dataset's column profile in the background.",
    attributes: none,
    bounds: jobBounds,
    scope: "process",
    role: "worker",
    fromStart: true,
  },
  datasets: {
    name: "mlops.backend.datasets",
    kind: "gauge",
    unit: "{dataset}",
    description: "Datasets kept.",
    attributes: none,
    scope: "deployment",
    fromStart: false,
  },
  storage: {
    name: "mlops.backend.storage",
    kind: "gauge",
    unit: "By",
    description: "Bytes of the files that rows refer to.",
    attributes: { kind: storageKinds },
    scope: "deployment",
    fromStart: false,
  },
  storageFilesystemAvailable: {
    name: "mlops.backend.storage.filesystem.available",
    kind: "gauge",
    unit: "By",
    description: "Free bytes of the file system that holds the files.",
    attributes: none,
    scope: "process",
    fromStart: false,
  },
  storageFilesystemSize: {
    name: "mlops.backend.storage.filesystem.size",
    kind: "gauge",
    unit: "By",
    description: "Size of the file system that holds the files.",
    attributes: none,
    scope: "process",
    fromStart: false,
  },
  trainingRuns: {
    name: "mlops.backend.training.runs",
    kind: "counter",
    unit: "{run}",
    description: "Training runs that reached a final state, once a run.",
    attributes: { ...modeAndTask, outcome: runOutcomes },
    scope: "process",
    fromStart: true,
  },
  trainingFailures: {
    name: "mlops.backend.training.failures",
    kind: "counter",
    unit: "{run}",
    description:
      "Failed training runs by cause; data and out_of_memory (more than TRAINING_MEMORY_BYTES) are the caller's, the others the system's.",
    attributes: { mode: trainingModes, "error.type": runErrorTypes },
    scope: "process",
    role: "worker",
    fromStart: true,
  },
  trainingRetries: {
    name: "mlops.backend.training.retries",
    kind: "counter",
    unit: "{attempt}",
    description: "Attempts after the first.",
    attributes: { mode: trainingModes },
    scope: "process",
    role: "worker",
    fromStart: true,
  },
  trainingDuration: {
    name: "mlops.backend.training.duration",
    kind: "histogram",
    unit: "s",
    description: "From the start of the last attempt to the end, succeeded runs only.",
    attributes: modeAndTask,
    bounds: trainingBounds,
    scope: "process",
    role: "worker",
    fromStart: true,
  },
  trainingQueueWait: {
    name: "mlops.backend.training.queue.wait",
    kind: "histogram",
    unit: "s",
    description: "From the submission of a run to its first start.",
    attributes: { mode: trainingModes },
    bounds: trainingBounds,
    scope: "process",
    role: "worker",
    fromStart: true,
  },
  trainingQueueJobs: {
    name: "mlops.backend.training.queue.jobs",
    kind: "gauge",
    unit: "{job}",
    description: "Jobs in the training queue by state.",
    attributes: { state: queueJobStates },
    scope: "deployment",
    fromStart: false,
  },
  trainingQueueOldestAge: {
    name: "mlops.backend.training.queue.oldest_age",
    kind: "gauge",
    unit: "s",
    description: "Age of the oldest job that waits; 0 when none does.",
    attributes: none,
    scope: "deployment",
    fromStart: false,
  },
  trainingWorkerSlots: {
    name: "mlops.backend.training.worker.slots",
    kind: "gauge",
    unit: "{slot}",
    description: "Places for trainings in this process.",
    attributes: { state: workerSlotStates },
    scope: "process",
    role: "worker",
    fromStart: false,
  },
  trainingTimeout: {
    name: "mlops.backend.training.timeout",
    kind: "gauge",
    unit: "s",
    description: "TRAINING_TIMEOUT_SECONDS.",
    attributes: none,
    scope: "process",
    fromStart: false,
  },
  trainingRelativeError: {
    name: "mlops.backend.training.relative_error",
    kind: "histogram",
    unit: "1",
    description: "The model's error divided by the naive baseline's; above 1 is worse than naive.",
    attributes: modeAndTask,
    bounds: [0.1, 0.25, 0.5, 0.75, 0.95, 1.05, 1.5, 2.5],
    scope: "process",
    role: "worker",
    fromStart: true,
  },
  predictions: {
    name: "mlops.backend.predictions",
    kind: "counter",
    unit: "{request}",
    description: "Prediction requests by how they ended.",
    attributes: { task: predictionTasks, outcome: predictionOutcomes },
    scope: "process",
    role: "api",
    fromStart: true,
  },
  predictionRows: {
    name: "mlops.backend.prediction.rows",
    kind: "counter",
    unit: "{row}",
    description: "Rows predicted.",
    attributes: { task: trainingTasks },
    scope: "process",
    role: "api",
    fromStart: true,
  },
  predictionDuration: {
    name: "mlops.backend.prediction.duration",
    kind: "histogram",
    unit: "s",
    description: "Time to answer a prediction request that succeeded.",
    attributes: { task: trainingTasks },
    bounds: shortBounds,
    scope: "process",
    role: "api",
    fromStart: true,
  },
  ttlCycles: {
    name: "mlops.backend.dataset.ttl.cycles",
    kind: "counter",
    unit: "{cycle}",
    description: "Scheduled TTL cycles by result.",
    attributes: { result: ttlResults },
    scope: "process",
    fromStart: true,
  },
  ttlCycleDuration: {
    name: "mlops.backend.dataset.ttl.cycle.duration",
    kind: "histogram",
    unit: "s",
    description: "Duration of scheduled TTL cycles.",
    attributes: none,
    bounds: jobBounds,
    scope: "process",
    fromStart: true,
  },
  ttlDatasetsRemoved: {
    name: "mlops.backend.dataset.ttl.datasets_removed",
    kind: "counter",
    unit: "{dataset}",
    description: "Datasets removed by TTL cycles.",
    attributes: none,
    scope: "process",
    fromStart: true,
  },
  ttlFilesRemoved: {
    name: "mlops.backend.dataset.ttl.files_removed",
    kind: "counter",
    unit: "{file}",
    description: "Files removed by TTL cycles.",
    attributes: none,
    scope: "process",
    fromStart: true,
  },
  ttlFilesMissing: {
    name: "mlops.backend.dataset.ttl.files_missing",
    kind: "counter",
    unit: "{file}",
    description: "Files that a TTL cycle meant to remove and did not find.",
    attributes: none,
    scope: "process",
    fromStart: true,
  },
  ttlErrors: {
    name: "mlops.backend.dataset.ttl.errors",
    kind: "counter",
    unit: "{error}",
    description: "Datasets that a TTL cycle could not remove.",
    attributes: none,
    scope: "process",
    fromStart: true,
  },
  ttlLag: {
    name: "mlops.backend.dataset.ttl.lag",
    kind: "gauge",
    unit: "s",
    description: "How long the oldest expired dataset that is not in use has outlived its TTL, else 0.",
    attributes: none,
    scope: "deployment",
    fromStart: false,
  },
  ttlLastSuccess: {
    name: "mlops.backend.dataset.ttl.last_success.timestamp",
    kind: "gauge",
    unit: "s",
    description:
      "When a scheduled TTL cycle last ended without failure (Unix time); before the first, when the deployment first started.",
    attributes: none,
    scope: "deployment",
    fromStart: false,
  },
  ttlEnabled: {
    name: "mlops.backend.dataset.ttl.enabled",
    kind: "gauge",
    unit: "",
    description: "1 when datasets expire, else 0.",
    attributes: none,
    scope: "deployment",
    fromStart: false,
  },
  ttlInterval: {
    name: "mlops.backend.dataset.ttl.interval",
    kind: "gauge",
    unit: "s",
    description: "DATASET_TTL_CHECK_INTERVAL_SECONDS.",
    attributes: none,
    scope: "deployment",
    fromStart: false,
  },
  artifactsRemoved: {
    name: "mlops.backend.artifacts.removed",
    kind: "counter",
    unit: "{artifact}",
    description: "Model artifacts removed.",
    attributes: { reason: artifactRemovalReasons },
    scope: "process",
    fromStart: true,
  },
  filesMissing: {
    name: "mlops.backend.files.missing",
    kind: "gauge",
    unit: "{file}",
    description: "Rows whose file the last sweep did not find.",
    attributes: { kind: storageKinds },
    scope: "deployment",
    fromStart: false,
  },
  databaseOperationDuration: {
    name: "db.client.operation.duration",
    kind: "histogram",
    unit: "s",
    description: "Database statements, waiting for a connection not included.",
    attributes: { "db.operation.name": databaseOperationNames },
    bounds: databaseBounds,
    scope: "process",
    fromStart: false,
  },
  databaseConnections: {
    name: "db.client.connection.count",
    kind: "gauge",
    unit: "{connection}",
    description: "Database connections by state.",
    attributes: { "db.client.connection.state": connectionStates },
    scope: "process",
    fromStart: false,
  },
  databaseConnectionsMax: {
    name: "db.client.connection.max",
    kind: "gauge",
    unit: "{connection}",
    description: "Most database connections; 1 for the embedded database.",
    attributes: none,
    scope: "process",
    fromStart: false,
  },
  databaseConnectionsPending: {
    name: "db.client.connection.pending_requests",
    kind: "gauge",
    unit: "{request}",
    description: "Statements that wait for a connection.",
    attributes: none,
    scope: "process",
    fromStart: false,
  },
  eventLoopDelayMean: eventLoopDelay("mean"),
  eventLoopDelayP50: eventLoopDelay("p50"),
  eventLoopDelayP99: eventLoopDelay("p99"),
  eventLoopDelayMax: eventLoopDelay("max"),
  gcDuration: {
    name: "v8js.gc.duration",
    kind: "histogram",
    unit: "s",
    description: "Garbage collections by kind.",
    attributes: { "v8js.gc.type": ["major", "minor", "incremental", "weakcb"] },
    bounds: [0.001, 0.005, 0.025, 0.1, 0.5],
    scope: "process",
    fromStart: false,
  },
  heapUsed: {
    name: "v8js.memory.heap.used",
    kind: "gauge",
    unit: "By",
    description: "Heap in use, all spaces together.",
    attributes: none,
    scope: "process",
    fromStart: false,
  },
  heapSizeLimit: {
    name: "nodejs.heap.size_limit",
    kind: "gauge",
    unit: "By",
    description: "Size at which V8 gives up.",
    attributes: none,
    scope: "process",
    fromStart: false,
  },
  processCpu: {
    name: "process.cpu.time",
    prometheusName: "process_cpu_seconds_total",
    kind: "observableCounter",
    unit: "s",
    description: "User and system CPU time of this process.",
    attributes: none,
    scope: "process",
    fromStart: false,
  },
  processMemory: {
    name: "process.memory.usage",
    prometheusName: "process_resident_memory_bytes",
    kind: "gauge",
    unit: "By",
    description: "Resident memory of this process.",
    attributes: none,
    scope: "process",
    fromStart: false,
  },
  processStartTime: {
    name: "process.start_time",
    prometheusName: "process_start_time_seconds",
    kind: "gauge",
    unit: "s",
    description: "When this process started (Unix time).",
    attributes: none,
    scope: "process",
    fromStart: false,
  },
  processOpenFds: {
    name: "process.open_file_descriptor.count",
    prometheusName: "process_open_fds",
    kind: "gauge",
    unit: "{file_descriptor}",
    description: "Open file descriptors (Linux).",
    attributes: none,
    scope: "process",
    fromStart: false,
  },
  processMaxFds: {
    name: "process.open_file_descriptor.limit",
    prometheusName: "process_max_fds",
    kind: "gauge",
    unit: "{file_descriptor}",
    description: "Most open file descriptors (Linux).",
    attributes: none,
    scope: "process",
    fromStart: false,
  },
  stateReadable: {
    name: "mlops.backend.state.readable",
    kind: "gauge",
    unit: "",
    description: "1 when the deployment's state could be read for this scrape; at 0 the deployment gauges are absent.",
    attributes: none,
    scope: "process",
    fromStart: false,
  },
  metricsSeries: {
    name: "mlops.backend.metrics.series",
    kind: "gauge",
    unit: "{series}",
    description:
      "Series in this exposition, creation times aside, of each metric that can grow; all others together as other.",
    attributes: { metric: fromBoundedSource },
    scope: "process",
    fromStart: false,
    seriesLimit: 9,
    source: "exposition",
  },
  metricsDropped: {
    name: "mlops.backend.metrics.dropped",
    kind: "observableCounter",
    unit: "{measurement}",
    description: "Measurements that went into otel_metric_overflow since their metric had reached its series limit.",
    attributes: { metric: fromBoundedSource },
    scope: "process",
    fromStart: false,
    seriesLimit: 9,
    source: "exposition",
  },
  metricsCollectionDuration: {
    name: "mlops.backend.metrics.collection.duration",
    kind: "histogram",
    unit: "s",
    description: "Time to collect and write earlier answers of /metrics.",
    attributes: none,
    bounds: collectionBounds,
    scope: "process",
    fromStart: true,
  },
  telemetryExportDropped: {
    name: "mlops.backend.telemetry.export.dropped",
    kind: "counter",
    unit: "{item}",
    description: "Spans and log records that could not be exported.",
    attributes: { signal: telemetrySignals },
    scope: "process",
    fromStart: true,
  },
  buildInfo: {
    name: "mlops.backend.build.info",
    kind: "gauge",
    unit: "",
    description: "1, with the version of this build, its revision and the version of Node.",
    attributes: { version: fromBoundedSource, revision: fromBoundedSource, node: fromBoundedSource },
    scope: "process",
    fromStart: false,
    seriesLimit: 2,
  },
} as const satisfies Record<string, MetricDefinition>;

/** Named by OpenTelemetry (nodejs.eventloop.delay.*); values over the last 30 to 60 s, whoever reads. */
function eventLoopDelay<const Statistic extends "mean" | "p50" | "p99" | "max">(statistic: Statistic) {
  return {
    name: `nodejs.eventloop.delay.${statistic}`,
    kind: "gauge",
    unit: "s",
    description: `Event-loop delay, ${statistic} of the last 30 to 60 s.`,
    attributes: {},
    scope: "process",
    fromStart: false,
  } as const;
}

export type MetricKey = keyof typeof catalogue;

/** All definitions, typed plainly. */
export const metricDefinitions: readonly (readonly [MetricKey, MetricDefinition])[] = Object.entries(
  catalogue,
) as unknown as readonly (readonly [MetricKey, MetricDefinition])[];

/** The prefix of our own names unless PROMETHEUS__METRIC_NAMESPACE and _SUBSYSTEM say otherwise. */
export const defaultPrefix = "mlops_backend";
const ownPrefix = "mlops.backend.";

/** What units become (OpenTelemetry–Prometheus compatibility specification, "Metric Metadata"). */
const unitWords: ReadonlyMap<string, string> = new Map([
  ["s", "seconds"],
  ["ms", "milliseconds"],
  ["By", "bytes"],
]);

/** The word for a unit in names and `# UNIT`; undefined for none and for annotations in braces. */
export function unitWord(definition: Pick<MetricDefinition, "unit" | "kind">): string | undefined {
  if (definition.unit === "1" && definition.kind === "gauge") return "ratio";
  return unitWords.get(definition.unit);
}

/** Characters outside Prometheus' alphabet become `_`, several of them one, and a name begins with none of its digits. */
function legalName(text: string): string {
  const name = text.replace(/[^a-zA-Z0-9]+/g, "_");
  return /^([0-9]|$)/.test(name) ? `key_${name}` : name;
}

/** `le` belongs to the buckets of histograms; names with `__`, which are Prometheus' own, don't come out of `legalName`. */
export function labelName(attribute: string): string {
  const name = legalName(attribute);
  return name === "le" ? `key_${name}` : name;
}

export const isCounter = (kind: MetricKind): boolean => kind === "counter" || kind === "observableCounter";

/**
 * A metric's family name in the exposition, without `_total`: the OpenTelemetry–Prometheus compatibility
 * specification's rules (dots to underscores, unit suffix), or `prometheusName`.
 */
export function familyName(definition: MetricDefinition, prefix: string = defaultPrefix): string {
  if (definition.prometheusName !== undefined) return definition.prometheusName.replace(/_total$/, "");
  const isOwn = definition.name.startsWith(ownPrefix);
  const rest = legalName(isOwn ? definition.name.slice(ownPrefix.length) : definition.name);
  const full = isOwn && prefix !== "" ? `${prefix}_${rest}` : rest;
  // A counter gets its `_total` later, behind the unit, and once.
  const base = isCounter(definition.kind) ? full.replace(/(?<=.)(_total)+$/, "") : full;
  const unit = unitWord(definition);
  return unit === undefined || base.endsWith(`_${unit}`) ? base : `${base}_${unit}`;
}

/** The name that queries use: family name, and `_total` for counters. Histograms add _bucket, _sum, _count. */
export function prometheusName(definition: MetricDefinition, prefix: string = defaultPrefix): string {
  return isCounter(definition.kind) ? `${familyName(definition, prefix)}_total` : familyName(definition, prefix);
}

/** Upper bounds of a histogram; "latency" is what the settings say. */
export function boundsOf(
  definition: MetricDefinition,
  latencyBounds: readonly number[] = defaultLatencyBounds,
): readonly number[] {
  return definition.bounds === "latency" ? latencyBounds : (definition.bounds ?? []);
}

/** All valid combinations of a metric's closed sets; undefined where one of its sets isn't closed. */
export function combinationsOf(definition: MetricDefinition): Record<string, string>[] | undefined {
  let combinations: Record<string, string>[] = [{}];
  for (const [attribute, values] of Object.entries(definition.attributes)) {
    if (values === fromBoundedSource) return undefined;
    combinations = combinations.flatMap((combination) =>
      values.map((value) => ({ ...combination, [attribute]: value })),
    );
  }
  return combinations;
}

/** Most attribute sets that a metric keeps, `other` and the overflow included. */
export function attributeSetLimit(definition: MetricDefinition): number {
  if (definition.seriesLimit !== undefined) return definition.seriesLimit;
  const sets = Object.values(definition.attributes).map((values) =>
    values === fromBoundedSource ? 1 : values.length + (values.some((value) => value === "other") ? 0 : 1),
  );
  // One for the overflow: a limit of N keeps N − 1 sets (seen on Node 24, November 2026).
  return sets.reduce((product, size) => product * size, 1) + 1;
}

/** Most series that a metric can have in the exposition. */
export function seriesCeiling(definition: MetricDefinition, latencyBounds?: readonly number[]): number {
  const perSet = definition.kind === "histogram" ? boundsOf(definition, latencyBounds).length + 3 : 1;
  const isPlain = Object.keys(definition.attributes).length === 0;
  return perSet * (isPlain ? 1 : attributeSetLimit(definition));
}

/**
 * Attributes as they may be recorded: only declared ones, a value outside its closed set becomes `other`.
 * A declared attribute that is not given becomes "" where the set knows it, else `other`.
 */
export function allowedAttributes(
  definition: MetricDefinition,
  given: Readonly<Record<string, string | number | undefined>>,
): Record<string, string> {
  const allowed: Record<string, string> = {};
  for (const [attribute, values] of Object.entries(definition.attributes)) {
    // Half a character would be written as U+FFFD: two values for one series.
    const value = String(given[attribute] ?? "").toWellFormed();
    if (values === fromBoundedSource) allowed[attribute] = value === "" ? "other" : value;
    else allowed[attribute] = isMember(values, value) ? value : "other";
  }
  return allowed;
}

const sets = new WeakMap<readonly string[], ReadonlySet<string>>();
function isMember(values: readonly string[], value: string): boolean {
  let set = sets.get(values);
  if (set === undefined) {
    set = new Set(values);
    sets.set(values, set);
  }
  return set.has(value);
}
