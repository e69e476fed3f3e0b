import { type ExpressionBuilder, type Kysely, type Selectable, sql } from "kysely";
import type { Clock } from "../../clock.ts";
import type { KeptFile } from "../../storage/file-storage.ts";
import { type Page, readPage } from "../../store/read-page.ts";
import type { ColumnSummary, DatasetsTable, DatasetWarnings, SaidOfTable, Tables } from "../../store/schema.ts";
import { type Dialect, plainDialect } from "../../tables/dialect.ts";
import { ttlCutoff } from "./ttl-policy.ts";

const summaryColumns = [
  "id",
  "owner",
  "name",
  "target",
  "task",
  "row_count",
  "column_count",
  "size_bytes",
  "sha256",
  "created_at",
  "deleting_at",
  "file_missing",
  "dialect",
  "reading",
  "version",
  "version_of",
] as const;
/** Of a row just written: what is known of its columns is at hand, and may have half a megabyte as JSON. */
export const writtenColumns = [
  ...summaryColumns,
  "said",
  "warnings",
  sql<boolean>`profile is not null`.as("has_profile"),
  "profile_fault",
  "typed_id",
  "typed_bytes",
  "typed_sha256",
  "typed_wanted",
] as const;
/**
 * Of a whole row, but for its profile: that may have 2 MB as JSON, and most calls want to know only whether there is one.
 */
const datasetColumns = [...writtenColumns, "columns"] as const;

/** A dataset's row. */
export type Dataset = Omit<Selectable<DatasetsTable>, "profile" | "profile_attempts"> & {
  readonly has_profile: boolean;
};

/** The same with its profile, as the database writes its JSON. */
export type ProfiledDataset = Dataset & { readonly profile: string | null };

/** The same without what grows with its columns. */
export type DatasetSummary = Pick<Dataset, (typeof summaryColumns)[number]>;

/** The dataset's file, as the storage takes it. */
export function keptFileOf({ id, size_bytes, sha256 }: Pick<Dataset, "id" | "size_bytes" | "sha256">): KeptFile {
  return { id, sizeBytes: size_bytes, sha256 };
}

/** How its file is written. */
export function dialectOf({ dialect }: Pick<Dataset, "dialect">): Dialect {
  // A row from before there were other sources has none.
  return { ...plainDialect, ...dialect };
}

/** A dataset just received; its file stands already. */
export interface NewDataset {
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  readonly target: string;
  readonly task: "classification" | "regression";
  readonly rowCount: number;
  readonly columns: readonly ColumnSummary[];
  readonly dialect: Dialect;
  readonly warnings: DatasetWarnings;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly createdAt: Date;
  readonly said: SaidOfTable;
  readonly version: number;
  readonly versionOf: string | null;
}

const isUsed = (builder: ExpressionBuilder<Tables, "datasets">) =>
  builder.exists(
    builder
      .selectFrom("training_runs")
      .select(sql`1`.as("one"))
      .whereRef("training_runs.dataset_id", "=", "datasets.id")
      .where("training_runs.status", "in", ["queued", "running"]),
  );

/** @returns undefined when the owner has that version of the same content under that name already */
export async function insertDataset(tx: Kysely<Tables>, dataset: NewDataset): Promise<Dataset | undefined> {
  const row = await tx
    .insertInto("datasets")
    .values({
      id: dataset.id,
      owner: dataset.owner,
      name: dataset.name,
      target: dataset.target,
      task: dataset.task,
      row_count: dataset.rowCount,
      column_count: dataset.columns.length,
      columns: JSON.stringify(dataset.columns),
      dialect: JSON.stringify(dataset.dialect),
      warnings: JSON.stringify(dataset.warnings),
      said: JSON.stringify(dataset.said),
      version: dataset.version,
      version_of: dataset.versionOf,
      profile: null as unknown as string,
      profile_fault: null as unknown as string,
      size_bytes: dataset.sizeBytes,
      sha256: dataset.sha256,
      created_at: dataset.createdAt,
    })
    .onConflict((conflict) =>
      conflict.columns(["owner", "name", "sha256", "version"]).where("deleting_at", "is", null).doNothing(),
    )
    .returning(writtenColumns)
    .executeTakeFirst();
  return row && { ...row, columns: [...dataset.columns] };
}

