import { type ExpressionBuilder, type Kysely, sql } from "kysely";
import type { DatasetsTable, ProfileFault, Tables } from "../store/schema.ts";

// The statements about making a profile, apart from storing it.

/**
 * No profile or no typed copy, and one can be made. A file that is missing is no reason to give up: where it comes back, so does
 * this.
 */
const isWanted = (row: ExpressionBuilder<{ datasets: DatasetsTable }, "datasets">) =>
  row.and([
    row.or([row.and([row("profile", "is", null), row("profile_fault", "is", null)]), row("typed_wanted", "=", true)]),
    row("deleting_at", "is", null),
    row("file_missing", "=", false),
  ]);

/** @returns how many attempts there are with this one; undefined when the dataset is gone or needs no profile any more */
export async function beginProfile(db: Kysely<Tables>, id: string): Promise<number | undefined> {
  const row = await db
    .updateTable("datasets")
    .set((old) => ({ profile_attempts: old("profile_attempts", "+", 1) }))
    .where("id", "=", id)
    .where(isWanted)
    .returning("profile_attempts")
    .executeTakeFirst();
  return row?.profile_attempts;
}

/** Takes the attempt back: it ended from outside. */
export async function uncountProfile(db: Kysely<Tables>, id: string): Promise<void> {
  await db
    .updateTable("datasets")
    .set({ profile_attempts: sql`greatest(profile_attempts - 1, 0)` })
    .where("id", "=", id)
    .execute();
}

/** There will be no profile, and no typed copy. */
export async function giveUpProfile(db: Kysely<Tables>, id: string, fault: ProfileFault): Promise<void> {
  await db.updateTable("datasets").set({ typed_wanted: false }).where("id", "=", id).execute();
  await db
    .updateTable("datasets")
    .set({ profile_fault: JSON.stringify(fault) })
    .where("id", "=", id)
    .where("profile", "is", null)
    .execute();
}

/** As the sweep does, which also finds it again when it is back. A dataset that is being removed has no file by right. */
export async function markFileMissing(db: Kysely<Tables>, id: string): Promise<void> {
  await db
    .updateTable("datasets")
    .set({ file_missing: true })
    .where("id", "=", id)
    .where("deleting_at", "is", null)
    .execute();
}

/** Datasets without a profile or their typed copy, oldest first. */
export async function listUnprofiled(db: Kysely<Tables>, limit: number): Promise<string[]> {
  const rows = await db.selectFrom("datasets").select("id").where(isWanted).orderBy("id").limit(limit).execute();
  return rows.map(({ id }) => id);
}

/** Whether the dataset still needs either; it is held as it is until the transaction ends. */
export async function isUnprofiled(tx: Kysely<Tables>, id: string): Promise<boolean> {
  const row = await tx
    .selectFrom("datasets")
    .select("id")
    .where("id", "=", id)
    .where(isWanted)
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined;
}
