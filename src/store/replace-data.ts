import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { flush } from "../flush.ts";
import { refuseMark } from "./folder-mark.ts";

const markName = "restore.unfinished";

/** A restore was broken off while it put a backup in the place of what was there. */
export class HalfRestoredError extends Error {
  override readonly name = "HalfRestoredError";
  constructor(dataDir: string) {
    super(
      `A restore into ${dataDir} was broken off, and database and files may not belong together: restore the backup once ` +
        `more. What was there before is in ${join(dataDir, "replaced-…")}.`,
    );
  }
}

/** @throws HalfRestoredError */
export function refuseHalfRestored(dataDir: string): Promise<void> {
  return refuseMark(dataDir, markName, () => new HalfRestoredError(dataDir));
}

/**
 * Puts an unpacked backup in the place of database and files, and keeps what was there beside them. Until all of it is in
 * its place a mark keeps a service from starting. The caller holds the lock of the folder.
 * @returns the folder with what was there; undefined when there was nothing
 */
export async function replaceData(
  dataDir: string,
  { folder, holdsFiles }: { readonly folder: string; readonly holdsFiles: boolean },
  now: Date,
): Promise<string | undefined> {
  const names = holdsFiles ? ["database", "database.ready", "files"] : ["database", "database.ready"];
  await writeFile(join(dataDir, markName), "A backup is being restored. No service starts while this file is here.\n", {
    flush: true,
  });
  await flush(dataDir);
  // The mark of a move to PostgreSQL is about the database that goes.
  const there = (await readdir(dataDir)).filter((name) => [...names, "database.moved"].includes(name));
  const aside = join(dataDir, `replaced-${now.toISOString().replaceAll(":", "-")}`);
  if (there.length > 0) await mkdir(aside);
  for (const name of there) await rename(join(dataDir, name), join(aside, name));
  for (const name of names) await rename(join(folder, name), join(dataDir, name));
  await flush(dataDir);
  await rm(join(dataDir, markName));
  return there.length > 0 ? aside : undefined;
}
