import { setTimeout as delay } from "node:timers/promises";
import { applyRetention } from "../artifacts/retention.ts";
import { backoffMs } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import { type RunFinished, runFinished, runRetried, runStarted } from "../monitoring/metrics.ts";
import { describeSpan, failSpan, withSpan } from "../monitoring/spans.ts";
import { isOutage } from "../outage.ts";
import { type JobOutcome, type JobQueue, JobReturnedError, type QueuedJob } from "../queue/job-queue.ts";
import { activeTraceparent, linkTo } from "../queue/job-trace.ts";
import type { Config } from "../settings/config.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import type { Store } from "../store/database.ts";
import { endLostRun } from "./end-lost-run.ts";
import { keepModel } from "./keep-model.ts";
import {
  afterFault,
  classifyFault,
  countedAttempts,
  crashFault,
  type RunFault,
  timeoutFault,
} from "./run-lifecycle.ts";
import {
  interruptAttempt,
  markFailed,
  type Run,
  readRunNotification,
  readStatus,
  returnToQueue,
  runsChannel,
  startAttempt,
} from "./run-repository.ts";
import { type AbortReason, type Attempt, factsOf, trainInProcess } from "./train-in-process.ts";

/** Trains runs of the queue, each in a process of its own. */
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

/** How an attempt ended; an error is what its job is given back with. */
type AttemptEnd = "succeeded" | "failed" | "cancelled" | "lost" | JobReturnedError;

const outagePauseMs = 500;
const longestOutagePauseMs = 60_000;

