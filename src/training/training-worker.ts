// Over 300 lines: an attempt is one story – claim, thread, time-out, lost claim, model, retry, shutdown – and each of
// its ends must see the attempts in hand.
import { setTimeout as delay } from "node:timers/promises";
import { MessageChannel } from "node:worker_threads";
import type { Span } from "@opentelemetry/api";
import { Piscina } from "piscina";
import { v7 as uuidv7 } from "uuid";
import { insertArtifact } from "../artifacts/artifact-repository.ts";
import { applyRetention } from "../artifacts/retention.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { findDatasetForTraining, keptFileOf } from "../datasets/dataset-repository.ts";
import type { Logger } from "../log.ts";
import { runFinished, runRetried, runStarted } from "../monitoring/metrics.ts";
import { describeSpan, failSpan, outsideOfTraces, pastSpans, withSpan } from "../monitoring/spans.ts";
import { type JobOutcome, type JobQueue, JobReturnedError, type QueuedJob } from "../queue/job-queue.ts";
import { activeTraceparent, linkTo } from "../queue/job-trace.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { inTransaction, mayStand } from "../store/commit.ts";
import type { Store } from "../store/database.ts";
import { endLostRun } from "./end-lost-run.ts";
import { reconcileRuns } from "./reconcile-runs.ts";
import { afterFault, classifyFault, crashFault, type RunFault, timeoutFault } from "./run-lifecycle.ts";
import {
  hasArtifact,
  isRunningAttempt,
  markFailed,
  markSucceeded,
  type Run,
  readRunNotification,
  readStatus,
  returnToQueue,
  runsChannel,
  saveProgress,
  startAttempt,
} from "./run-repository.ts";
import type { ThreadPhase, ThreadProgress, ThreadResult, ThreadTask } from "./training-thread.ts";

/** Trains runs of the queue in threads. */
export interface TrainingWorker {
  /** For the gauge of worker slots. */
  slots(): { busy: number; idle: number };
  /** Takes no more runs, waits that long for those in hand, then returns them to the queue. */
  stop(graceSeconds: number): Promise<void>;
}

export interface TrainingWorkerParts {
  readonly store: Store;
  readonly storage: FileStorage;
  readonly queue: JobQueue;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
}

type ModelResult = Exclude<ThreadResult, { dataError: unknown }>;
type AbortReason = "timeout" | "shutdown" | "lost";
/** How an attempt ended; an error is what its job is given back with. */
type AttemptEnd = "succeeded" | "failed" | "cancelled" | "lost" | JobReturnedError;

/** One attempt in hand. */
interface Attempt {
  readonly run: Run;
  readonly startedMs: number;
  readonly span: Span;
  /** Ends the thread; the first reason stands. */
  end(reason: AbortReason): void;
  readonly signal: AbortSignal;
}

const progressWriteMs = 500;
const ownershipCheckMs = 500;
const reconcileMs = 5_000;

// V8's heap of one thread: tables are typed arrays, which lie outside of it.
const threadLimits = { maxOldGenerationSizeMb: 1024 };

// Loading is bounded by the size of an upload; a thread that hangs in it must not hold its slot for ever.
const longestLoadingMs = 10_000;

/**
 * Ending a thread in the middle of DuckDB's native code ends the whole process (seen: a cancel within milliseconds
 * of the start), so the signal goes through only after the table is loaded.
 */
function killAfterLoading(signal: AbortSignal): { signal: AbortSignal; allow(): void; dispose(): void } {
  const controller = new AbortController();
  let isLoaded = false;
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    if (isLoaded) controller.abort(signal.reason);
    else timer = setTimeout(() => controller.abort(signal.reason), longestLoadingMs);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    signal: controller.signal,
    allow() {
      isLoaded = true;
      if (signal.aborted) controller.abort(signal.reason);
    },
    dispose() {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    },
  };
}

const factsOf = ({ attempt, mode, task }: Run) => ({ attempt, mode, task });

/** Shows each phase of the thread once, below the attempt; saving goes on here, and has a span around it. */
function phaseSpans({ run, span }: Pick<Attempt, "run" | "span">) {
  const show = pastSpans();
  const phases = ["load", "fit", "evaluate"] as const;
  const shown = new Set<string>();
  const nowMs = (): number => performance.timeOrigin + performance.now();
  let sinceMs = nowMs();
  let knownRows: number | undefined;
  return {
    over({ name, startedMs, endedMs, rows }: ThreadPhase): void {
      if (name === "save" || shown.has(name)) return;
      shown.add(name);
      sinceMs = endedMs;
      knownRows = rows;
      describeSpan(span, { rows });
      show(`training ${name}`, { ...factsOf(run), rows }, startedMs, endedMs);
    },
    /** The thread has ended in the middle of a phase. */
    brokenOff(): void {
      const name = phases.find((phase) => !shown.has(phase));
      const facts = { ...factsOf(run), rows: knownRows, outcome: "unfinished" };
      if (name !== undefined) show(`training ${name}`, facts, sinceMs, nowMs());
    },
  };
}

