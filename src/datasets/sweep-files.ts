import type { Kysely } from "kysely";
import { validate as isUuid } from "uuid";
import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { finishRemovals, tableOf } from "../storage/finish-removal.ts";
import type { Tables } from "../store/schema.ts";

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
  for (const kind of ["dataset", "artifact"] as const) {
    const table = tableOf[kind];
    // Files first: a row written after the listing has its file, a file without a row here is old or an orphan.
    const files = await storage.list(kind);
    const rows = await db.selectFrom(table).select(["id", "file_missing"]).where("deleting_at", "is", null).execute();
    const fileIds = new Set(files.map(({ id }) => id));
    const rowIds = new Set(rows.map(({ id }) => id));
    for (const { id, modifiedMs } of files) {
      // `lost+found` and the like is not ours; PostgreSQL would not even take it for an id.
      if (!isUuid(id)) continue;
      if (rowIds.has(id) || clock.nowMs() - modifiedMs < orphanOlderThanMs) continue;
      if (!(await isRemovable(db, table, id))) continue;
      if (await isRemoved(log, id, () => storage.remove(kind, id))) orphansRemoved += 1;
    }
    for (const row of rows) {
      // One that came after the listing is looked for by itself.
      const isMissing = !fileIds.has(row.id) && !(await storage.exists(kind, row.id));
      if (isMissing) filesMissing += 1;
      if (isMissing !== row.file_missing)
        await db.updateTable(table).set({ file_missing: isMissing }).where("id", "=", row.id).execute();
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

/** A row that is being removed finishes its own file. */
async function isRemovable(db: Kysely<Tables>, table: "datasets" | "artifacts", id: string): Promise<boolean> {
  return (await db.selectFrom(table).select("id").where("id", "=", id).executeTakeFirst()) === undefined;
}
