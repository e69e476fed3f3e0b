import type { Kysely } from "kysely";
import type { Logger } from "../log.ts";
import type { Tables } from "../store/schema.ts";

/**
 * Forgets the typed copy of a dataset and has it made again, by the job of the profile: for whoever changes how its table is
 * read, in the same transaction. Its file is an orphan from then on, which the sweep removes.
 * @param by which of the two ids it is
 * @returns the datasets that had it
 */
export async function forgetTyped(tx: Kysely<Tables>, by: "id" | "typed_id", id: string): Promise<string[]> {
  const rows = await tx
    .updateTable("datasets")
    .set({ typed_id: null, typed_bytes: null, typed_sha256: null, typed_wanted: true })
    .where(by, "=", id)
    .returning("id")
    .execute();
  return rows.map((row) => row.id);
}

/** The same of one that is missing or can't be read; until it is made again the file that was sent is read. */
export async function forgetLostTyped(
  { db, log }: { readonly db: Kysely<Tables>; readonly log: Logger },
  typedId: string,
  error?: unknown,
): Promise<void> {
  const [datasetId] = await forgetTyped(db, "typed_id", typedId);
  if (datasetId !== undefined)
    log.warn({ err: error, datasetId }, "the typed copy of a dataset is missing or damaged, and is made again");
}
