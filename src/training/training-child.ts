/** Entry of the process that trains one model; src/training/training-process.ts starts it, and ends it. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { flushCompileCache } from "node:module";
import { beginApart } from "../begin-apart.ts";
import type { Leaderboard } from "../models/leaderboard.ts";
import {
  type DroppedColumn,
  type RunMode,
  serializeModelDocument,
  type TrainingMode,
  type TrainingTask,
} from "../models/model.ts";
import type { RunMetrics } from "../models/model-metrics.ts";
import { trainAuto } from "../models/train-auto.ts";
import { type TrainedModel, trainModel } from "../models/train-model.ts";
import { type TrainParameters, usualSearchSeconds } from "../models/train-request.ts";
import { TrainingDataError, type TrainingDataErrorCode } from "../models/training-data-error.ts";
import { columnOf } from "../models/validation.ts";
import type { ColumnSummary, RunWarnings } from "../store/schema.ts";
import type { Dialect } from "../tables/dialect.ts";
import { loadTable, loadTypedCopy } from "./load-table.ts";
import { runWarningsOf } from "./run-warnings.ts";

/** One training, as given to the process. */
export interface ChildTask {
  readonly csvPath: string;
  /** Whether that is the typed copy of the dataset, and not the file that was sent. */
  readonly isTyped?: boolean | undefined;
  /** Where a plain copy of it may go. */
  readonly copyPath: string;
  readonly columns: readonly ColumnSummary[];
  readonly dialect: Dialect;
  /** Of the file; not known where absent. */
  readonly rowCount?: number | undefined;
  readonly target: string;
  readonly task: TrainingTask;
  readonly features?: readonly string[] | undefined;
  /** Columns that nothing shall be learnt from, whoever asks for no others. */
  readonly leftOut?: readonly string[] | undefined;
  readonly mode: RunMode;
  readonly parameters: TrainParameters;
  /** Where the model goes; the folder must be there. */
  readonly modelPath: string;
  /** What the whole process may hold. */
  readonly memoryBytes: number;
  /** Of the mode auto: how long it searches where `parameters` say nothing. */
  readonly searchSeconds?: number | undefined;
  /** Where a file comes to be when the best so far is wanted, and no more. */
  readonly endWishPath?: string | undefined;
}

/** A part of the work that is over; times in milliseconds of Unix time, since its clock begins with the process. */
export interface ChildPhase {
  readonly name: "load" | "fit" | "evaluate" | "save";
  readonly startedMs: number;
  readonly endedMs: number;
  /** Of the table. */
  readonly rows: number;
}

/** What the process sends while it works. */
export interface ChildProgress {
  /** 0 to 1. */
  readonly progress: number;
  /** What a search has tried so far; absent where that has not changed. */
  readonly leaderboard?: Leaderboard;
  /** Told when it is over: how far it came must be known also of a process that is killed later. */
  readonly over?: ChildPhase;
}

/** A written model, or what is wrong with the data: an error's class and code would not survive the way back. */
export type ChildResult = { readonly phases: readonly ChildPhase[] } & ModelOrFault;
type ModelOrFault =
  | {
      /** Of the model. */
      readonly mode: TrainingMode;
      readonly metrics: RunMetrics;
      readonly sizeBytes: number;
      readonly sha256: string;
      readonly droppedColumns: readonly DroppedColumn[];
      /** JSON, which is written here: nobody before the caller has to read it. */
      readonly input: string;
      readonly columnUses: string;
      readonly columnWarnings: RunWarnings;
      /** JSON of KeptMeasures. */
      readonly keptMeasures: string;
      /** Of a search. */
      readonly leaderboard?: Leaderboard | undefined;
    }
  | { readonly dataError: { readonly code: TrainingDataErrorCode; readonly message: string } };

/** What the process says at last. */
export type ChildAnswer = { readonly result: ChildResult } | { readonly fault: ChildFault };

/** A thrown error: its class would not survive the way back. */
interface ChildFault {
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
}

const PROGRESS_INTERVAL_MS = 100;

