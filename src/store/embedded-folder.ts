import { constants } from "node:fs";
import { access, readdir, readFile, rename, rm, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import type { StartProgress } from "../start-progress.ts";

/** Written after the first migration: the embedded database was made whole. */
export const readyMark = "database.ready";
/** Of the PostgreSQL in PGlite 0.5; its files are of no use to another. */
const postgresVersion = "18";
/** PostgreSQL makes its log in files of 16 MiB; with less it does not open. */
const leastRoomBytes = 16 * 1024 * 1024;
/** A fresh one is 40 MiB; its first files of log come on top. */
const roomToMakeBytes = 96 * 1024 * 1024;
/** It keeps about 170 files open when nobody calls (seen on Linux, November 2026). */
const fewestOpenFiles = 256;

/** The embedded database does not open, in one line that names the setting and what to do. */
export class EmbeddedDatabaseFault extends Error {
  constructor(line: string, cause?: unknown) {
    super(line, { cause });
    this.name = "EmbeddedDatabaseFault";
  }
}

const noRoom = (folder: string, cause?: unknown): EmbeddedDatabaseFault =>
  new EmbeddedDatabaseFault(
    `DATA_DIR: the disk of ${folder} is full (ENOSPC): make room, the embedded database needs some to open.`,
    cause,
  );

const damaged = (folder: string, cause: unknown): EmbeddedDatabaseFault => {
  const said = cause instanceof Error ? cause.message.split(/\. |\n/)[0] : "without a word";
  return new EmbeddedDatabaseFault(
    `DATA_DIR: the embedded database in ${folder} does not open (PGlite: ${said}): it is damaged. Restore a backup ` +
      "(docs/operations.md, Backup and restore), or move DATA_DIR away to begin anew.",
    cause,
  );
};

/**
 * PGlite has no words for a file that it may not touch, or finds it hours later: the system is asked of each before it opens
 * (about 1,100 files of a fresh database). @throws what that says
 */
async function requireAccess(folder: string): Promise<void> {
  const { R_OK, W_OK, X_OK } = constants;
  await access(folder, R_OK | W_OK | X_OK);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await requireAccess(path);
    else await access(path, R_OK | W_OK);
  }
}

/** Without room no database opens there, whole or not. @throws EmbeddedDatabaseFault */
async function requireRoom(folder: string, cause: unknown): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < leastRoomBytes) throw noRoom(folder, cause);
}

/** @throws EmbeddedDatabaseFault, or what the system says of the folder */
async function open(folder: string): Promise<PGlite> {
  try {
    return await PGlite.create(folder);
  } catch (error) {
    await requireRoom(folder, error);
    throw damaged(folder, error);
  }
}

/** PGlite says of too few files whatever the one that it missed was for, such as «File exists». */
async function requireOpenFiles(): Promise<void> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => ""); // No /proc on this system.
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  if (soft === undefined || Number(soft) >= fewestOpenFiles) return;
  throw new EmbeddedDatabaseFault(
    `ulimit -n: this process may have ${soft} files open (EMFILE), and the embedded database needs ${fewestOpenFiles}: raise it.`,
  );
}

async function requireSameVersion(folder: string): Promise<void> {
  const version = (await readFile(join(folder, "PG_VERSION"), "utf8")).trim();
  if (version === postgresVersion) return;
  throw new EmbeddedDatabaseFault(
    `DATA_DIR: the embedded database in ${folder} is of PostgreSQL ${version}, and this release has ${postgresVersion}: start the ` +
      "release that made it, and move the rows (docs/operations.md), or move DATA_DIR away to begin anew.",
  );
}

/** Whether the migrations have made our tables: before that the folder holds nothing of anyone. */
async function hasTables(pglite: PGlite): Promise<boolean> {
  const { rows } = await pglite.query("select 1 from pg_tables where schemaname = 'public' and tablename = 'datasets'");
  return rows.length > 0;
}

async function make(folder: string, progress: StartProgress): Promise<PGlite> {
  // On a disk that fills up meanwhile it would spin for ever, and hear no signal (seen with PGlite 0.5.16).
  const { bavail, bsize } = await statfs(dirname(folder));
  if (bavail * bsize < roomToMakeBytes) throw noRoom(folder);
  progress.say(`making the embedded database in ${folder}, once: that takes 10 to 70 s`);
  return open(folder);
}

/**
 * Opens the folder, or makes it. A first start that is killed can leave half an initdb behind, which may open and be
 * faulty later: without the mark that we write after the first migration it is made anew, unless it holds our tables
 * (a backup restored without the mark). What does not open is moved aside, never removed: nobody can tell what it holds.
 * @throws EmbeddedDatabaseFault, or what the system says of the folder
 */
export async function openEmbeddedFolder(dataDir: string, folder: string, progress: StartProgress): Promise<PGlite> {
  await requireOpenFiles();
  const names = await readdir(dataDir);
  if (!names.includes("database")) return make(folder, progress);
  await requireAccess(folder);
  if (names.includes(readyMark)) {
    await requireSameVersion(folder);
    return open(folder);
  }
  let opened: PGlite | undefined;
  let isReadable = true;
  try {
    opened = await PGlite.create(folder);
    if (await hasTables(opened)) return opened;
  } catch (error) {
    await requireRoom(folder, error);
    isReadable = false;
  }
  await opened?.close().catch(() => {}); // It goes either way.
  if (isReadable) await rm(folder, { recursive: true });
  else {
    const aside = `${folder}.unreadable-${new Date().toISOString().replaceAll(":", "-")}`;
    await rename(folder, aside);
    progress.say(`what was in ${folder} does not open, and was not made whole: it is in ${aside} now`);
  }
  return make(folder, progress);
}

/** What PostgreSQL itself says of a folder that opened and is damaged or full all the same; undefined for any other fault. */
export function explainEmbeddedFault(error: unknown, folder: string): string | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  // Appendix A of PostgreSQL's manual: disk_full, system errors, data_corrupted, index_corrupted.
  if (code === "53100") return noRoom(folder).message;
  return /^(58|XX00[12])/.test(code) ? damaged(folder, error).message : undefined;
}
