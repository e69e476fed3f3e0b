import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { type Kysely, sql } from "kysely";
import type { Logger } from "../log.ts";
import type { Tables } from "../store/schema.ts";
import { type FileKind, type FileStorage, fileKinds, type KeptFile } from "./file-storage.ts";
import { columnsOf, tableOf } from "./finish-removal.ts";
import { forgetLostTyped } from "./forget-typed.ts";
import { isFileMissing } from "./storage-fault.ts";

const pageSize = 500;

/** How the files of a deployment were copied. */
export interface CopyReport {
  copied: number;
  copiedBytes: number;
  /** Were in the target already, whole: from a copy before. */
  alreadyThere: number;
  /** Rows whose file is not in the source, or is not the one that was kept. */
  missing: number;
  damaged: number;
  /** Typed copies of which the same is true: their rows name them no more, and they are made again. */
  typedForgotten: number;
  failed: number;
}

async function hasHash(path: string, sha256: string): Promise<boolean> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex") === sha256;
}

/** Whether the storage gives back what the row says; it is read, not believed. */
export async function isWhole(storage: FileStorage, kind: FileKind, file: KeptFile): Promise<boolean> {
  try {
    await using local = await storage.localFile(kind, file);
    return await hasHash(local.path, file.sha256);
  } catch (error) {
    if (isFileMissing(error)) return false;
    throw error;
  }
}

/** The files that the rows of a kind own, but for those that are being removed. */
export async function* filesOf(db: Kysely<Tables>, kind: FileKind): AsyncGenerator<KeptFile> {
  for (let after = "00000000-0000-0000-0000-000000000000"; ; ) {
    const { id, sizeBytes, sha256 } = columnsOf[kind];
    const { rows } = await sql<KeptFile>`
      select ${sql.ref(id)} as id, ${sql.ref(sizeBytes)} as "sizeBytes", ${sql.ref(sha256)} as sha256
      from ${sql.table(tableOf[kind])}
      where deleting_at is null and ${sql.ref(id)} > ${after} order by 1 limit ${pageSize}`.execute(db);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

type Outcome = "copied" | "alreadyThere" | "missing" | "damaged";

async function copyFile(from: FileStorage, to: FileStorage, kind: FileKind, file: KeptFile): Promise<Outcome> {
  if (await to.exists(kind, file.id)) {
    if (await isWhole(to, kind, file)) return "alreadyThere";
    // Asked before anything is removed: it may be the only one.
    if (!(await isWhole(from, kind, file))) return "damaged";
    await to.remove(kind, file.id);
  }
  if (!(await from.exists(kind, file.id))) return "missing";
  if (!(await isWhole(from, kind, file))) return "damaged";
  await using local = await from.localFile(kind, file);
  await to.keep(local.path, kind, file);
  if (await isWhole(to, kind, file)) return "copied";
  throw new Error(`The copy of ${kind} ${file.id} is not what was sent.`);
}

/**
 * Copies the file of every row to another storage and reads each back, held against the hash in its row. The source stays
 * as it is. What is there already is only verified, so a copy that was broken off goes on where it was.
 */
export async function copyFiles({
  db,
  from,
  to,
  log,
}: {
  readonly db: Kysely<Tables>;
  readonly from: FileStorage;
  readonly to: FileStorage;
  readonly log: Logger;
}): Promise<CopyReport> {
  const report: CopyReport = {
    copied: 0,
    copiedBytes: 0,
    alreadyThere: 0,
    missing: 0,
    damaged: 0,
    typedForgotten: 0,
    failed: 0,
  };
  for (const kind of fileKinds) {
    for await (const file of filesOf(db, kind)) {
      const about = { kind, fileId: file.id };
      try {
        const outcome = await copyFile(from, to, kind, file);
        if (kind === "typed" && (outcome === "missing" || outcome === "damaged")) {
          await forgetLostTyped({ db, log }, file.id);
          report.typedForgotten += 1;
          continue;
        }
        report[outcome] += 1;
        if (outcome === "copied") report.copiedBytes += file.sizeBytes;
        if (outcome === "missing") log.error(about, "a row's file is not in the source");
        if (outcome === "damaged") log.error(about, "a file in the source is not the one that was kept");
      } catch (error) {
        report.failed += 1;
        log.error({ err: error, ...about }, "a file could not be copied; the next run tries again");
      }
    }
  }
  return report;
}
