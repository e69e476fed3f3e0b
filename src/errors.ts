import { uploadErrorCodes } from "../otel/api/catalogue/datasets.ts";

/**
 * The faults a caller can act on. A code is a promise: clients branch on it, so it is never renamed.
 * HTTP statuses live in `src/http/problem.ts` alone.
 */
export const errorCodes = [
  ...uploadErrorCodes,
  "TARGET_NOT_NUMERIC",
  "FEATURE_UNKNOWN",
  "FEATURE_LEFT_OUT",
  "PARAMETER_UNUSABLE",
  "DATASET_NOT_FOUND",
  "DATASET_IN_USE",
  "RUN_NOT_FOUND",
  "RUN_ALREADY_FINAL",
  "RUNS_NOT_COMPARABLE",
  "ARTIFACT_NOT_FOUND",
  "INPUT_NOT_DESCRIBED",
  "PREDICTION_INPUT_INVALID",
  "PREDICTION_TOO_LARGE",
  "EXPLANATION_UNAVAILABLE",
  "EXPORT_UNAVAILABLE",
  "TOO_MANY_PREDICTIONS",
  "TOO_MANY_ROWS",
  "JSON_INVALID",
  "BODY_TOO_LARGE",
  "UNSUPPORTED_MEDIA_TYPE",
  "VALIDATION_FAILED",
  "ID_INVALID",
  "CURSOR_INVALID",
  "RANGE_NOT_SATISFIABLE",
  "IDEMPOTENCY_KEY_REUSED",
  "IDEMPOTENCY_KEY_INVALID",
  "UNAUTHORIZED",
  "HOST_INVALID",
  "HOST_NOT_ALLOWED",
  "NOT_FOUND",
  "METHOD_NOT_ALLOWED",
  "CHECKS_BUSY",
  "QUEUE_FULL",
  "TRAINING_TOO_LARGE",
  "DISK_FULL",
  "DATABASE_UNAVAILABLE",
  "STORAGE_UNAVAILABLE",
  "FILE_MISSING_IN_STORAGE",
  "REQUEST_TIMEOUT",
  "NOT_READY",
  "INTERNAL_ERROR",
] as const;

/** One of the stable codes above. */
export type ErrorCode = (typeof errorCodes)[number];

/** One faulty field of a request: where it stands and what to do about it. */
export interface FieldFault {
  readonly path: string;
  readonly message: string;
}

/** A fault that the caller can act on: a stable code, and a message that says what to do. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  /** Faults of single fields, where the request had several. */
  readonly fields: readonly FieldFault[];
  /** When trying again may help, in seconds. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; fields?: readonly FieldFault[]; retryAfterSeconds?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DomainError";
    this.code = code;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** The upload was broken off by its sender; nobody is left to answer. */
export class ClientClosedError extends Error {
  constructor() {
    super("The client closed the connection before the request was complete.");
    this.name = "ClientClosedError";
  }
}

/** True for errors of Node's system calls with that code, e.g. `isSystemError(error, "ENOENT")`. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
