import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { refuseMark } from "./folder-mark.ts";

const markName = "database.moved";

/** The rows of the embedded database live on elsewhere. */
export class DatabaseMovedError extends Error {
  constructor(dataDir: string) {
    super(
      `The embedded database in ${dataDir} was moved to PostgreSQL: set DATABASE_URL. Started on it, the service would remove ` +
        `the files that came since, as it knows no rows of them. To go back all the same, copy the files and remove ` +
        `${join(dataDir, markName)}.`,
    );
    this.name = "DatabaseMovedError";
  }
}

/** Says beside the embedded database, and not in it, that it was moved. */
export async function markMoved(dataDir: string): Promise<void> {
  await writeFile(
    join(dataDir, markName),
    "The embedded database beside this file was moved to PostgreSQL. No service starts on it while this file is here.\n",
    { flush: true },
  );
}

/** @throws DatabaseMovedError */
export function refuseMoved(dataDir: string): Promise<void> {
  return refuseMark(dataDir, markName, () => new DatabaseMovedError(dataDir));
}
