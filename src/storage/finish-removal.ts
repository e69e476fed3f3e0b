import type { Kysely } from "kysely";
import type { Logger } from "../log.ts";
import type { Tables } from "../store/schema.ts";
import type { FileKind, FileStorage } from "./file-storage.ts";

/** What finishing a removal needs. */
export interface RemovalStores {
  readonly db: Kysely<Tables>;
  readonly storage: FileStorage;
}

/** Kinds of files whose rows go with them: a typed copy is its dataset's. */
export type RowKind = Exclude<FileKind, "typed">;

/** The table whose rows own the files of a kind. */
export const tableOf = { dataset: "datasets", typed: "datasets", artifact: "artifacts" } as const satisfies Record<
  FileKind,
  keyof Tables
>;

/** The columns in which they say so. */
export const columnsOf = {
  dataset: { id: "id", sizeBytes: "size_bytes", sha256: "sha256" },
  typed: { id: "typed_id", sizeBytes: "typed_bytes", sha256: "typed_sha256" },
  artifact: { id: "id", sizeBytes: "size_bytes", sha256: "sha256" },
} as const satisfies Record<FileKind, object>;

/** Second half of a removal, after its row was marked: its files, then the row. @returns whether what it is named for was there */
export async function finishRemoval({ db, storage }: RemovalStores, kind: RowKind, id: string): Promise<boolean> {
  if (kind === "dataset") await removeTyped({ db, storage }, id);
  const hadFile = await storage.remove(kind, id);
  await db.deleteFrom(tableOf[kind]).where("id", "=", id).where("deleting_at", "is not", null).execute();
  return hadFile;
}

/** A row that is marked is given no other one. */
async function removeTyped({ db, storage }: RemovalStores, datasetId: string): Promise<void> {
  const row = await db
    .selectFrom("datasets")
    .select("typed_id")
    .where("id", "=", datasetId)
    .where("deleting_at", "is not", null)
    .executeTakeFirst();
  if (row?.typed_id != null) await storage.remove("typed", row.typed_id);
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