/** Starts taking runs, with as many threads as TRAINING_CONCURRENCY. */
export async function startTrainingWorker(parts: TrainingWorkerParts): Promise<TrainingWorker> {
  const { store, storage, queue, config, clock, log } = parts;
  const { db } = store;
  const pool = new Piscina({
    filename: new URL("./training-thread.ts", import.meta.url).href,
    minThreads: 0,
    maxThreads: config.trainingConcurrency,
    idleTimeout: 60_000,
    // Threads inherit --import otherwise, and each would start an SDK of its own.
    execArgv: [],
    resourceLimits: threadLimits,
  });
  // Without a listener a fault of an idle thread would end the process; the pool replaces the thread.
  pool.on("error", (error) => log.warn({ err: error }, "training: a thread ended"));

  const inHand = new Map<string, Attempt>();
  let isReturning = false;

  function finished(
    run: Run,
    outcome: "succeeded" | "failed",
    startedMs: number,
    more: { errorType?: RunFault["type"]; relativeError?: number | undefined },
  ): void {
    const durationSeconds = (performance.now() - startedMs) / 1000;
    runFinished({ mode: run.mode, task: run.task, outcome, durationSeconds, ...more });
    log.info(
      {
        run_id: run.id,
        mode: run.mode,
        task: run.task,
        outcome,
        attempt: run.attempt,
        durationSeconds: Number(durationSeconds.toFixed(3)),
        code: run.error_code ?? undefined,
      },
      "training: a run ended",
    );
  }

  async function handle(job: QueuedJob): Promise<JobOutcome> {
    if (isReturning) throw new JobReturnedError("The service stops.");
    const started = await startAttempt(db, job.id, clock.nowMs(), activeTraceparent());
    if (started === undefined) return "done";
    const startedMs = performance.now();
    if (started === "exhausted") return endExhausted(job.id, startedMs);
    const { run } = started;
    log.info({ run_id: run.id, mode: run.mode, attempt: run.attempt }, "training: an attempt begins");
    if (started.isFirst) runStarted({ mode: run.mode, waitSeconds: (clock.nowMs() - run.created_at.getTime()) / 1000 });
    if (started.followsCrash) runRetried({ mode: run.mode });

    const links = started.earlierTraces.flatMap(linkTo);
    const ended = await withSpan(
      "training attempt",
      { ...factsOf(run), datasetId: run.dataset_id },
      (span) => takeInHand(job, { run, startedMs, span }),
      { links },
    );
    if (ended instanceof JobReturnedError) throw ended;
    return ended === "failed" ? "failed" : "done";
  }

  async function takeInHand(job: QueuedJob, begun: Pick<Attempt, "run" | "startedMs" | "span">): Promise<AttemptEnd> {
    const controller = new AbortController();
    const attempt: Attempt = { ...begun, signal: controller.signal, end: (reason) => controller.abort(reason) };
    const onClaimLost = () => attempt.end("lost");
    job.signal.addEventListener("abort", onClaimLost, { once: true });
    inHand.set(attempt.run.id, attempt);
    try {
      const ended = await runAttempt(attempt);
      describeSpan(attempt.span, { outcome: ended instanceof JobReturnedError ? "returned" : ended });
      return ended;
    } finally {
      inHand.delete(attempt.run.id);
      job.signal.removeEventListener("abort", onClaimLost);
    }
  }

  /** The last attempt's process died, and there is no further one. */
  async function endExhausted(id: string, startedMs: number): Promise<JobOutcome> {
    const left = await db
      .selectFrom("training_runs")
      .select(["id", "attempt", "mode", "task"])
      .where("id", "=", id)
      .executeTakeFirst();
    const failed = left && (await endLostRun(db, left, crashFault, clock.nowMs()));
    if (failed) finished(failed, "failed", startedMs, { errorType: crashFault.type });
    return "failed";
  }

  async function runAttempt(attempt: Attempt): Promise<AttemptEnd> {
    const { run } = attempt;
    const modelPath = storage.temporaryPath(`model-${run.id}-${run.attempt}`);
    try {
      const result = await train(attempt, modelPath);
      if ("dataError" in result) return await settleFault(attempt, { type: "data", ...result.dataError });
      const saving = result.phases.find(({ name }) => name === "save");
      const facts = { ...factsOf(run), rows: saving?.rows };
      const startedMs = saving?.startedMs;
      return await withSpan("training save", facts, () => keepModel(attempt, modelPath, result), { startedMs });
    } catch (error) {
      if (!attempt.signal.aborted) {
        const fault = classifyFault(error);
        log.warn({ err: error, run_id: run.id, attempt: run.attempt, code: fault.code }, "training: an attempt failed");
        return await settleFault(attempt, fault);
      }
      switch (attempt.signal.reason as AbortReason) {
        case "timeout":
          log.warn({ run_id: run.id, mode: run.mode }, "training: a run took longer than TRAINING_TIMEOUT_SECONDS");
          return await settleFault(attempt, timeoutFault(config.trainingTimeoutSeconds));
        case "shutdown":
          // An attempt that we broke off ourselves doesn't count.
          await returnToQueue(db, run.id, run.attempt, run.attempt - 1);
          return new JobReturnedError("The service stops.");
        case "lost":
          log.info(
            { run_id: run.id, attempt: run.attempt },
            "training: an attempt ends: its run was cancelled or taken over",
          );
          return await whyNotOurs(run);
      }
    } finally {
      await storage.discard(modelPath);
    }
  }

  /** Of a run that is no longer the attempt's. Only a word in a span: a database that is away must not make it a fault. */
  async function whyNotOurs(run: Run): Promise<"cancelled" | "lost"> {
    const status = await readStatus(db, run.id).catch(() => undefined);
    return status === "cancelled" ? "cancelled" : "lost";
  }

  async function settleFault(attempt: Attempt, fault: RunFault): Promise<AttemptEnd> {
    const { run, startedMs } = attempt;
    failSpan(attempt.span, fault);
    if (afterFault(run.attempt, fault).status === "queued") {
      if (!(await returnToQueue(db, run.id, run.attempt, run.attempt))) return whyNotOurs(run);
      runRetried({ mode: run.mode });
      // The run's row waits already.
      return new JobReturnedError(fault.code);
    }
    const failed = await markFailed(db, run.id, run.attempt, fault, clock.nowMs());
    if (failed === undefined) return whyNotOurs(run);
    finished(failed, "failed", startedMs, { errorType: fault.type });
    return "failed";
  }

  /** Runs the thread until it answers, the time is over, or the run is no longer ours. */
  async function train(attempt: Attempt, modelPath: string): Promise<ThreadResult> {
    const { run, signal } = attempt;
    const dataset = await db.transaction().execute((tx) => findDatasetForTraining(tx, run.owner, run.dataset_id));
    if (dataset === undefined)
      return {
        phases: [],
        dataError: { code: "DATASET_NOT_FOUND" as never, message: "The dataset is not there any more." },
      };
    const { port1, port2 } = new MessageChannel();
    let progress = 0;
    const killing = killAfterLoading(signal);
    const phases = phaseSpans(attempt);
    port1.on("message", (message: ThreadProgress) => {
      progress = message.progress;
      killing.allow();
      if (message.over !== undefined) phases.over(message.over);
    });
    const timeout = setTimeout(
      () => attempt.end("timeout"),
      Math.min(config.trainingTimeoutSeconds * 1000, 2_147_000_000),
    );
    const watching = new AbortController();
    const watched = watch(attempt, () => progress, watching.signal);
    try {
      await using csv = await storage.localFile("dataset", keptFileOf(dataset), signal);
      const task: ThreadTask = {
        csvPath: csv.path,
        columns: dataset.columns,
        target: run.target,
        task: run.task,
        features: run.features ?? undefined,
        mode: run.mode,
        parameters: run.parameters,
        modelPath,
        progressPort: port2,
      };
      const result: ThreadResult = await pool.run(task, { signal: killing.signal, transferList: [port2] });
      for (const phase of result.phases) phases.over(phase);
      if ("dataError" in result) phases.brokenOff();
      return result;
    } catch (error) {
      phases.brokenOff();
      throw error;
    } finally {
      clearTimeout(timeout);
      killing.dispose();
      port1.close();
      watching.abort();
      // Before the run's end is written: a late progress would wait for the same row.
      await watched;
    }
  }

  /** Writes progress at most twice a second, and ends the attempt when its run belongs to nobody or somebody else. */
  async function watch(attempt: Attempt, progressNow: () => number, until: AbortSignal): Promise<void> {
    const { run } = attempt;
    let written = 0;
    let isSilent = false;
    while (!until.aborted && !attempt.signal.aborted) {
      await delay(Math.min(progressWriteMs, ownershipCheckMs), undefined, { signal: until }).catch(() => {
        // Aborted: the loop's condition ends it.
      });
      if (until.aborted) return;
      const progress = progressNow();
      try {
        // A trace of ten minutes would have 2,400 of these.
        const isOurs = await outsideOfTraces(() =>
          progress > written
            ? saveProgress(db, run.id, run.attempt, progress)
            : isRunningAttempt(db, run.id, run.attempt),
        );
        written = Math.max(written, progress);
        if (!isOurs) attempt.end("lost");
        isSilent = false;
      } catch (error) {
        // The training goes on; its end is guarded by the same condition. One line tells of an outage, not two a second.
        if (!isSilent) log.warn({ err: error, run_id: run.id }, "training: progress could not be written");
        isSilent = true;
      }
    }
  }

  /** File first, then artifact and state in one transaction, only if the run is still this attempt's. */
  async function keepModel(attempt: Attempt, modelPath: string, result: ModelResult): Promise<AttemptEnd> {
    const { run, startedMs } = attempt;
    const artifactId = uuidv7();
    const metrics = { ...result.metrics, droppedColumns: result.droppedColumns };
    const { sizeBytes, sha256 } = result;
    await storage.keep(modelPath, "artifact", { id: artifactId, sizeBytes, sha256 });
    const isKept = await commitModel(run, artifactId, metrics, result).catch(async (error) => {
      // Only the answer may be lost; while nobody knows, the file stays for the run or for the sweep of orphans.
      if (!mayStand(error)) await storage.remove("artifact", artifactId);
      else if (await hasArtifact(db, run.id, artifactId)) return true;
      throw error;
    });
    if (!isKept) {
      await storage.remove("artifact", artifactId);
      return whyNotOurs(run);
    }
    finished(run, "succeeded", startedMs, { relativeError: result.metrics.relativeError });
    try {
      await applyRetention({ db, storage, config, clock, log }, run.owner);
    } catch (error) {
      log.warn(
        { err: error, owner: run.owner },
        "training: retention failed; the next model of this owner tries again",
      );
    }
    return "succeeded";
  }

  function commitModel(
    run: Run,
    artifactId: string,
    metrics: Record<string, unknown>,
    { sizeBytes, sha256 }: ModelResult,
  ): Promise<boolean> {
    const nowMs = clock.nowMs();
    return inTransaction(db, async (tx) => {
      const succeeded = await markSucceeded(tx, { id: run.id, attempt: run.attempt, metrics, artifactId, nowMs });
      if (succeeded === undefined) return false;
      await insertArtifact(tx, {
        id: artifactId,
        owner: run.owner,
        runId: run.id,
        datasetId: run.dataset_id,
        mode: run.mode,
        task: run.task,
        target: run.target,
        metrics,
        sizeBytes,
        sha256,
        createdAt: new Date(nowMs),
      });
      return true;
    });
  }

  async function reconcileUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(reconcileMs, undefined, { signal }).catch(() => {
        // Aborted: the loop's condition ends it.
      });
      if (signal.aborted) return;
      await reconcileRuns({ db, queue, clock, log }).catch((error) => {
        log.warn({ err: error }, "training: rows and jobs could not be compared; the next round tries again");
      });
    }
  }

  await using starting = new AsyncDisposableStack();
  starting.defer(() => pool.destroy());
  await reconcileRuns({ db, queue, clock, log });
  const stopListening = await store.listen(runsChannel, (payload) => {
    const { id, isCancelled } = readRunNotification(payload);
    if (isCancelled) inHand.get(id)?.end("lost");
  });
  starting.defer(stopListening);
  const stopTaking = await queue.work("training", { concurrency: config.trainingConcurrency }, handle);
  const running = starting.move();
  const reconciling = new AbortController();
  const reconciled = reconcileUntil(reconciling.signal);

  async function stop(graceSeconds: number): Promise<void> {
    const stopped = stopTaking();
    const graceEnd = new AbortController();
    const returned = delay(graceSeconds * 1000, undefined, { signal: graceEnd.signal }).then(
      () => {
        isReturning = true;
        for (const attempt of inHand.values()) attempt.end("shutdown");
      },
      () => {
        // Everything ended within the grace.
      },
    );
    try {
      await stopped;
    } finally {
      graceEnd.abort();
      await returned;
      reconciling.abort();
      await reconciled;
      await running.disposeAsync();
    }
  }

  let stopping: Promise<void> | undefined;
  return {
    slots: () => ({ busy: inHand.size, idle: Math.max(0, config.trainingConcurrency - inHand.size) }),
    stop: (graceSeconds) => (stopping ??= stop(graceSeconds)),
  };
}
