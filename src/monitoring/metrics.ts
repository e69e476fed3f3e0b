import { databaseOperationNames } from "../../otel/api/catalogue/database.ts";
import {
  type datasetWarningReasons,
  type uploadFormats,
  type uploadOutcomes,
  uploadRejectionReasons,
} from "../../otel/api/catalogue/datasets.ts";
import type { predictionOutcomes, predictionTasks } from "../../otel/api/catalogue/predictions.ts";
import type {
  modelModes,
  runErrorTypes,
  runOutcomes,
  trainingModes,
  trainingTasks,
} from "../../otel/api/catalogue/training.ts";
import type { artifactRemovalReasons, ttlResults } from "../../otel/api/catalogue/ttl.ts";
import { httpRecorder } from "../../otel/api/http-recorder.ts";
import { add, guarded, record } from "../../otel/api/instruments.ts";
import { markCallersFault, markCutOff, markEnd } from "../../otel/api/request-end.ts";

type OneOf<Values extends readonly string[]> = Values[number];
export type TrainingMode = OneOf<typeof trainingModes>;
export type TrainingTask = OneOf<typeof trainingTasks>;
export type RunErrorType = OneOf<typeof runErrorTypes>;

/** One upload has ended; `reason` is the error code of a rejected one. */
export interface DatasetUpload {
  readonly outcome: OneOf<typeof uploadOutcomes>;
  readonly reason?: string;
  /** Expanded bytes of an accepted file. */
  readonly sizeBytes?: number;
  /** Of an accepted file. */
  readonly format?: OneOf<typeof uploadFormats>;
  /** What its sender is warned of; one code may come more than once. */
  readonly warnings?: readonly OneOf<typeof datasetWarningReasons>[];
}

const knownReasons: ReadonlySet<string> = new Set(uploadRejectionReasons);
const rejectionReason = (code: string | undefined): OneOf<typeof uploadRejectionReasons> =>
  code !== undefined && knownReasons.has(code) ? (code as OneOf<typeof uploadRejectionReasons>) : "other";

/** An upload has ended, however it did. */
export function datasetUpload({ outcome, reason, sizeBytes, format, warnings = [] }: DatasetUpload): void {
  guarded(() => {
    add("datasetUploads", 1, { outcome });
    if (outcome === "rejected") add("datasetUploadRejections", 1, { reason: rejectionReason(reason) });
    if (outcome === "accepted" && sizeBytes !== undefined) record("datasetUploadSize", sizeBytes, {});
    if (outcome === "accepted" && format !== undefined) add("datasetUploadFormats", 1, { format });
    if (outcome === "accepted") for (const code of new Set(warnings)) add("datasetWarnings", 1, { reason: code });
  });
}

/** This answer is 5xx, but the caller must act: it counts as theirs. */
export function answeredCallersFault(response: object): void {
  guarded(() => markCallersFault(response));
}

/**
 * An answer that has begun ends in a fault of ours; to be said before it ends.
 * @param statusCode that it began with; 0 where it is broken off
 */
export function answerFailed(request: object, statusCode: number): void {
  guarded(() => markEnd(request, { statusCode, fault: "other" }));
}

/** The request is answered 400 for how it is written, as Node answers others: it counts as theirs. */
export function requestMalformed(request: object): void {
  guarded(() => markEnd(request, { statusCode: 400, fault: "parse_error" }));
}

/** What this server still answers is broken off by us, since its time to stop is over. */
export function requestsCutOff(server: object): void {
  guarded(() => markCutOff(server));
}

/** A column profile was made. */
export function datasetProfiled({ durationSeconds }: { readonly durationSeconds: number }): void {
  guarded(() => record("datasetProfileDuration", durationSeconds, {}));
}

/** A worker has taken a run for the first time. */
export function runStarted({ mode, waitSeconds }: { readonly mode: TrainingMode; readonly waitSeconds: number }): void {
  // Clocks of the database and of this process may differ a little; a wait below 0 is 0, not lost.
  guarded(() => record("trainingQueueWait", Math.max(0, waitSeconds), { mode }));
}

/** An attempt failed and another follows. */
export function runRetried({ mode }: { readonly mode: TrainingMode }): void {
  guarded(() => add("trainingRetries", 1, { mode }));
}

