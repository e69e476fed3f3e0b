import type { Kysely } from "kysely";
import type { Clock } from "../clock.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import type { Tables } from "../store/schema.ts";
import { deleteDatasetRow, markDatasetDeleting } from "./dataset-repository.ts";

/** What removing a dataset needs. */
export interface RemovalParts {
  readonly db: Kysely<Tables>;
  readonly storage: FileStorage;
  readonly clock: Clock;
}

/** Second half of a removal: the file, then the row. @returns whether there was a file */
export async function finishRemoval({ db, storage }: RemovalParts, id: string): Promise<boolean> {
  const hadFile = await storage.remove("dataset", id);
  await deleteDatasetRow(db, id);
  return hadFile;
}

/** Marks the row, removes the file, then the row: a crash between is finished by the next TTL cycle. */
export async function removeDataset(
  parts: RemovalParts,
  id: string,
): Promise<"removed" | "removed without file" | "in use" | "gone"> {
  const marked = await markDatasetDeleting(parts.db, id, new Date(parts.clock.nowMs()));
  if (marked !== "marked") return marked;
  return (await finishRemoval(parts, id)) ? "removed" : "removed without file";
}
