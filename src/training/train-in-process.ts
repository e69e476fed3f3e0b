import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Span } from "@opentelemetry/api";
import { dialectOf, findDatasetForTraining, keptFileOf } from "../datasets/kept/dataset-repository.ts";
import { onTypedCopy } from "../datasets/typed/on-typed-copy.ts";
import type { Logger } from "../log.ts";
import type { Leaderboard } from "../models/leaderboard.ts";
import { usualSearchSeconds } from "../models/train-request.ts";
import { describeSpan, outsideOfTraces, pastSpans } from "../monitoring/spans.ts";
import { isOutage } from "../outage.ts";
import type { Config } from "../settings/config.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import type { Store } from "../store/database.ts";
import { type Run, readAttempt, saveProgress } from "./run-repository.ts";
import type { ChildPhase, ChildProgress, ChildResult, ChildTask } from "./training-child.ts";
import { runTrainingProcess } from "./training-process.ts";

/** Why an attempt is broken off; `lost`: its run has ended, or is somebody else's. */
export type AbortReason = "timeout" | "shutdown" | "lost";

/** One attempt in hand. */
export interface Attempt {
  readonly run: Run;
  readonly startedMs: number;
  readonly span: Span;
  /** Kills its process; the first reason stands. */
  end(reason: AbortReason): void;
  readonly signal: AbortSignal;
  /** Whether the database was away meanwhile: nobody can tell then that the process lives. */
  hasSeenOutage: boolean;
}

const progressWriteMs = 500;
const ownershipCheckMs = 500;

/** What each span of an attempt says. */
export const factsOf = ({ attempt, mode, task }: Run) => ({ attempt, mode, task });

/** Shows each phase of the process once, below the attempt; saving goes on here, and has a span around it. */
function phaseSpans({ run, span }: Pick<Attempt, "run" | "span">) {
  const show = pastSpans();
  const phases = ["load", "fit", "evaluate"] as const;
  const shown = new Set<string>();
  const nowMs = (): number => performance.timeOrigin + performance.now();
  let sinceMs = nowMs();
  let knownRows: number | undefined;
  return {
    over({ name, startedMs, endedMs, rows }: ChildPhase): void {
      if (name === "save" || shown.has(name)) return;
      shown.add(name);
      sinceMs = endedMs;
      knownRows = rows;
      describeSpan(span, { rows });
      show(`training ${name}`, { ...factsOf(run), rows }, startedMs, endedMs);
    },
    /** The process has ended in the middle of a phase. */
    brokenOff(): void {
      const name = phases.find((phase) => !shown.has(phase));
      const facts = { ...factsOf(run), rows: knownRows, outcome: "unfinished" };
      if (name !== undefined) show(`training ${name}`, facts, sinceMs, nowMs());
    },
  };
}

/** What training takes beside the attempt. */
interface AttemptParts {
  readonly db: Store["db"];
  readonly storage: FileStorage;
  readonly config: Config;
  readonly log: Logger;
}

/** Of the class in `src/training/load-table.ts` no more than its name comes over from the process. */
const isTypedCopyFault = (error: unknown): boolean => error instanceof Error && error.name === "TypedCopyFault";