/** Starts taking runs, as many at once as TRAINING_CONCURRENCY. */
export async function startTrainingWorker(parts: TrainingWorkerParts): Promise<TrainingWorker> {
  const { store, storage, queue, config, clock, log } = parts;
  const { db } = store;
  // Not by run: one that was taken for dead may be here twice, for the moment until its first attempt hears of it.
  const inHand = new Set<Attempt>();
  let isReturning = false;

  function finished(
    run: Run,
    outcome: "succeeded" | "failed",
    startedMs: number,
    more: Pick<RunFinished, "errorType" | "model">,
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
    const attempt: Attempt = {
      ...begun,
      signal: controller.signal,
      end: (reason) => controller.abort(reason),
      hasSeenOutage: false,
    };
    const onClaimLost = () => attempt.end("lost");
    job.signal.addEventListener("abort", onClaimLost, { once: true });
    inHand.add(attempt);
    // Begun while the grace ended: nobody else would end it.
    if (isReturning) attempt.end("shutdown");
    try {
      const ended = await runAttempt(attempt);
      describeSpan(attempt.span, { outcome: ended instanceof JobReturnedError ? "returned" : ended });
      return ended;
    } finally {
      inHand.delete(attempt);
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
      const result = await trainInProcess({ db, storage, config, log }, attempt, modelPath);
      if ("dataError" in result) return await settleFault(attempt, { type: "data", ...result.dataError });
      const saving = result.phases.find(({ name }) => name === "save");
      const facts = { ...factsOf(run), rows: saving?.rows };
      const startedMs = saving?.startedMs;
      const keep = async (): Promise<AttemptEnd> =>
        (await keepModel({ db, storage, clock }, run, modelPath, result))
          ? settleSuccess(attempt, { mode: result.mode, relativeError: result.metrics.relativeError })
          : whyNotOurs(run);
      return await withSpan("training save", facts, keep, { startedMs });
    } catch (error) {
      if (!attempt.signal.aborted) {
        if (isOutage(error)) return await interrupt(attempt, error);
        const fault = classifyFault(error, config.trainingMemoryBytes);
        log.warn({ err: error, run_id: run.id, attempt: run.attempt, code: fault.code }, "training: an attempt failed");
        return await settleFault(attempt, fault);
      }
      switch (attempt.signal.reason as AbortReason) {
        case "timeout":
          log.warn({ run_id: run.id, mode: run.mode }, "training: a run took longer than TRAINING_TIMEOUT_SECONDS");
          return await settleFault(attempt, timeoutFault(config.trainingTimeoutSeconds));
        case "shutdown":
          // An attempt that we broke off ourselves doesn't count.
          await interruptAttempt(db, run.id, run.attempt);
          return new JobReturnedError("The service stops.");
        case "lost":
          log.info(
            { run_id: run.id, attempt: run.attempt },
            "training: an attempt ends: its run was cancelled or taken over",
          );
          // Taken for dead because nobody could reach the database: so it was counted, and should not be.
          if (attempt.hasSeenOutage) await interruptAttempt(db, run.id, run.attempt);
          return await whyNotOurs(run);
      }
    } finally {
      await storage.discard(modelPath);
    }
  }

  async function settleSuccess({ run, startedMs }: Attempt, model: RunFinished["model"]): Promise<AttemptEnd> {
    finished(run, "succeeded", startedMs, { model });
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

  /** Of a run that is no longer the attempt's. Only a word in a span: a database that is away must not make it a fault. */
  async function whyNotOurs(run: Run): Promise<"cancelled" | "lost"> {
    const status = await readStatus(db, run.id).catch(() => undefined);
    return status === "cancelled" ? "cancelled" : "lost";
  }

  /** An outage doesn't count as an attempt. The row hears of it as soon as the database answers again. */
  async function interrupt({ run }: Attempt, outage: unknown): Promise<JobReturnedError> {
    log.warn({ err: outage, run_id: run.id, attempt: run.attempt }, "training: an outage ended an attempt");
    while (!isReturning) {
      try {
        await interruptAttempt(db, run.id, run.attempt);
        break;
      } catch (error) {
        if (!isOutage(error)) throw error;
        await delay(outagePauseMs);
      }
    }
    // What can be read and not written, such as a bucket without the right, would have it trained each second for ever.
    const goesOnMs = performance.now() + backoffMs(run.interruptions, outagePauseMs, longestOutagePauseMs);
    while (!isReturning && performance.now() < goesOnMs) await delay(outagePauseMs / 2);
    return new JobReturnedError("An outage ended the attempt.");
  }

  async function settleFault(attempt: Attempt, fault: RunFault): Promise<AttemptEnd> {
    const { run, startedMs } = attempt;
    failSpan(attempt.span, fault);
    if (afterFault(countedAttempts(run), fault).status === "queued") {
      if (!(await returnToQueue(db, run.id, run.attempt))) return whyNotOurs(run);
      runRetried({ mode: run.mode });
      // The run's row waits already.
      return new JobReturnedError(fault.code);
    }
    const failed = await markFailed(db, run.id, run.attempt, fault, clock.nowMs());
    if (failed === undefined) return whyNotOurs(run);
    finished(failed, "failed", startedMs, { errorType: fault.type });
    return "failed";
  }

  await using starting = new AsyncDisposableStack();
  const stopListening = await store.listen(runsChannel, (payload) => {
    const { id, isCancelled } = readRunNotification(payload);
    for (const attempt of inHand) if (isCancelled && attempt.run.id === id) attempt.end("lost");
  });
  starting.defer(stopListening);
  const stopTaking = await queue.work("training", { concurrency: config.trainingConcurrency }, handle);
  const running = starting.move();

  async function stop(graceSeconds: number): Promise<void> {
    const stopped = stopTaking();
    const graceEnd = new AbortController();
    const returned = delay(graceSeconds * 1000, undefined, { signal: graceEnd.signal }).then(
      () => {
        isReturning = true;
        for (const attempt of inHand) attempt.end("shutdown");
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
      await running.disposeAsync();
    }
  }

  let stopping: Promise<void> | undefined;
  return {
    slots: () => ({ busy: inHand.size, idle: Math.max(0, config.trainingConcurrency - inHand.size) }),
    stop: (graceSeconds) => (stopping ??= stop(graceSeconds)),
  };
}
