import { join, relative, resolve } from "node:path";
import { isSystemError } from "./errors.ts";
import { ListenFault } from "./http/listen.ts";
import type { Config } from "./settings/config.ts";
import { ForeignFilesError } from "./storage/claim-files.ts";
import { StorageFault } from "./storage/storage-fault.ts";
import { ArchiveError } from "./store/data-archive.ts";
import { DataFolderLockedError } from "./store/data-folder-lock.ts";
import { explainDatabaseFault } from "./store/database-faults.ts";
import { EmbeddedDatabaseFault, explainEmbeddedFault } from "./store/embedded-folder.ts";
import { MoveRefusedError } from "./store/move-rows.ts";
import { DatabaseMovedError } from "./store/moved-mark.ts";
import { NewerSchemaError } from "./store/newer-schema.ts";
import { HalfRestoredError } from "./store/replace-data.ts";

/** Faults whose message is the line. */
const explainedFaults = [
  ArchiveError,
  DataFolderLockedError,
  DatabaseMovedError,
  EmbeddedDatabaseFault,
  ForeignFilesError,
  HalfRestoredError,
  ListenFault,
  MoveRefusedError,
  NewerSchemaError,
  StorageFault,
];

/** What to do about a path that can't be written. */
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full, make room",
  EDQUOT: "this user's quota is used up, make room",
  EIO: "the disk or the network share is faulty, look at the system's log",
};
const anotherFolder = "name a folder that this user may write";
const unwritable = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "EEXIST",
  "ENOTDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "EINVAL",
  "ENOTSUP",
]);

const isWithin = (folder: string, path: string): boolean => !relative(folder, path).startsWith("..");

/** What the operating system says of a path in DATA_DIR, or of a folder around it; of any other it is not the setting's fault. */
function explainFolderFault(error: unknown, config: Config): string | undefined {
  if (!(error instanceof Error && "code" in error && "path" in error)) return undefined;
  const [code, path] = [String(error.code), String(error.path)];
  const [dataDir, place] = [resolve(config.dataDir), resolve(path)];
  const isOfData = isWithin(dataDir, place) || isWithin(place, dataDir);
  // A folder that can't be made although the one around it is there, as below /proc; a file that is away is another fault.
  const isUnmakeable = code === "ENOENT" && "syscall" in error && error.syscall === "mkdir";
  const remedy = remedies[code] ?? (unwritable.has(code) || isUnmakeable ? anotherFolder : undefined);
  if (!isOfData || remedy === undefined) return undefined;
  return `DATA_DIR: ${path} can't be written (${code}): ${remedy}.`;
}

function explainOpenFiles(error: unknown): string | undefined {
  if (!isSystemError(error, "EMFILE") && !isSystemError(error, "ENFILE")) return undefined;
  return `ulimit -n: too many files are open (${(error as NodeJS.ErrnoException).code}): raise it, 1024 are usual.`;
}

/**
 * The one line that a start or a command ends with, where its operator can mend what stopped it: it names the setting, says
 * what to do, and holds no secret. Undefined for a fault that is to be logged with its stack.
 */
export function explainFault(error: unknown, config: Config): string | undefined {
  for (const Fault of explainedFaults) if (error instanceof Fault) return error.message;
  const explained = explainOpenFiles(error) ?? explainFolderFault(error, config);
  if (explained !== undefined || config.databaseUrl !== "") return explained ?? explainDatabaseFault(error, config);
  return explainEmbeddedFault(error, join(config.dataDir, "database"));
}
