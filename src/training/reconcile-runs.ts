import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import { runFinished, runRetried } from "../monitoring/metrics.ts";
import { inNewTrace } from "../monitoring/spans.ts";
import type { JobQueue } from "../queue/job-queue.ts";
import { isOver, sendMissingJob } from "../queue/send-missing-job.ts";
import type { Store } from "../store/database.ts";
import { endLostRun } from "./end-lost-run.ts";
import { countedAttempts, crashFault, MAX_ATTEMPTS } from "./run-lifecycle.ts";
import { isWaiting, listUnfinishedRuns, returnToQueue } from "./run-repository.ts";

/**
 * Brings rows in line with their jobs: a run whose process died waits again, or fails when its attempts are used up, and
 * one that waits without a job gets one. Rows are read before jobs and every update is guarded by what was read, so that
 * a worker which is quicker wins and each end is counted once.
 */
export async function reconcileRuns(parts: {
  readonly db: Store["db"];
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<void> {
  const { db, queue, clock, log } = parts;
  const runs = await listUnfinishedRuns(db);
  const states = await queue.states(
    "training",
    runs.map(({ id }) => id),
  );
  for (const run of runs) {
    const { id, status, attempt, mode, task, started_at } = run;
    const state = states.get(id);
    const hasLostItsProcess = status === "running" && (state === "retry" || isOver(state));
    if (hasLostItsProcess && countedAttempts(run) >= MAX_ATTEMPTS) {
      const failed = await inNewTrace(id, () => endLostRun(db, { id, attempt, mode, task }, crashFault, clock.nowMs()));
      if (failed === undefined) continue;
      const durationSeconds = started_at === null ? 0 : Math.max(0, (clock.nowMs() - started_at.getTime()) / 1000);
      runFinished({ mode, task, outcome: "failed", durationSeconds, errorType: crashFault.type });
      log.warn(
        { run_id: id, attempt, jobState: state ?? "gone" },
        "training: a run whose process died each time was ended as failed",
      );
      continue;
    }
    if (hasLostItsProcess) {
      if (!(await returnToQueue(db, id, attempt))) continue;
      runRetried({ mode });
      log.warn({ run_id: id, attempt }, "training: the process of a run has died; it waits for another attempt");
    }
    if (!isOver(state)) continue;
    const job = { id, data: { runId: id }, priority: -run.turn };
    if (await sendMissingJob(parts, "training", job, (tx) => isWaiting(tx, id)))
      log.warn({ run_id: id, jobState: state ?? "gone" }, "training: a run without a living job was given one again");
  }
}