export interface RunFinished {
  readonly mode: TrainingMode;
  readonly task: TrainingTask;
  readonly outcome: OneOf<typeof runOutcomes>;
  /** Of the last attempt. */
  readonly durationSeconds: number;
  /** Of a failed run; absent is `other`. */
  readonly errorType?: RunErrorType | undefined;
  /** Of one that succeeded: its model, and that one's error divided by the naive baseline's. */
  readonly model?: { readonly mode: OneOf<typeof modelModes>; readonly relativeError: number | undefined } | undefined;
}

/** A run has reached its final state: call it once a run, after the state is committed. */
export function runFinished({ mode, task, outcome, durationSeconds, errorType, model }: RunFinished): void {
  guarded(() => {
    add("trainingRuns", 1, { mode, task, outcome });
    if (outcome === "failed") add("trainingFailures", 1, { mode, "error.type": errorType ?? "other" });
    if (outcome !== "succeeded") return;
    record("trainingDuration", durationSeconds, { mode, task });
    if (model?.relativeError !== undefined)
      record("trainingRelativeError", model.relativeError, { mode: model.mode, task });
  });
}

/** How a prediction request ended; what succeeded knew its model's task. */
export type Predicted =
  | {
      readonly task: TrainingTask;
      readonly outcome: "succeeded";
      readonly rows: number;
      readonly unknownValues: number;
      readonly durationSeconds: number;
    }
  | {
      readonly task: OneOf<typeof predictionTasks>;
      readonly outcome: Exclude<OneOf<typeof predictionOutcomes>, "succeeded">;
    };

/** A prediction request has ended, however it did. */
export function predicted(ended: Predicted): void {
  guarded(() => {
    add("predictions", 1, { task: ended.task, outcome: ended.outcome });
    if (ended.outcome !== "succeeded") return;
    add("predictionRows", ended.rows, { task: ended.task });
    add("predictionUnknownValues", ended.unknownValues, { task: ended.task });
    record("predictionDuration", ended.durationSeconds, { task: ended.task });
  });
}

export interface TtlCycleFinished {
  /** false: asked for by a caller. What it removed counts, but it is none of the deployment's cycles. */
  readonly isScheduled: boolean;
  readonly result: OneOf<typeof ttlResults>;
  readonly durationSeconds: number;
  readonly datasetsRemoved: number;
  readonly filesRemoved: number;
  readonly filesMissing: number;
  readonly errors: number;
}

/** A TTL cycle has ended. */
export function ttlCycleFinished(cycle: TtlCycleFinished): void {
  guarded(() => {
    if (cycle.isScheduled) {
      add("ttlCycles", 1, { result: cycle.result });
      record("ttlCycleDuration", cycle.durationSeconds, {});
    }
    add("ttlDatasetsRemoved", cycle.datasetsRemoved, {});
    add("ttlFilesRemoved", cycle.filesRemoved, {});
    add("ttlFilesMissing", cycle.filesMissing, {});
    add("ttlErrors", cycle.errors, {});
  });
}

/** A model artifact was removed. */
export function artifactRemoved({ reason }: { readonly reason: OneOf<typeof artifactRemovalReasons> }): void {
  guarded(() => add("artifactsRemoved", 1, { reason }));
}

const knownOperations: ReadonlySet<string> = new Set(databaseOperationNames);

/** A database statement has ended; a name outside the closed set counts as OTHER. */
export function databaseOperation({
  operationName,
  durationSeconds,
}: {
  readonly operationName: string;
  readonly durationSeconds: number;
}): void {
  const name = knownOperations.has(operationName) ? (operationName as OneOf<typeof databaseOperationNames>) : "OTHER";
  guarded(() => record("databaseOperationDuration", durationSeconds, { "db.operation.name": name }));
}

/**
 * Shows `…_http_requests_total` with 0 for each route from the start (full templates, e.g.
 * `/api/ml/v1/datasets/:id`), so that availability has its denominator before the first fault.
 */
export function declareRoutes(templates: readonly string[]): void {
  guarded(() => httpRecorder()?.declare([...new Set([...templates, "unmatched"])]));
}
