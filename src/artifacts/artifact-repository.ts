import { type Kysely, type Selectable, sql } from "kysely";
import { inTransaction, mayStand } from "../store/commit.ts";
import { type Page, readPage } from "../store/read-page.ts";
import type { ArtifactsTable, Tables } from "../store/schema.ts";

const columns = [
  "id",
  "owner",
  "run_id",
  "dataset_id",
  "mode",
  "task",
  "target",
  "metrics",
  "size_bytes",
  "sha256",
  "pinned",
  "created_at",
  "deleting_at",
  "file_missing",
] as const;

/** A model's row, without what it takes: that may have half a megabyte, and a prediction has no use for it. */
export type Artifact = Omit<Selectable<ArtifactsTable>, "input">;

/** The same with what it takes. */
export type DescribedArtifact = Selectable<ArtifactsTable>;

/** A model just made; its file stands already. */
export interface NewArtifact {
  readonly id: string;
  readonly owner: string;
  readonly runId: string;
  readonly datasetId: string;
  readonly mode: "light" | "heavy";
  readonly task: "classification" | "regression";
  readonly target: string;
  readonly metrics: object;
  /** What it takes, as JSON. */
  readonly input: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly createdAt: Date;
}

/** Part of the transaction that ends its run as succeeded. */
export async function insertArtifact(tx: Kysely<Tables>, artifact: NewArtifact): Promise<void> {
  await tx
    .insertInto("artifacts")
    .values({
      id: artifact.id,
      owner: artifact.owner,
      run_id: artifact.runId,
      dataset_id: artifact.datasetId,
      mode: artifact.mode,
      task: artifact.task,
      target: artifact.target,
      metrics: JSON.stringify(artifact.metrics),
      input: artifact.input,
      size_bytes: artifact.sizeBytes,
      sha256: artifact.sha256,
      created_at: artifact.createdAt,
    })
    .execute();
}

/** One of the owner's; undefined also when it is being removed. */
export function findArtifact(db: Kysely<Tables>, owner: string, id: string): Promise<Artifact | undefined> {
  return db
    .selectFrom("artifacts")
    .select(columns)
    .where("owner", "=", owner)
    .where("id", "=", id)
    .where("deleting_at", "is", null)
    .executeTakeFirst();
}

/** One of the owner's with what it takes; undefined also when it is being removed. */
export function findDescribedArtifact(
  db: Kysely<Tables>,
  owner: string,
  id: string,
): Promise<DescribedArtifact | undefined> {
  return db
    .selectFrom("artifacts")
    .select([...columns, "input"])
    .where("owner", "=", owner)
    .where("id", "=", id)
    .where("deleting_at", "is", null)
    .executeTakeFirst();
}

/** Newest first; a page of models with wide metrics ends early. */
export function listArtifacts(
  db: Kysely<Tables>,
  owner: string,
  page: {
    limit: number;
    before: string | undefined;
    datasetId?: string | undefined;
    runId?: string | undefined;
    mode?: "light" | "heavy" | undefined;
  },
): Promise<Page<Artifact>> {
  let query = db.selectFrom("artifacts").select(columns).where("owner", "=", owner).where("deleting_at", "is", null);
  if (page.before !== undefined) query = query.where("id", "<", page.before);
  if (page.datasetId !== undefined) query = query.where("dataset_id", "=", page.datasetId);
  if (page.runId !== undefined) query = query.where("run_id", "=", page.runId);
  if (page.mode !== undefined) query = query.where("mode", "=", page.mode);
  return readPage(db, query, { limit: page.limit, wide: ["metrics"] });
}

/** @returns the artifact as it is now; undefined when there is none */
export function setPinned(
  db: Kysely<Tables>,
  owner: string,
  id: string,
  isPinned: boolean,
): Promise<DescribedArtifact | undefined> {
  return db
    .updateTable("artifacts")
    .set({ pinned: isPinned })
    .where("owner", "=", owner)
    .where("id", "=", id)
    .where("deleting_at", "is", null)
    .returning([...columns, "input"])
    .executeTakeFirst();
}

/**
 * First step of a removal: the row is marked and its run says so, in one transaction.
 * @returns false when another was faster
 */
export async function markArtifactDeleting(
  db: Kysely<Tables>,
  id: string,
  now: Date,
  options: { unlessPinned: boolean },
): Promise<boolean> {
  let isMarked = false;
  return inTransaction(db, async (tx) => {
    let marking = tx
      .updateTable("artifacts")
      .set({ deleting_at: now })
      .where("id", "=", id)
      .where("deleting_at", "is", null);
    if (options.unlessPinned) marking = marking.where("pinned", "=", false);
    const marked = await marking.returning(["run_id"]).executeTakeFirst();
    if (marked === undefined) return false;
    isMarked = true;
    await tx
      .updateTable("training_runs")
      .set({ artifact_removed_at: now, version: sql`version + 1` })
      .where("id", "=", marked.run_id)
      .execute();
    return true;
  }).catch(async (error: unknown) => {
    // Only the answer may be lost: a model that is gone for every caller would never be counted.
    if (isMarked && mayStand(error) && (await isDeleting(db, id))) return true;
    throw error;
  });
}

/** Whether the row is marked; a COMMIT that is under way still is waited for, by its lock on the row. */
async function isDeleting(db: Kysely<Tables>, id: string): Promise<boolean> {
  const row = await db.selectFrom("artifacts").select("deleting_at").where("id", "=", id).forShare().executeTakeFirst();
  return row !== undefined && row.deleting_at !== null;
}

/** The owner's models older than the newest `keep`, pinned ones aside. */
export async function listBeyondRetention(db: Kysely<Tables>, owner: string, keep: number): Promise<string[]> {
  const rows = await db
    .selectFrom("artifacts")
    .select("id")
    .where("owner", "=", owner)
    .where("pinned", "=", false)
    .where("deleting_at", "is", null)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .offset(keep)
    // PostgreSQL needs no limit for an offset; the bound keeps one round short.
    .limit(1000)
    .execute();
  return rows.map(({ id }) => id);
}

/** For the gauges. */
export async function artifactTotals(
  db: Kysely<Tables>,
): Promise<{ count: number; sizeBytes: number; filesMissing: number }> {
  const row = await db
    .selectFrom("artifacts")
    .select([
      sql<string>`count(*)`.as("count"),
      sql<string>`coalesce(sum(size_bytes), 0)`.as("size_bytes"),
      sql<string>`count(*) filter (where file_missing)`.as("files_missing"),
    ])
    .executeTakeFirstOrThrow();
  return { count: Number(row.count), sizeBytes: Number(row.size_bytes), filesMissing: Number(row.files_missing) };
}
