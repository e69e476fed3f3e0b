import type { Logger } from "../../log.ts";
import type { JobQueue } from "../../queue/job-queue.ts";
import { isOver, sendMissingJob } from "../../queue/send-missing-job.ts";
import type { Store } from "../../store/database.ts";
import { isUnprofiled, listUnprofiled } from "./profile-repository.ts";

/** In one round; the rest follows when these have theirs. */
const mostAtOnce = 500;

/** Gives a job to each dataset that needs a profile or a typed copy and whose job has ended without it. */
export async function reconcileProfiles(parts: {
  readonly db: Store["db"];
  readonly queue: JobQueue;
  readonly log: Logger;
}): Promise<void> {
  const ids = await listUnprofiled(parts.db, mostAtOnce);
  const states = await parts.queue.states("dataset-profile", ids);
  for (const id of ids) {
    const state = states.get(id);
    if (!isOver(state)) continue;
    const job = { id, data: { datasetId: id } };
    if (await sendMissingJob(parts, "dataset-profile", job, (tx) => isUnprofiled(tx, id)))
      parts.log.warn(
        { datasetId: id, jobState: state ?? "gone" },
        "a dataset without its profile or typed copy was given a job again",
      );
  }
}
