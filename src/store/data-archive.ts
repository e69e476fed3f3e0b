import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { isSystemError } from "../errors.ts";
import { refuseMoved } from "./moved-mark.ts";
import { refuseHalfRestored } from "./replace-data.ts";

/** What is wrong with a backup, or with what it should be made of; the message says what to do. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}

/** Descriptors that tar reads from or writes to. */
interface Ends {
  readonly from?: number;
  readonly to?: number;
}

async function tar(parameters: readonly string[], { from, to }: Ends): Promise<void> {
  const child = spawn("tar", parameters, { stdio: [from ?? "ignore", to ?? "ignore", "pipe"] });
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += String(chunk);
  });
  const [code, signal] = await once(child, "close").catch((error) => {
    throw isSystemError(error, "ENOENT")
      ? new ArchiveError("tar is needed for it, and is not on this machine.")
      : error;
  });
  if (code !== 0) throw new ArchiveError(`The archive is not whole (tar, ${signal ?? code}): ${said.trim()}`);
}

/**
 * Writes the embedded database and the files beside it as one archive, since each is of no use without the other. The
 * caller holds the lock of the folder.
 * @throws ArchiveError, DatabaseMovedError, HalfRestoredError
 */
export async function packData(dataDir: string, to: number): Promise<void> {
  await refuseMoved(dataDir);
  await refuseHalfRestored(dataDir);
  const names = await readdir(dataDir);
  if (!names.includes("database") || !names.includes("database.ready"))
    throw new ArchiveError(
      `DATA_DIR: ${dataDir} holds no embedded database, or none that was made whole (database.ready).`,
    );
  const files = names.includes("files") ? ["files"] : []; // With a bucket there may be none.
  await tar(["-czf", "-", "--exclude=files/tmp/*", "-C", dataDir, "database", "database.ready", ...files], { to });
}

/**
 * Unpacks an archive into an empty folder, as files of this process' user.
 * @returns whether it holds files too
 * @throws ArchiveError when it is broken, or not one of ours
 */
export async function unpackData(from: number, folder: string): Promise<{ holdsFiles: boolean }> {
  await tar(["-xzf", "-", "--no-same-owner", "-C", folder], { from });
  const names = await readdir(folder);
  if (!names.includes("database") || !names.includes("database.ready"))
    throw new ArchiveError("The archive holds no embedded database: it is none that the backup has made.");
  return { holdsFiles: names.includes("files") };
}
