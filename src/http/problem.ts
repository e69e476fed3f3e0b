import type { ErrorRequestHandler, Response } from "express";
import { ClientClosedError, DomainError, type ErrorCode, isSystemError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { answeredCallersFault, answerFailed } from "../monitoring/metrics.ts";
import { isDatabaseAway } from "../outage.ts";
import { hasEvents, sendAnswer } from "./events.ts";

/** Status of each code; a code without a line here does not compile. */
export const statusOf = {
  NOT_MULTIPART: 415,
  FILE_MISSING: 400,
  UNEXPECTED_FIELD: 400,
  TOO_MANY_FILES: 400,
  NOT_CSV: 415,
  WRONG_ENCODING: 400,
  NUL_BYTES: 400,
  HEADER_MISSING: 400,
  COLUMN_NAMES_INVALID: 400,
  TOO_FEW_COLUMNS: 400,
  TOO_FEW_ROWS: 400,
  TOO_MANY_EMPTY_CELLS: 400,
  DATASET_TOO_LARGE: 413,
  DATASET_TOO_WIDE: 413,
  GZIP_INVALID: 400,
  DATE_ORDER_UNKNOWN: 400,
  ROW_RAGGED: 400,
  TARGET_UNKNOWN: 400,
  TARGET_SINGLE_CLASS: 400,
  TARGET_NOT_NUMERIC: 400,
  FEATURE_UNKNOWN: 400,
  FEATURE_LEFT_OUT: 400,
  PARAMETER_UNUSABLE: 400,
  FIELD_INVALID: 400,
  DATASET_EXISTS: 409,
  DATASET_NOT_FOUND: 404,
  DATASET_IN_USE: 409,
  RUN_NOT_FOUND: 404,
  RUN_ALREADY_FINAL: 409,
  RUNS_NOT_COMPARABLE: 422,
  ARTIFACT_NOT_FOUND: 404,
  INPUT_NOT_DESCRIBED: 404,
  PREDICTION_INPUT_INVALID: 400,
  PREDICTION_TOO_LARGE: 422,
  EXPLANATION_UNAVAILABLE: 422,
  EXPORT_UNAVAILABLE: 422,
  TOO_MANY_PREDICTIONS: 429,
  TOO_MANY_ROWS: 400,
  JSON_INVALID: 400,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  VALIDATION_FAILED: 400,
  ID_INVALID: 400,
  CURSOR_INVALID: 400,
  RANGE_NOT_SATISFIABLE: 416,
  IDEMPOTENCY_KEY_REUSED: 422,
  IDEMPOTENCY_KEY_INVALID: 400,
  UNAUTHORIZED: 401,
  HOST_INVALID: 400,
  HOST_NOT_ALLOWED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  TOO_MANY_UPLOADS: 429,
  UPLOAD_TIMEOUT: 408,
  CHECKS_BUSY: 503,
  QUEUE_FULL: 429,
  TRAINING_TOO_LARGE: 422,
  QUOTA_EXCEEDED: 507,
  DISK_FULL: 507,
  DATABASE_UNAVAILABLE: 503,
  STORAGE_UNAVAILABLE: 503,
  FILE_MISSING_IN_STORAGE: 500,
  REQUEST_TIMEOUT: 408,
  NOT_READY: 503,
  INTERNAL_ERROR: 500,
} as const satisfies Record<ErrorCode, number>;

/** Whether it is the caller who must act; 507 for a used-up quota is, though its status is one of ours. */
export function isCallersFault(code: ErrorCode): boolean {
  return statusOf[code] < 500 || code === "QUOTA_EXCEEDED";
}

/** The short, fixed text of a code, as RFC 9457 section 3.1.3 wants it: the same for every occurrence. */
function titleOf(code: ErrorCode): string {
  const words = code.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What body-parser and Express throw, by their `type`. */
const parserCodes: Record<string, [ErrorCode, string]> = {
  "entity.parse.failed": ["JSON_INVALID", "The body is not valid JSON."],
  "entity.too.large": ["BODY_TOO_LARGE", "The body is larger than this call takes."],
  "encoding.unsupported": ["UNSUPPORTED_MEDIA_TYPE", "This content encoding is not supported."],
  "charset.unsupported": ["UNSUPPORTED_MEDIA_TYPE", "Send the body as UTF-8."],
  "request.size.invalid": ["VALIDATION_FAILED", "Content-Length does not match the body."],
};

/** Turns whatever was thrown into a fault with a code; what nobody planned becomes INTERNAL_ERROR. */
export function toDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  if (error instanceof Error) {
    // 53100 is PostgreSQL's disk_full (Appendix A of its manual).
    if (["ENOSPC", "EDQUOT", "53100"].some((code) => isSystemError(error, code))) {
      return new DomainError(
        "DISK_FULL",
        "The service has no room to keep this. Nothing was stored; try again later.",
        { cause: error },
      );
    }
    if (isDatabaseAway(error)) {
      return new DomainError("DATABASE_UNAVAILABLE", "The database does not answer. Try again in a few seconds.", {
        cause: error,
        retryAfterSeconds: 5,
      });
    }
    const type = "type" in error && typeof error.type === "string" ? error.type : "";
    const known = Object.hasOwn(parserCodes, type) ? parserCodes[type] : undefined;
    if (known !== undefined) return new DomainError(known[0], known[1], { cause: error });
    // http-errors marks like this what body-parser lets pass of zlib, whose codes differ by the kind of compression.
    if ("expose" in error && error.expose === true) {
      return new DomainError("VALIDATION_FAILED", "The body cannot be read as Content-Encoding says.", {
        cause: error,
      });
    }
    if (error instanceof URIError)
      return new DomainError("NOT_FOUND", "The path is not validly encoded.", { cause: error });
  }
  return new DomainError(
    "INTERNAL_ERROR",
    "Something went wrong on our side. Quote the instance of this answer when you ask.",
    { cause: error },
  );
}

/** Writes the problem+json answer (RFC 9457) of a fault. */
export function sendProblem(response: Response, error: DomainError): void {
  const status = statusOf[error.code];
  response.locals.code = error.code;
  sendAnswer(response, {
    status,
    headers: {
      "Content-Type": "application/problem+json; charset=utf-8",
      ...(error.retryAfterSeconds !== undefined && { "Retry-After": String(Math.ceil(error.retryAfterSeconds)) }),
      ...(error.code === "UNAUTHORIZED" && { "WWW-Authenticate": 'Bearer realm="mlops-backend"' }),
    },
    body: {
      type: `urn:mlops-backend:problem:${error.code.toLowerCase().replaceAll("_", "-")}`,
      title: titleOf(error.code),
      status,
      detail: error.message,
      code: error.code,
      instance: `urn:uuid:${response.locals.requestId}`,
      // Where the header says so: a health check is not traced.
      traceId: response.getHeader("X-Trace-Id"),
      ...(error.fields.length > 0 ? { errors: error.fields } : {}),
    },
  });
}

/** The last middleware: every fault becomes an answer with a stable code, and ours are logged. */
export function problemHandler(log: Logger): ErrorRequestHandler {
  return (thrown, request, response, _next) => {
    // A fault of its own kind is told although the connection is gone: it may be what broke it off.
    const isOfClosing = request.socket.destroyed && !(thrown instanceof DomainError);
    if (thrown instanceof ClientClosedError || isOfClosing) {
      response.destroy();
      return;
    }
    const error = toDomainError(thrown);
    if (isCallersFault(error.code)) {
      if (statusOf[error.code] >= 500) answeredCallersFault(response);
    } else {
      const level = error.code === "INTERNAL_ERROR" || error.code === "FILE_MISSING_IN_STORAGE" ? "error" : "warn";
      log[level](
        {
          err: error.cause ?? error,
          code: error.code,
          request_id: response.locals.requestId,
          run_id: response.locals.runId,
        },
        "request failed",
      );
    }
    if (hasEvents(response)) {
      if (!isCallersFault(error.code)) answerFailed(request, response.statusCode);
    } else if (response.headersSent) {
      // Half an answer can't be taken back: breaking the connection tells the client that it is not whole.
      answerFailed(request, 0);
      response.destroy();
      return;
    }
    sendProblem(response, error);
  };
}
