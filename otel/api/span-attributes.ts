import { createContextKey } from "@opentelemetry/api";

/** What our own spans say, by the names of src; ids are allowed here, names, content, keys and owners are not. */
export const spanAttributes = {
  runId: "mlops.training.run.id",
  attempt: "mlops.training.attempt",
  mode: "mlops.training.mode",
  task: "mlops.training.task",
  rows: "mlops.training.rows",
  datasetId: "mlops.dataset.id",
  artifactId: "mlops.artifact.id",
  predictedRows: "mlops.prediction.rows",
  outcome: "mlops.outcome",
  errorType: "error.type",
  database: "db.system.name",
  databaseOperation: "db.operation.name",
  messaging: "messaging.system",
  messagingOperation: "messaging.operation.name",
  messagingOperationType: "messaging.operation.type",
  queue: "messaging.destination.name",
  jobId: "messaging.message.id",
} as const;

/** What our own spans are called; those of queues and statements have the queue's or the statement's name in theirs. */
export const spanNames = [
  "dataset receive",
  "dataset check",
  "dataset correct",
  "dataset store",
  "dataset profile",
  "dataset typed copy",
  "prediction",
  "ttl cycle",
  "ttl dataset",
  "training attempt",
  "training load",
  "training fit",
  "training evaluate",
  "training save",
  "training end",
] as const;

/** What is known where a span begins or ends. */
export type SpanFacts = Partial<Record<keyof typeof spanAttributes, string | number | undefined>>;

/** The run that a context belongs to; a request may learn it on its way. */
export interface RunOfContext {
  id: string | undefined;
}

/** Holds a `RunOfContext`: every span that begins in it says its id, statements of the database included. */
export const runKey = createContextKey("mlops-backend.run");
