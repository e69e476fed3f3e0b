import type { ExpressionBuilder, Kysely } from "kysely";
import type { KeptFile } from "../../storage/file-storage.ts";
import type { DatasetsTable, Tables } from "../../store/schema.ts";
import type { Dataset } from "../kept/dataset-repository.ts";

// The statements about typed copies; src/storage/forget-typed.ts has the one that ends one.

/** The typed copy of a dataset, as the storage takes it; undefined where there is none. */
export function typedFileOf({
  typed_id: id,
  typed_bytes: sizeBytes,
  typed_sha256: sha256,
}: Pick<Dataset, "typed_id" | "typed_bytes" | "typed_sha256">): KeptFile | undefined {
  return id === null || sizeBytes === null || sha256 === null ? undefined : { id, sizeBytes, sha256 };
}

/** It lives, its copy is wanted, and its table was not corrected since the copy was begun. */
const isStillWanted =
  ({ id, reading }: Pick<Dataset, "id" | "reading">) =>
  (row: ExpressionBuilder<{ datasets: DatasetsTable }, "datasets">) =>
    row.and([
      row("id", "=", id),
      row("deleting_at", "is", null),
      row("typed_wanted", "=", true),
      row("reading", "=", reading),
    ]);

/** @returns false where nobody wants it any more: the file is the caller's to remove */
export async function setTyped(
  tx: Kysely<Tables>,
  dataset: Dataset,
  { id, sizeBytes, sha256 }: KeptFile,
): Promise<boolean> {
  const row = await tx
    .updateTable("datasets")
    .set({ typed_id: id, typed_bytes: sizeBytes, typed_sha256: sha256, typed_wanted: false })
    .where(isStillWanted(dataset))
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

/** There can't be one: it is not tried again. */
export async function unwantTyped(db: Kysely<Tables>, dataset: Dataset): Promise<void> {
  await db.updateTable("datasets").set({ typed_wanted: false }).where(isStillWanted(dataset)).execute();
}
