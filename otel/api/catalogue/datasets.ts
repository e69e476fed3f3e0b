import type { MetricDefinition } from "./metric-definition.ts";

export const uploadOutcomes = ["accepted", "duplicate", "rejected", "failed", "aborted"] as const;
/**
 * The codes with which an upload is refused. They stand here, where a label's values are closed, and `src/errors.ts` takes
 * them into the codes of all calls: clients branch on them, so none is ever renamed.
 */
export const uploadErrorCodes = [
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
  "DATE_ORDER_UNKNOWN",
  "TARGET_UNKNOWN",
  "TARGET_SINGLE_CLASS",
  "DATASET_EXISTS",
  "GZIP_INVALID",
  "FIELD_INVALID",
  "TOO_MANY_UPLOADS",
  "UPLOAD_TIMEOUT",
  "QUOTA_EXCEEDED",
] as const;
export const uploadRejectionReasons = [...uploadErrorCodes, "other"] as const;
/** What the sender of an accepted table is warned of. Clients branch on these, too: none is ever renamed. */
export const datasetWarningReasons = [
  "COLUMN_LEFT_OUT",
  "LINES_LEFT_OUT",
  "LINES_MENDED",
  "ENCODING_GUESSED",
  "SHEETS_LEFT_OUT",
  "NUMBERS_AND_TEXT",
  "DATES_AND_TEXT",
  "TARGET_ROWS_MISSING",
  "CLASSES_ALIKE",
  "TOO_MANY_CLASSES",
] as const;
/** What a table may be sent as; the service takes its own list from here. */
export const uploadFormats = ["csv", "json", "jsonl", "parquet", "xlsx"] as const;
export const storageKinds = ["dataset", "artifact"] as const;

const uploadSizeBounds = [1e4, 5e4, 1e5, 5e5, 1e6, 5e6, 1e7, 2e7] as const;
/** Of work in the background. */
export const jobBounds = [0.05, 0.25, 1.5, 5.5, 30.5] as const;

/** Uploads, profiles, and what is kept of them. */
export const datasetMetrics = {
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
  datasetUploadFormats: {
    name: "mlops.backend.dataset.upload.formats",
    kind: "counter",
    unit: "{upload}",
    description: "Accepted dataset uploads by what they were sent as, expanded.",
    attributes: { format: uploadFormats },
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
  datasetWarnings: {
    name: "mlops.backend.dataset.warnings",
    kind: "counter",
    unit: "{upload}",
    description: "Accepted uploads with a warning, once for each of its codes.",
    attributes: { reason: datasetWarningReasons },
    scope: "process",
    role: "api",
    fromStart: true,
  },
  datasetUploadSize: {
    name: "mlops.backend.dataset.upload.size",
    kind: "histogram",
    unit: "By",
    description: "Expanded size of accepted files.",
    attributes: {},
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
    attributes: {},
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
    attributes: {},
    scope: "deployment",
    fromStart: false,
  },
  storage: {
    name: "mlops.backend.storage",
    kind: "gauge",
    unit: "By",
    description: "Bytes of the files that rows refer to, those of datasets with their typed copies.",
    attributes: { kind: storageKinds },
    scope: "deployment",
    fromStart: false,
  },
  storageFilesystemAvailable: {
    name: "mlops.backend.storage.filesystem.available",
    kind: "gauge",
    unit: "By",
    description: "Free bytes of the file system that holds the files.",
    attributes: {},
    scope: "process",
    fromStart: false,
  },
  storageFilesystemSize: {
    name: "mlops.backend.storage.filesystem.size",
    kind: "gauge",
    unit: "By",
    description: "Size of the file system that holds the files.",
    attributes: {},
    scope: "process",
    fromStart: false,
  },
} as const satisfies Record<string, MetricDefinition>;