const living = (db: Kysely<Tables>, owner: string) =>
  db.selectFrom("datasets").select(datasetColumns).where("owner", "=", owner).where("deleting_at", "is", null);

/** One of the owner's; undefined also when it is being removed. */
export function findDataset(db: Kysely<Tables>, owner: string, id: string): Promise<Dataset | undefined> {
  return living(db, owner).where("id", "=", id).executeTakeFirst();
}

/** The same with its profile. */
export function findProfiledDataset(
  db: Kysely<Tables>,
  owner: string,
  id: string,
): Promise<ProfiledDataset | undefined> {
  return living(db, owner)
    .select(sql<string | null>`profile::text`.as("profile"))
    .where("id", "=", id)
    .executeTakeFirst();
}

/** How many values a column has by the profile of that reading; undefined where there is none. */
export async function readDistinct(
  db: Kysely<Tables>,
  { id, reading }: Pick<Dataset, "id" | "reading">,
  index: number,
): Promise<number | undefined> {
  const row = await db
    .selectFrom("datasets")
    .select(sql<number | null>`(profile -> ${index}::int ->> 'distinct')::int`.as("distinct"))
    .where("id", "=", id)
    .where("reading", "=", reading)
    .executeTakeFirst();
  return row?.distinct ?? undefined;
}

/** One of the owner's, held against removal until the transaction ends, so that a new run can't lose its dataset. */
export function findDatasetForTraining(tx: Kysely<Tables>, owner: string, id: string): Promise<Dataset | undefined> {
  return living(tx, owner).where("id", "=", id).forShare().executeTakeFirst();
}

const versionColumns = ["id", "version", "target", "columns", "dialect", "said"] as const;

/** How a version of a dataset is understood. */
export type DatasetVersion = Pick<Dataset, (typeof versionColumns)[number]>;

/** The owner's datasets with that name and content, the newest version first, without what they are not told apart by. */
export function listVersions(
  db: Kysely<Tables>,
  { owner, name, sha256 }: Pick<Dataset, "owner" | "name" | "sha256">,
): Promise<DatasetVersion[]> {
  return db
    .selectFrom("datasets")
    .select(versionColumns)
    .where("owner", "=", owner)
    .where("name", "=", name)
    .where("sha256", "=", sha256)
    .where("deleting_at", "is", null)
    .orderBy("version", "desc")
    .execute();
}

/** Newest first, without what is known of their columns. */
export function listDatasets(
  db: Kysely<Tables>,
  owner: string,
  page: { limit: number; before: string | undefined },
): Promise<Page<DatasetSummary>> {
  let query = db
    .selectFrom("datasets")
    .select(summaryColumns)
    .where("owner", "=", owner)
    .where("deleting_at", "is", null);
  if (page.before !== undefined) query = query.where("id", "<", page.before);
  return readPage(db, query, { limit: page.limit, wide: [] });
}

/** For the background profile, whoever owns it. */
export function findDatasetToProfile(db: Kysely<Tables>, id: string): Promise<Dataset | undefined> {
  return db
    .selectFrom("datasets")
    .select(datasetColumns)
    .where("id", "=", id)
    .where("deleting_at", "is", null)
    .executeTakeFirst();
}

/**
 * First step of a removal. The row is locked first and the runs looked at in a statement of their own: a run that
 * was queued while we waited for the lock is seen.
 */
export function markDatasetDeleting(db: Kysely<Tables>, id: string, now: Date): Promise<"marked" | "in use" | "gone"> {
  return db.transaction().execute(async (tx) => {
    const locked = await tx
      .selectFrom("datasets")
      .select("id")
      .where("id", "=", id)
      .where("deleting_at", "is", null)
      .forUpdate()
      .executeTakeFirst();
    if (locked === undefined) return "gone";
    const marked = await tx
      .updateTable("datasets")
      .set({ deleting_at: now })
      .where("id", "=", id)
      .where((builder) => builder.not(isUsed(builder as ExpressionBuilder<Tables, "datasets">)))
      .returning("id")
      .executeTakeFirst();
    return marked === undefined ? "in use" : "marked";
  });
}

