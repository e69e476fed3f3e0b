import type { Kysely } from "kysely";
import type { Logger } from "../../log.ts";
import type { FileStorage } from "../../storage/file-storage.ts";
import { forgetLostTyped } from "../../storage/forget-typed.ts";
import { isFileMissing } from "../../storage/storage-fault.ts";
import type { Tables } from "../../store/schema.ts";
import { isOutOfMemory } from "../../tables/csv-engine.ts";
import type { Dataset } from "../kept/dataset-repository.ts";
import { typedFileOf } from "./typed-repository.ts";

/** What reading a typed copy needs. */
export interface TypedReadingParts {
  readonly db: Kysely<Tables>;
  readonly storage: FileStorage;
  readonly log: Logger;
}

/**
 * Works on the typed copy of a dataset, where there is one. One that is missing or can't be read is forgotten and made again.
 * @param isUnreadable whether a fault of the work is one of reading the copy
 * @returns undefined where the file that was sent is to be read instead
 * @throws what the work throws otherwise, and the storage
 */
export async function onTypedCopy<Value extends object>(
  { db, storage, log }: TypedReadingParts,
  dataset: Pick<Dataset, "typed_id" | "typed_bytes" | "typed_sha256">,
  { signal, isUnreadable }: { readonly signal: AbortSignal; readonly isUnreadable: (error: unknown) => boolean },
  work: (path: string) => Promise<Value>,
): Promise<Value | undefined> {
  const typed = typedFileOf(dataset);
  if (typed === undefined) return undefined;
  try {
    await using file = await storage.localFile("typed", typed, signal);
    return await work(file.path);
  } catch (error) {
    signal.throwIfAborted();
    if (!isFileMissing(error) && !isUnreadable(error)) throw error;
    // The same copy would need as much again.
    if (!isOutOfMemory(error)) await forgetLostTyped({ db, log }, typed.id, error);
    return undefined;
  }
}
