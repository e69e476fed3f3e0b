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
 * Finishes what a crash or an outage left half removed, datasets and models. One that can't be removed stops neither the
 * others nor a start: the log names it, and the next round tries again.
 * @param markedBefore younger marks may be somebody's removal in hand
 */
export async function finishRemovals(
  stores: RemovalStores & { readonly log: Logger },
  markedBefore: Date,
): Promise<void> {
  for (const kind of ["dataset", "artifact"] as const) {
    const half = await stores.db
      .selectFrom(tableOf[kind])
      .select("id")
      .where("deleting_at", "<=", markedBefore)
      .execute();
    for (const { id } of half) {
      try {
        await finishRemoval(stores, kind, id);
      } catch (error) {
        stores.log.warn(
          { err: error, kind, fileId: id },
          "a half removed file could not be removed; it is tried again",
        );
      }
    }
  }
}