/** What a crash left half removed, of one owner or of all. */
export async function listDeletingDatasets(db: Kysely<Tables>, limit: number, owner?: string): Promise<string[]> {
  let query = db.selectFrom("datasets").select("id").where("deleting_at", "is not", null);
  if (owner !== undefined) query = query.where("owner", "=", owner);
  const rows = await query.limit(limit).execute();
  return rows.map(({ id }) => id);
}

/** Older than the cutoff and not in use, oldest first. */
export async function listExpiredDatasets(
  db: Kysely<Tables>,
  cutoff: Date,
  limit: number,
  owner?: string,
): Promise<string[]> {
  let query = db
    .selectFrom("datasets")
    .select("id")
    .where("created_at", "<", cutoff)
    .where("deleting_at", "is", null)
    .where((builder) => builder.not(isUsed(builder)));
  if (owner !== undefined) query = query.where("owner", "=", owner);
  const rows = await query.orderBy("created_at").limit(limit).execute();
  return rows.map(({ id }) => id);
}

/** Bytes of the owner's datasets, their typed copies, and models. */
export async function storageBytesOfOwner(db: Kysely<Tables>, owner: string): Promise<number> {
  const { rows } = await sql<{ size_bytes: string }>`
    select coalesce((select sum(size_bytes + coalesce(typed_bytes, 0)) from datasets where owner = ${owner}), 0)
         + coalesce((select sum(size_bytes) from artifacts where owner = ${owner}), 0) as size_bytes`.execute(db);
  return Number(rows[0]?.size_bytes ?? 0);
}

/** For the gauges. */
export async function datasetTotals(
  db: Kysely<Tables>,
): Promise<{ count: number; sizeBytes: number; filesMissing: number }> {
  const row = await db
    .selectFrom("datasets")
    .select([
      sql<string>`count(*) filter (where deleting_at is null)`.as("count"),
      sql<string>`coalesce(sum(size_bytes + coalesce(typed_bytes, 0)), 0)`.as("size_bytes"),
      sql<string>`count(*) filter (where file_missing)`.as("files_missing"),
    ])
    .executeTakeFirstOrThrow();
  return { count: Number(row.count), sizeBytes: Number(row.size_bytes), filesMissing: Number(row.files_missing) };
}

const lastSuccessKey = "ttl_last_success";
const firstStartKey = "first_start";

/** Kept in the database, since it must outlive the process. */
export async function saveTtlSuccess(db: Kysely<Tables>, nowMs: number): Promise<void> {
  await db
    .insertInto("deployment_state")
    .values({ key: lastSuccessKey, value_ms: nowMs })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value_ms: nowMs }))
    .execute();
}

/** Remembers the first start of the deployment: until a cycle has succeeded its age counts from there. */
export async function rememberFirstStart(db: Kysely<Tables>, nowMs: number): Promise<void> {
  await db
    .insertInto("deployment_state")
    .values({ key: firstStartKey, value_ms: nowMs })
    .onConflict((conflict) => conflict.column("key").doNothing())
    .execute();
}

/** For the gauges: how long the oldest expired dataset outlives its TTL, and when a cycle last succeeded. */
export async function readTtlState(
  db: Kysely<Tables>,
  { datasetTtlDays }: { datasetTtlDays: number },
  clock: Clock,
): Promise<{ lagSeconds: number; lastSuccessTimestampSeconds: number }> {
  const states = await db
    .selectFrom("deployment_state")
    .select(["key", "value_ms"])
    .where("key", "in", [lastSuccessKey, firstStartKey])
    .execute();
  const savedMs = (key: string) => states.find((state) => state.key === key)?.value_ms;
  const lastMs = Number(savedMs(lastSuccessKey) ?? savedMs(firstStartKey) ?? clock.nowMs());
  const cutoff = ttlCutoff(datasetTtlDays, clock.nowMs());
  const oldest =
    cutoff === undefined
      ? undefined
      : await db
          .selectFrom("datasets")
          .select("created_at")
          .where("created_at", "<", cutoff)
          .where((builder) => builder.not(isUsed(builder)))
          .orderBy("created_at")
          .limit(1)
          .executeTakeFirst();
  const lagMs = oldest === undefined || cutoff === undefined ? 0 : cutoff.getTime() - oldest.created_at.getTime();
  return { lagSeconds: lagMs / 1000, lastSuccessTimestampSeconds: lastMs / 1000 };
}
