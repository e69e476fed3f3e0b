import type { Kysely } from "kysely";
import type { Logger } from "../log.ts";
import type { Tables } from "../store/schema.ts";
import type { FileKind, FileStorage } from "./file-storage.ts";

/** What finishing a removal needs. */
export interface RemovalStores {
  readonly db: Kysely<Tables>;
  readonly storage: FileStorage;
}

/** The table whose rows own the files of a kind. */
export const tableOf = { dataset: "datasets", artifact: "artifacts" } as const satisfies Record<FileKind, keyof Tables>;

/** Second half of a removal, after its row was marked: the file, then the row. @returns whether there was a file */
export async function finishRemoval({ db, storage }: RemovalStores, kind: FileKind, id: string): Promise<boolean> {
  const hadFile = await storage.remove(kind, id);
  await db.deleteFrom(tableOf[kind]).where("id", "=", id).where("deleting_at", "is not", null).execute();
  return hadFile;
}

/**
 * Finishes what a crash left half removed. One that can't be removed stops neither the others nor a start: the log names
 * it, and the next round tries again.
 * @param markedBefore younger marks may be somebody's removal in hand; absent: all
 */
export async function finishRemovals(
  stores: RemovalStores & { readonly log: Logger },
  kind: FileKind,
  markedBefore?: Date,
): Promise<void> {
  let query = stores.db.selectFrom(tableOf[kind]).select("id").where("deleting_at", "is not", null);
  if (markedBefore !== undefined) query = query.where("deleting_at", "<=", markedBefore);
  for (const { id } of await query.execute()) {
    try {
      await finishRemoval(stores, kind, id);
    } catch (error) {
      stores.log.warn({ err: error, kind, fileId: id }, "a half removed file could not be removed; it is tried again");
    }
  }
}
