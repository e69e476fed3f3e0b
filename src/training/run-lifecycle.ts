import type { RunErrorType } from "../monitoring/metrics.ts";
import { isDatabaseAway } from "../outage.ts";
import { explainMemory, TrainingMemoryError } from "./training-memory.ts";

/** The first try and two retries. */
export const MAX_ATTEMPTS = 3;

/** The attempts that a run has used up: one that a shutdown or an outage ended is none. */
export function countedAttempts({ attempt, interruptions }: { attempt: number; interruptions: number }): number {
  return attempt - interruptions;
}

export const runStatuses = ["queued", "running", "succeeded", "failed", "cancelled"] as const;
export type RunStatus = (typeof runStatuses)[number];

/** True for a state that a run never leaves. */
export function isFinal(status: RunStatus): boolean {
  return status === "succeeded" || status === "failed" || status === "cancelled";
}

/** Why an attempt did not make a model; `type` goes into metrics, `code` and `message` to the caller. */
export interface RunFault {
  readonly type: RunErrorType;
  readonly code: string;
  readonly message: string;
}

/** What follows a fault: another attempt, or the end. */
export type NextStep = { readonly status: "queued" } | { readonly status: "failed"; readonly fault: RunFault };

/**
 * The data, what it needs of memory, and the time limit would be the same next time: those faults end the run. All others
 * are the system's, and the run is tried again until its attempts are used up.
 * @param counted attempts so far, this one included; see countedAttempts
 */
export function afterFault(counted: number, fault: RunFault): NextStep {
  if (fault.type === "data" || fault.type === "out_of_memory" || fault.type === "timeout")
    return { status: "failed", fault };
  return counted < MAX_ATTEMPTS ? { status: "queued" } : { status: "failed", fault };
}

/** The fault of a process that died with its run. */
export const crashFault: RunFault = {
  type: "crash",
  code: "TRAINING_CRASHED",
  message:
    "The process that trained this run ended unexpectedly, each time it was tried. Submit it again; if it repeats, the data may need more memory than there is.",
};

/** The fault of a training that took too long. */
export function timeoutFault(timeoutSeconds: number): RunFault {
  return {
    type: "timeout",
    code: "TRAINING_TIMEOUT",
    message: `The training took longer than ${timeoutSeconds} s. Use fewer rounds, a smaller depth or fewer columns, or mode "light".`,
  };
}

const fileFault =
  /^(ENOSPC|EDQUOT|EIO|EROFS|ENOENT|EACCES|EPERM|EMFILE|ENFILE|EBUSY|STORAGE_UNAVAILABLE|FILE_MISSING_IN_STORAGE)$/;
// Errors come out of a training's process with name, message and code only: node:fs and DuckDB begin theirs like this.
const fileMessage = /^(ENOSPC|EDQUOT|EIO|EROFS|ENOENT|EACCES|EPERM|EMFILE|ENFILE|EBUSY):|^IO Error:/;
const sqlState = /^([0-9A-Z]{2}[0-9]{3}|[0-9]{2}[0-9A-Z]{3})$/;
// Of typed arrays, and of DuckDB.
const arrayMessage = /Array buffer allocation failed|Invalid (typed )?array (buffer )?length/i;
const duckdbMessage = /^Out of Memory Error:|std::bad_alloc|failed to allocate/i;
const crashMessage = /^The training's process ended/;

function memoryErrorOf(error: unknown): TrainingMemoryError | undefined {
  if (error instanceof TrainingMemoryError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (duckdbMessage.test(message)) return new TrainingMemoryError("duckdb");
  return arrayMessage.test(message) ? new TrainingMemoryError("process") : undefined;
}

/**
 * Whose fault a thrown error is. The caller is told the kind, never the text: it may hold paths.
 * @param memoryBytes what the training was allowed
 */
export function classifyFault(error: unknown, memoryBytes: number): RunFault {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  const message = error instanceof Error ? error.message : String(error);
  const memoryError = memoryErrorOf(error);
  if (memoryError !== undefined) {
    return {
      type: "out_of_memory",
      code: "TRAINING_OUT_OF_MEMORY",
      message: explainMemory(memoryError, memoryBytes),
    };
  }
  if (fileFault.test(code) || fileMessage.test(message)) {
    return {
      type: "storage",
      code: "STORAGE_FAILED",
      message: "A file of the dataset or the model could not be read or written. Submit the run again later.",
    };
  }
  if (sqlState.test(code) || isDatabaseAway(error)) {
    return {
      type: "database",
      code: "DATABASE_FAILED",
      message: "The database did not answer while the run was trained. Submit the run again later.",
    };
  }
  if (crashMessage.test(message)) return crashFault;
  return {
    type: "other",
    code: "TRAINING_FAILED",
    message:
      "The training failed for a reason that is not the data's. Submit the run again, or report it with the run's id.",
  };
}

/**
 * The turn of a new run: one after the last run that was taken, and after its owner's own waiting runs. Workers take the
 * lowest turn first and, among equals, the oldest: so owners take turns, somebody's first run overtakes another's
 * twentieth, and nobody waits for ever, since newcomers come after the turn that is on (start-time fair queueing: Goyal,
 * Vin and Cheng, 1996, with every run of the same length).
 */
export function nextTurn({ lastTaken, ownLast }: { readonly lastTaken: number; readonly ownLast: number }): number {
  return Math.max(lastTaken, ownLast) + 1;
}