/** Trains in a process until it answers, the time is over, or the run is no longer ours. */
export async function trainInProcess(parts: AttemptParts, attempt: Attempt, modelPath: string): Promise<ChildResult> {
  const { db, storage, config } = parts;
  const { run, signal } = attempt;
  const dataset = await db.transaction().execute((tx) => findDatasetForTraining(tx, run.owner, run.dataset_id));
  if (dataset === undefined)
    return {
      phases: [],
      dataError: { code: "DATASET_NOT_FOUND" as never, message: "The dataset is not there any more." },
    };
  const news: News = { progress: 0 };
  const phases = phaseSpans(attempt);
  const timeout = setTimeout(
    () => attempt.end("timeout"),
    Math.min(config.trainingTimeoutSeconds * 1000, 2_147_000_000),
  );
  const copyPath = storage.temporaryPath(randomUUID());
  const endWishPath = storage.temporaryPath(randomUUID());
  const watching = new AbortController();
  const watched = watch(parts, attempt, { news, endWishPath }, watching.signal);
  try {
    const about: Omit<ChildTask, "csvPath"> = {
      copyPath,
      columns: dataset.columns,
      dialect: dialectOf(dataset),
      rowCount: dataset.row_count,
      target: run.target,
      task: run.task,
      features: run.features ?? undefined,
      leftOut: dataset.said?.leftOut,
      mode: run.mode,
      parameters: run.parameters,
      modelPath,
      memoryBytes: config.trainingMemoryBytes,
      // The model is still to be fitted and measured then.
      endWishPath,
      searchSeconds: Math.min(usualSearchSeconds, config.trainingTimeoutSeconds / 2),
    };
    const onProgress = (message: ChildProgress): void => {
      news.progress = message.progress;
      news.leaderboard = message.leaderboard ?? news.leaderboard;
      if (message.over !== undefined) phases.over(message.over);
    };
    const train = (file: Pick<ChildTask, "csvPath" | "isTyped">) =>
      runTrainingProcess({ ...about, ...file }, { signal, onProgress });
    const trainOnFile = async (): Promise<ChildResult> => {
      await using csv = await storage.localFile("dataset", keptFileOf(dataset), signal);
      return await train({ csvPath: csv.path });
    };
    const result =
      (await onTypedCopy(parts, dataset, { signal, isUnreadable: isTypedCopyFault }, (csvPath) =>
        train({ csvPath, isTyped: true }),
      )) ?? (await trainOnFile());
    for (const phase of result.phases) phases.over(phase);
    if ("dataError" in result) phases.brokenOff();
    return result;
  } catch (error) {
    phases.brokenOff();
    throw error;
  } finally {
    clearTimeout(timeout);
    watching.abort();
    // Before the run's end is written: a late progress would wait for the same row.
    await watched;
    await storage.discard(copyPath);
    await storage.discard(endWishPath);
  }
}

/** The last that the process has said. */
interface News {
  progress: number;
  leaderboard?: Leaderboard | undefined;
}

/**
 * Writes progress at most twice a second, passes on that the best so far is wanted, and ends the attempt when its run belongs to
 * nobody or somebody else.
 */
async function watch(
  { db, log }: Pick<AttemptParts, "db" | "log">,
  attempt: Attempt,
  { news, endWishPath }: { readonly news: News; readonly endWishPath: string },
  until: AbortSignal,
): Promise<void> {
  const { run } = attempt;
  const written: News = { progress: 0 };
  let isSilent = false;
  let isWishTold = false;
  while (!until.aborted && !attempt.signal.aborted) {
    await delay(Math.min(progressWriteMs, ownershipCheckMs), undefined, { signal: until }).catch(() => {
      // Aborted: the loop's condition ends it.
    });
    if (until.aborted) return;
    const { progress, leaderboard } = news;
    const newBoard = leaderboard === written.leaderboard ? undefined : leaderboard;
    try {
      // A trace of ten minutes would have 2,400 of these.
      const ours = await outsideOfTraces(() =>
        progress > written.progress || newBoard !== undefined
          ? saveProgress(db, run.id, run.attempt, progress, newBoard)
          : readAttempt(db, run.id, run.attempt),
      );
      Object.assign(written, { progress: Math.max(written.progress, progress), leaderboard });
      if (ours === undefined) attempt.end("lost");
      else if (ours.ends_early && !isWishTold) {
        await writeFile(endWishPath, "");
        isWishTold = true;
      }
      isSilent = false;
    } catch (error) {
      attempt.hasSeenOutage ||= isOutage(error);
      // The training goes on; its end is guarded by the same condition. One line tells of an outage, not two a second.
      if (!isSilent) log.warn({ err: error, run_id: run.id }, "training: progress could not be written");
      isSilent = true;
    }
  }
}
