import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { MessagePort } from "node:worker_threads";
import { type CsvColumn, loadTable } from "./load-table.ts";
import type { RunMetrics } from "./run-metrics.ts";
import { type DroppedColumn, serializeModelDocument, type TrainingMode, type TrainingTask } from "./trainers/model.ts";
import { type TrainParameters, trainModel } from "./trainers/train-model.ts";
import { TrainingDataError, type TrainingDataErrorCode } from "./trainers/training-data-error.ts";

/** One training, as given to the thread; `progressPort` belongs into the transfer list. */
export interface ThreadTask {
  readonly csvPath: string;
  readonly columns: readonly CsvColumn[];
  readonly target: string;
  readonly task: TrainingTask;
  readonly features?: readonly string[] | undefined;
  readonly mode: TrainingMode;
  readonly parameters: TrainParameters;
  /** Where the model goes; the folder must be there. */
  readonly modelPath: string;
  readonly progressPort?: MessagePort | undefined;
}

/** A part of the work that is over; times in milliseconds of Unix time, since a thread's clock begins with the thread. */
export interface ThreadPhase {
  readonly name: "load" | "fit" | "evaluate" | "save";
  readonly startedMs: number;
  readonly endedMs: number;
  /** Of the table. */
  readonly rows: number;
}

/** What the thread posts through the port. */
export interface ThreadProgress {
  /** 0 to 1. */
  readonly progress: number;
  /** Told when it is over: how far it came must be known also of a thread that is killed later. */
  readonly over?: ThreadPhase;
}

/** A written model, or what is wrong with the data: an error's class and code would not survive the way back. */
export type ThreadResult = { readonly phases: readonly ThreadPhase[] } & ModelOrFault;
type ModelOrFault =
  | {
      readonly metrics: RunMetrics;
      readonly sizeBytes: number;
      readonly sha256: string;
      readonly droppedColumns: readonly DroppedColumn[];
    }
  | { readonly dataError: { readonly code: TrainingDataErrorCode; readonly message: string } };

const PROGRESS_INTERVAL_MS = 100;

/**
 * Piscina's entry: loads the table, trains, writes the model and flushes it to disk. The caller closes its own end of
 * the port when the result is there: an idle piscina thread sleeps in Atomics.wait, so its "close" arrives late.
 */
export default async function trainInThread(task: ThreadTask): Promise<ThreadResult> {
  const { progressPort } = task;
  const phases: ThreadPhase[] = [];
  let startedMs = nowMs();
  let done = 0;
  const over = (name: ThreadPhase["name"], rows: number): void => {
    const phase = { name, startedMs, endedMs: nowMs(), rows };
    phases.push(phase);
    startedMs = phase.endedMs;
    progressPort?.postMessage({ progress: done, over: phase } satisfies ThreadProgress);
  };
  try {
    const table = await loadTable(task.csvPath, task.columns);
    const rows = table.rowCount;
    // From here no native code runs: the thread may be ended.
    over("load", rows);
    const post = throttled(progressPort);
    const onProgress = (progress: number): void => {
      done = progress;
      post(progress);
    };
    const { document, metrics } = trainModel({ ...task, table }, onProgress, () => over("fit", rows));
    over("evaluate", rows);
    const content = Buffer.from(serializeModelDocument(document), "utf8");
    await writeFlushed(task.modelPath, content);
    over("save", rows);
    return {
      phases,
      metrics,
      sizeBytes: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
      droppedColumns: document.droppedColumns,
    };
  } catch (error) {
    if (!(error instanceof TrainingDataError)) throw error;
    return { phases, dataError: { code: error.code, message: error.message } };
  } finally {
    progressPort?.close();
  }
}

const nowMs = (): number => performance.timeOrigin + performance.now();

function throttled(port: MessagePort | undefined): (fraction: number) => void {
  let lastPostedMs = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const nowMs = performance.now();
    if (progress < 1 && nowMs - lastPostedMs < PROGRESS_INTERVAL_MS) return;
    lastPostedMs = nowMs;
    port?.postMessage({ progress } satisfies ThreadProgress);
  };
}

async function writeFlushed(filePath: string, content: Buffer): Promise<void> {
  await using file = await open(filePath, "w");
  await file.writeFile(content);
  await file.sync();
}