/** Loads the table, trains, writes the model and flushes it to disk. */
async function train(task: ChildTask): Promise<ChildResult> {
  const phases: ChildPhase[] = [];
  let startedMs = nowMs();
  let done = 0;
  const over = (name: ChildPhase["name"], rows: number): void => {
    const phase = { name, startedMs, endedMs: nowMs(), rows };
    phases.push(phase);
    startedMs = phase.endedMs;
    send({ progress: done, over: phase });
  };
  try {
    const { csvPath, isTyped, copyPath, columns, dialect, rowCount, features, memoryBytes } = task;
    const how = { dialect, copyPath, rowCount, only: columnsToRead(task), memoryBytes };
    const table = await (isTyped ? loadTypedCopy : loadTable)(csvPath, columns, how);
    const rows = table.rowCount;
    over("load", rows);
    const post = throttled();
    const onProgress = (progress: number): void => {
      done = progress;
      post(progress);
    };
    const columnNames = columns.map(({ name }) => name);
    const onFitted = (): void => over("fit", rows);
    const learn = (): TrainedModel & { readonly leaderboard?: Leaderboard } => {
      const { mode, searchSeconds = usualSearchSeconds, endWishPath } = task;
      const request = { ...task, table, columnNames };
      if (mode !== "auto") return trainModel({ ...request, mode }, onProgress, onFitted);
      return trainAuto(request, {
        nowMs,
        usualSeconds: searchSeconds,
        isEndWanted: endWish(endWishPath),
        onProgress,
        onTrial: (leaderboard) => send({ progress: done, leaderboard }),
        onFitted,
      });
    };
    const trained = learn();
    const { document, metrics, leaderboard } = trained;
    over("evaluate", rows);
    const content = Buffer.from(serializeModelDocument(document), "utf8");
    await writeFlushed(task.modelPath, content);
    over("save", rows);
    return {
      phases,
      mode: document.mode,
      leaderboard,
      metrics,
      sizeBytes: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
      droppedColumns: document.droppedColumns,
      input: JSON.stringify(trained.input),
      keptMeasures: JSON.stringify(trained.kept),
      columnUses: JSON.stringify(trained.columns),
      columnWarnings: runWarningsOf(features, trained.columns, { name: task.target, hints: trained.hints }),
    };
  } catch (error) {
    if (!(error instanceof TrainingDataError)) throw error;
    return { phases, dataError: { code: error.code, message: error.message } };
  }
}

/** Names of the columns that a training takes; undefined: all. */
function columnsToRead({ columns, features, target, leftOut = [], parameters }: ChildTask): string[] | undefined {
  const { weight, validation } = parameters;
  const needed = [target, weight, columnOf(validation)].filter((name) => name !== undefined);
  if (features !== undefined) return [...features, ...needed];
  if (leftOut.length === 0) return undefined;
  const unwanted = new Set(leftOut);
  return columns.map(({ name }) => name).filter((name) => needed.includes(name) || !unwanted.has(name));
}

function faultOf(error: unknown): ChildFault {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { name: error.name, message: error.message, code };
}

function send(message: ChildProgress | ChildAnswer): void {
  // A parent that is gone hears nothing more; the watching thread sees to the end.
  process.send?.(message, undefined, undefined, () => {});
}

const nowMs = (): number => performance.timeOrigin + performance.now();

function throttled(): (fraction: number) => void {
  let lastPostedMs = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const nowMs = performance.now();
    if (progress < 1 && nowMs - lastPostedMs < PROGRESS_INTERVAL_MS) return;
    lastPostedMs = nowMs;
    send({ progress });
  };
}

/** A message would not be heard: the search holds the event loop up until it ends. Looked at ten times a second, and never again once it is there. */
function endWish(path: string | undefined): () => boolean {
  let isThere = false;
  let lastLookMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (isThere || path === undefined || performance.now() - lastLookMs < PROGRESS_INTERVAL_MS) return isThere;
    lastLookMs = performance.now();
    isThere = existsSync(path);
    return isThere;
  };
}

async function writeFlushed(filePath: string, content: Buffer): Promise<void> {
  await using file = await open(filePath, "w");
  await file.writeFile(content);
  await file.sync();
}

beginApart();
process.once("message", async (task: ChildTask) => {
  const answer = await train(task).then(
    (result): ChildAnswer => ({ result }),
    (error: unknown): ChildAnswer => ({ fault: faultOf(error) }),
  );
  // Node keeps compiled code at the end of a process, and this one is killed.
  flushCompileCache();
  send(answer);
});
