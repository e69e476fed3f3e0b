import type { Kysely } from "kysely";
import type { Store } from "../store/database.ts";
import type { Tables } from "../store/schema.ts";
import type { JobQueue, JobState } from "./job-queue.ts";
import type { queuesOfRows } from "./queue-tables.ts";

/** Whether a job in that state does nothing any more; undefined: it is gone. */
export const isOver = (state: JobState | undefined): boolean =>
  state === undefined || state === "completed" || state === "cancelled" || state === "failed";

/**
 * Sends the job of a row anew whose own has ended without doing its work: the queue gave it up, or lost it.
 * @returns whether the row still needed it
 */
export function sendMissingJob(
  { db, queue }: { readonly db: Store["db"]; readonly queue: Pick<JobQueue, "renew"> },
  name: (typeof queuesOfRows)[number],
  job: { readonly id: string; readonly data: Record<string, unknown>; readonly priority?: number },
  isNeeded: (tx: Kysely<Tables>) => Promise<boolean>,
): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    if (!(await isNeeded(tx))) return false;
    await queue.renew(name, job, tx);
    return true;
  });
}
