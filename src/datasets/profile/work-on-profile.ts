import { DomainError } from "../../errors.ts";
import { type JobOutcome, JobReturnedError } from "../../queue/job-queue.ts";
import type { ProfileFault } from "../../store/schema.ts";
import { afterProfileFault, profileCrash } from "./after-profile-fault.ts";
import { type ProfileParts, profileDataset } from "./profile-dataset.ts";
import { beginProfile, giveUpProfile, uncountProfile } from "./profile-repository.ts";

/**
 * The job of a profile. Attempts are counted on the dataset's row when they begin, so that one which ends its process is
 * bounded too; when they are used up the row says why there is no profile.
 * @param signal ends it in the middle
 * @throws JobReturnedError when it shall be tried again
 */
export async function workOnProfile(parts: ProfileParts, datasetId: string, signal: AbortSignal): Promise<JobOutcome> {
  const { db, log } = parts;
  const attempt = await beginProfile(db, datasetId);
  if (attempt === undefined) return "done";
  const { attempts } = attempt;
  const giveUp = async (fault: ProfileFault, error?: unknown): Promise<JobOutcome> => {
    await giveUpProfile(db, attempt, fault);
    log.warn({ err: error, datasetId, code: fault.code }, "a dataset's profile can't be made, and is given up");
    return "failed";
  };
  const crash = profileCrash(attempts);
  if (crash !== undefined) return giveUp(crash);
  try {
    await profileDataset(parts, datasetId, signal);
    return "done";
  } catch (error) {
    const next = afterProfileFault(attempts, error);
    if (typeof next === "object") return giveUp(next, error);
    // Ended by our own stop it is made by whoever takes the job next, which is no fault.
    if (!signal.aborted && !(error instanceof DomainError && error.code === "NOT_READY"))
      log.warn({ err: error, datasetId }, "a dataset's profile could not be made; it is tried again");
    if (next === "uncounted")
      await uncountProfile(db, datasetId).catch((fault: unknown) => {
        // The database is away itself: then it counts as one death of a process, of which it has many.
        log.warn({ err: fault, datasetId }, "an attempt that doesn't count could not be taken back");
      });
    throw new JobReturnedError("The profile could not be made.", { cause: error });
  }
}
