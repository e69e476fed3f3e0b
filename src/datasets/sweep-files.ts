import type { Kysely } from "kysely";
import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import type { FileKind, FileStorage } from "../storage/file-storage.ts";
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
  const temporaryRemoved = await storage.sweepTemporary(clock.nowMs() - temporaryOlderThanMs);
  let orphansRemoved = 0;
  let filesMissing = 0;
  for (const [kind, table] of [
    ["dataset", "datasets"],
    ["artifact", "artifacts"],
  ] as const satisfies [FileKind, keyof Tables][]) {
    await finishRemovals({ db, storage }, kind, table, new Date(clock.nowMs() - temporaryOlderThanMs));
    // Files first: a row written after the listing has its file, a file without a row here is old or an orphan.
    const files = await storage.list(kind);
    const rows = await db.selectFrom(table).select(["id", "file_missing"]).where("deleting_at", "is", null).execute();
    const rowIds = new Set(rows.map(({ id }) => id));
    for (const { id, modifiedMs } of files) {
      if (rowIds.has(id) || clock.nowMs() - modifiedMs < orphanOlderThanMs) continue;
      if (await isRemovable(db, table, id)) orphansRemoved += (await storage.remove(kind, id)) ? 1 : 0;
    }
    for (const row of rows) {
      const isMissing = !(await storage.exists(kind, row.id));
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

/** What a crash left half removed, also where no TTL cycle comes by: the file, then the row. */
async function finishRemovals(
  { db, storage }: { db: Kysely<Tables>; storage: FileStorage },
  kind: FileKind,
  table: "datasets" | "artifacts",
  markedBefore: Date,
): Promise<void> {
  const rows = await db.selectFrom(table).select("id").where("deleting_at", "<=", markedBefore).execute();
  for (const { id } of rows) {
    await storage.remove(kind, id);
    await db.deleteFrom(table).where("id", "=", id).where("deleting_at", "is not", null).execute();
  }
}

/** A row that is being removed finishes its own file. */
async function isRemovable(db: Kysely<Tables>, table: "datasets" | "artifacts", id: string): Promise<boolean> {
  return (await db.selectFrom(table).select("id").where("id", "=", id).executeTakeFirst()) === undefined;
}
