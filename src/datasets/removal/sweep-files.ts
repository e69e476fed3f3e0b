import { type Kysely, sql } from "kysely";
import { validate as isUuid } from "uuid";
import type { Clock } from "../../clock.ts";
import type { Logger } from "../../log.ts";
import { type FileKind, type FileStorage, fileKinds } from "../../storage/file-storage.ts";
import { columnsOf, finishRemovals, tableOf } from "../../storage/finish-removal.ts";
import { forgetLostTyped } from "../../storage/forget-typed.ts";
import type { Tables } from "../../store/schema.ts";

const orphanAgeMs = 3_600_000;

/** What a sweep found. */
export interface SweepReport {
  readonly temporaryRemoved: number;
  readonly orphansRemoved: number;
  readonly filesMissing: number;
}

/**
 * Finishes half removals, removes left-over temporary files and files without a row, and marks rows without their file.
 * An orphan must be an hour old: a younger one may be a file whose row is just being written.
 */
export async function sweepFiles(
  { db, storage, clock, log }: { db: Kysely<Tables>; storage: FileStorage; clock: Clock; log: Logger },
  {
    temporaryOlderThanMs,
    orphanOlderThanMs = orphanAgeMs,
  }: { temporaryOlderThanMs: number; orphanOlderThanMs?: number },
): Promise<SweepReport> {
  const oldestMs = clock.nowMs() - temporaryOlderThanMs;
  let temporaryRemoved = 0;
  for (const { id, modifiedMs } of await storage.listTemporary()) {
    if (modifiedMs >= oldestMs) continue;
    if (await isRemoved(log, id, () => storage.discard(storage.temporaryPath(id)))) temporaryRemoved += 1;
  }
  const unfinished = storage.removeUnfinished(oldestMs).catch((error: unknown) => {
    log.warn({ err: error }, "what is half done in the storage could not be removed; the next sweep tries again");
    return 0;
  });
  temporaryRemoved += await unfinished;
  // Also here, since a role without workers has no rounds of it.
  await finishRemovals({ db, storage, log }, new Date(oldestMs));
  let orphansRemoved = 0;
  let filesMissing = 0;
  for (const kind of fileKinds) {
    // Files first: a row written after the listing has its file, a file without a row here is old or an orphan.
    const files = await storage.list(kind);
    const rows = await filesOfRows(db, kind);
    const fileIds = new Set(files.map(({ id }) => id));
    const rowIds = new Set(rows.map(({ id }) => id));
    for (const { id, modifiedMs } of files) {
      // `lost+found` and the like is not ours; PostgreSQL would not even take it for an id.
      if (!isUuid(id)) continue;
      if (rowIds.has(id) || clock.nowMs() - modifiedMs < orphanOlderThanMs) continue;
      if (!(await isRemovable(db, kind, id))) continue;
      if (await isRemoved(log, id, () => storage.remove(kind, id))) orphansRemoved += 1;
    }
    for (const row of rows) {
      // One that came after the listing is looked for by itself.
      const isMissing = !fileIds.has(row.id) && !(await storage.exists(kind, row.id));
      if (kind === "typed") {
        if (isMissing) await forgetLostTyped({ db, log }, row.id);
        continue;
      }
      if (isMissing) filesMissing += 1;
      if (isMissing !== row.file_missing)
        await db.updateTable(tableOf[kind]).set({ file_missing: isMissing }).where("id", "=", row.id).execute();
    }
  }
  const report = { temporaryRemoved, orphansRemoved, filesMissing };
  if (filesMissing > 0) log.error(report, "rows whose file is missing: restore the files or delete the rows");
  else log.info(report, "files swept");
  return report;
}

/** What can't be removed is no reason to stop: the sweep at start would keep the whole service down. */
async function isRemoved(log: Logger, fileId: string, remove: () => Promise<unknown>): Promise<boolean> {
  try {
    return (await remove()) !== false;
  } catch (error) {
    log.warn({ err: error, fileId }, "a left-over file could not be removed; the next sweep tries again");
    return false;
  }
}

/** What rows say of the files of a kind, but for rows that are being removed. */
async function filesOfRows(db: Kysely<Tables>, kind: FileKind): Promise<{ id: string; file_missing: boolean }[]> {
  const { rows } = await sql<{ id: string; file_missing: boolean }>`
    select ${sql.ref(columnsOf[kind].id)} as id, file_missing from ${sql.table(tableOf[kind])}
    where deleting_at is null and ${sql.ref(columnsOf[kind].id)} is not null`.execute(db);
  return rows;
}

/** A row that is being removed finishes its own files. */
async function isRemovable(db: Kysely<Tables>, kind: FileKind, id: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 as one from ${sql.table(tableOf[kind])} where ${sql.ref(columnsOf[kind].id)} = ${id}`.execute(db);
  return rows.length === 0;
}
