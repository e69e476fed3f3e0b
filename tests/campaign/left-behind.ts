import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { systemClock } from "../../src/clock.ts";
import { sweepFiles } from "../../src/datasets/removal/sweep-files.ts";
import { createLog } from "../../src/log.ts";
import { fileKinds } from "../../src/storage/file-storage.ts";
import { columnsOf, tableOf } from "../../src/storage/finish-removal.ts";
import { openLocalStorage } from "../../src/storage/local-storage.ts";
import { openStore } from "../../src/store/database.ts";

/** What stands in database and folder when all is over; each but the first three must be 0. */
export interface LeftBehind {
  /** Files whose row a kill prevented: they are an hour old before a sweep may take them. */
  readonly filesForTheSweep: number;
  readonly temporaryForTheSweep: number;
  /** Given up with that word to their owner, since the process died over them ten times: nobody can tell who ended it. */
  readonly profilesCrashed: number;
  /** And what is left of both when their hour is over. */
  readonly filesWithoutRow: number;
  readonly temporaryFiles: number;
  readonly rowsWithoutFile: number;
  readonly halfRemoved: number;
  readonly unfinishedRuns: number;
  /** Of runs that have ended, or of no run. */
  readonly jobsWithoutRun: number;
  readonly succeededWithoutModel: number;
  readonly modelsWithoutRun: number;
  readonly withoutProfile: number;
  readonly profilesFailed: number;
}

const queries = {
  halfRemoved: sql`select (select count(*) from datasets where deleting_at is not null)
    + (select count(*) from artifacts where deleting_at is not null) as found`,
  unfinishedRuns: sql`select count(*) as found from training_runs where status in ('queued', 'running')`,
  jobsWithoutRun: sql`select count(*) as found from pgboss.job j where name = 'training'
    and state in ('created', 'retry', 'active') and not exists
    (select 1 from training_runs r where r.id = j.id and r.status in ('queued', 'running'))`,
  succeededWithoutModel: sql`select count(*) as found from training_runs r where status = 'succeeded'
    and artifact_removed_at is null and not exists (select 1 from artifacts a where a.id = r.artifact_id)`,
  modelsWithoutRun: sql`select count(*) as found from artifacts a where not exists
    (select 1 from training_runs r where r.artifact_id = a.id and r.status = 'succeeded')`,
  withoutProfile: sql`select count(*) as found from datasets where profile is null and profile_fault is null
    and deleting_at is null`,
  profilesCrashed: sql`select count(*) as found from datasets where profile_fault ->> 'code' = 'PROFILE_CRASHED'`,
  profilesFailed: sql`select count(*) as found from datasets where profile_fault ->> 'code' <> 'PROFILE_CRASHED'`,
};

/** Looks when no process of the service lives. */
export async function countLeftBehind(place: { dataDir: string; databaseUrl: string }): Promise<LeftBehind> {
  const store = await openStore(place);
  try {
    const folder = join(place.dataDir, "files");
    const storage = await openLocalStorage(folder);
    const count = async (): Promise<{ withoutRow: number; withoutFile: number; temporary: number }> => {
      let [withoutRow, withoutFile] = [0, 0];
      for (const kind of fileKinds) {
        const { rows } = await sql<{ id: string; deleting_at: Date | null }>`
          select ${sql.ref(columnsOf[kind].id)} as id, deleting_at from ${sql.table(tableOf[kind])}
          where ${sql.ref(columnsOf[kind].id)} is not null`.execute(store.db);
        const files = new Set(await readdir(join(folder, kind)));
        withoutRow += files.difference(new Set(rows.map(({ id }) => id))).size;
        withoutFile += rows.filter(({ id, deleting_at }) => deleting_at === null && !files.has(id)).length;
      }
      return { withoutRow, withoutFile, temporary: (await readdir(join(folder, "tmp"))).length };
    };
    const before = await count();
    const found: Partial<Record<keyof typeof queries, number>> = {};
    for (const [what, query] of Object.entries(queries)) {
      const { rows } = await sql<{ found: string }>`${query}`.execute(store.db);
      found[what as keyof typeof queries] = Number(rows[0]?.found);
    }
    await sweepFiles(
      { db: store.db, storage, clock: systemClock, log: createLog("silent") },
      { temporaryOlderThanMs: -1_000, orphanOlderThanMs: -1_000 },
    );
    const after = await count();
    return {
      filesForTheSweep: before.withoutRow,
      temporaryForTheSweep: before.temporary,
      filesWithoutRow: after.withoutRow,
      temporaryFiles: after.temporary,
      rowsWithoutFile: before.withoutFile,
      ...(found as Record<keyof typeof queries, number>),
    };
  } finally {
    await store.stop();
  }
}
