import { type Kysely, sql } from "kysely";
import type { SaidOfTable, Tables } from "../../store/schema.ts";
import type { CheckedCsv } from "../checks/check-csv.ts";
import { type Dataset, writtenColumns } from "../kept/dataset-repository.ts";

// The statements about correcting what a dataset was understood as.

/** Whether any training run has used the dataset, also one that is over: no run is ever removed. */
export async function hasRuns(db: Kysely<Tables>, id: string): Promise<boolean> {
  const row = await db
    .selectFrom("training_runs")
    .select(sql`1`.as("one"))
    .where("dataset_id", "=", id)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Holds the dataset until the transaction ends, against runs, corrections and removal. The row is locked first and the runs
 * looked at in a statement of their own: one that came while we waited for the lock is seen.
 * @returns its typed copy's id, where it is as it was read and no run has used it
 */
export async function holdUnused(
  tx: Kysely<Tables>,
  { id, reading }: Pick<Dataset, "id" | "reading">,
): Promise<Pick<Dataset, "typed_id"> | undefined> {
  const held = await tx
    .selectFrom("datasets")
    .select(["reading", "typed_id"])
    .where("id", "=", id)
    .where("deleting_at", "is", null)
    .forUpdate()
    .executeTakeFirst();
  return held?.reading === reading && !(await hasRuns(tx, id)) ? held : undefined;
}

/** What a dataset is understood as from now on; a profile that does not hold any more goes, with the tries to make it. */
export async function setReading(
  tx: Kysely<Tables>,
  id: string,
  {
    said,
    checked,
    keepsProfile,
  }: { readonly said: SaidOfTable; readonly checked: CheckedCsv; readonly keepsProfile: boolean },
): Promise<Dataset> {
  const { columns, dialect, warnings, target, task, rowCount } = checked;
  const noProfile = {
    profile: null as unknown as string,
    profile_fault: null as unknown as string,
    profile_attempts: 0,
  };
  const row = await tx
    .updateTable("datasets")
    .set((old) => ({
      columns: JSON.stringify(columns),
      column_count: columns.length,
      row_count: rowCount,
      dialect: JSON.stringify(dialect),
      warnings: JSON.stringify(warnings),
      said: JSON.stringify(said),
      target,
      task,
      reading: old("reading", "+", 1),
      ...(keepsProfile ? {} : noProfile),
    }))
    .where("id", "=", id)
    .returning(writtenColumns)
    .executeTakeFirstOrThrow();
  return { ...row, columns };
}
