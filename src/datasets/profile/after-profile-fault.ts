import { DomainError, isSystemError } from "../../errors.ts";
import { isOutage } from "../../outage.ts";
import type { ProfileFault } from "../../store/schema.ts";

/** A profile that can't be made is tried that often. */
const maxAttempts = 3;

/**
 * So often may a process die over a profile. More than above: whoever ends a process, nobody can tell afterwards, and most
 * often it is not the profile. But one that does must end at some time.
 */
const maxDeaths = 10;

/** The fault of a profile whose process died too often; undefined: it may be tried. */
export function profileCrash(attempts: number): ProfileFault | undefined {
  if (attempts <= maxDeaths) return undefined;
  return {
    code: "PROFILE_CRASHED",
    message: `The process that made the profile ended unexpectedly, ${maxDeaths} times. Trainings don't need it; upload the file again to have it tried anew.`,
  };
}

/**
 * What follows a fault: another attempt (`again`), one that takes the place of this (`uncounted`), or the end. What comes
 * from outside, or will have room at another time, does not count.
 * @param attempts so far, this one included
 */
export function afterProfileFault(attempts: number, error: unknown): "again" | "uncounted" | ProfileFault {
  const isFull = ["ENOSPC", "EDQUOT", "EMFILE", "ENFILE"].some((code) => isSystemError(error, code));
  // The service stops, or others were before it.
  const isNoneOfItsOwn = error instanceof DomainError && (error.code === "NOT_READY" || error.code === "CHECKS_BUSY");
  if (isOutage(error) || isFull || isNoneOfItsOwn) return "uncounted";
  // Its words are for the owner, and it would be the same the next time.
  if (error instanceof DomainError) return { code: error.code, message: error.message };
  if (attempts < maxAttempts) return "again";
  return {
    code: "PROFILE_FAILED",
    message: `The profile could not be made, ${attempts} times. Trainings don't need it; upload the file again to have it tried anew.`,
  };
}
