import { DomainError, isSystemError } from "../errors.ts";

/** Why the storage can't be used, in one line that names the setting to look at; never with a secret. */
export class StorageFault extends Error {
  /** What the storage calls it, e.g. `NoSuchBucket`. */
  readonly reason: string;
  constructor(line: string, reason: string) {
    super(line);
    this.name = "StorageFault";
    this.reason = reason;
  }
}

/** To the caller it is one fault; the reason is for the log. */
export function storageUnavailable(fault: StorageFault): DomainError {
  return new DomainError("STORAGE_UNAVAILABLE", "The storage of files does not answer. Try again in a few seconds.", {
    cause: fault,
    retryAfterSeconds: 5,
  });
}

/** A row whose file is gone. */
export function fileMissing(cause?: unknown): DomainError {
  return new DomainError("FILE_MISSING_IN_STORAGE", "The file is not where it should be.", { cause });
}

/** Whether a file was not there, found before it was opened or while it was. */
export function isFileMissing(error: unknown): boolean {
  return (error instanceof DomainError && error.code === "FILE_MISSING_IN_STORAGE") || isSystemError(error, "ENOENT");
}
