import type { Kysely } from "kysely";
import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import { runFinished, runRetried } from "../monitoring/metrics.ts";
import { inNewTrace } from "../monitoring/spans.ts";
import type { JobQueue } from "../queue/job-queue.ts";
import type { Tables } from "../store/schema.ts";
import { endLostRun } from "./end-lost-run.ts";
import { crashFault, lostFault, MAX_ATTEMPTS } from "./run-lifecycle.ts";
import { listUnfinishedRuns, returnToQueue } from "./run-repository.ts";

/**
 * Brings rows in line with their jobs after a process died: a run that is tried again waits again, and one whose job
 * has ended without ending the run fails. Rows are read before jobs and every update is guarded by what was read, so
 * that a worker which is quicker wins and each end is counted once.
 */
export async function reconcileRuns({
  db,
  queue,
  clock,
  log,
}: {
  readonly db: Kysely<Tables>;
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<void> {
  const runs = await listUnfinishedRuns(db);
  const states = await queue.states(
    "training",
    runs.map(({ id }) => id),
  );
  for (const { id, status, attempt, mode, task, started_at } of runs) {
    const state = states.get(id);
    const isLost = state === undefined || state === "failed" || state === "cancelled" || state === "completed";
    const isInterrupted = state === "retry" && status === "running";
    if (isInterrupted && attempt < MAX_ATTEMPTS) {
      if (!(await returnToQueue(db, id, attempt, attempt))) continue;
      runRetried({ mode });
      log.warn({ run_id: id, attempt }, "training: the process of a run has died; it waits for another attempt");
    } else if (isLost || isInterrupted) {
      const fault = attempt === 0 ? lostFault : crashFault;
      const failed = await inNewTrace(id, () => endLostRun(db, { id, attempt, mode, task }, fault, clock.nowMs()));
      if (failed === undefined) continue;
      const durationSeconds = started_at === null ? 0 : Math.max(0, (clock.nowMs() - started_at.getTime()) / 1000);
      runFinished({ mode, task, outcome: "failed", durationSeconds, errorType: fault.type });
      log.warn(
        { run_id: id, attempt, jobState: state ?? "gone" },
        "training: a run without a living job was ended as failed",
      );
    }
  }
}
