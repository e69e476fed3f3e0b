import { relative, resolve } from "node:path";
import type { Config } from "./config.ts";
import { ListenFault } from "./http/listen.ts";
import { ForeignFilesError } from "./storage/claim-files.ts";
import { StorageFault } from "./storage/storage-fault.ts";
import { DataFolderLockedError } from "./store/data-folder-lock.ts";
import { explainDatabaseFault } from "./store/database-faults.ts";
import { DatabaseMovedError } from "./store/moved-mark.ts";
import { NewerSchemaError } from "./store/newer-schema.ts";
import { HalfRestoredError } from "./store/replace-data.ts";

/** Faults whose message is the line. */
const explainedFaults = [
  DataFolderLockedError,
  DatabaseMovedError,
  ForeignFilesError,
  HalfRestoredError,
  ListenFault,
  NewerSchemaError,
  StorageFault,
];

const unwritable = new Set(["EACCES", "EPERM", "EROFS", "EEXIST", "ENOTDIR"]);

const isWithin = (folder: string, path: string): boolean => !relative(folder, path).startsWith("..");

/** What the operating system says of a path in DATA_DIR, or of a folder around it; of any other it is not the setting's fault. */
function explainFolderFault(error: unknown, config: Config): string | undefined {
  if (!(error instanceof Error && "code" in error && "path" in error)) return undefined;
  const [code, path] = [String(error.code), String(error.path)];
  const [dataDir, place] = [resolve(config.dataDir), resolve(path)];
  const isOfData = isWithin(dataDir, place) || isWithin(place, dataDir);
  if (!isOfData || !unwritable.has(code)) return undefined;
  return `DATA_DIR: ${path} can't be written (${code}): name a folder that this user may write.`;
}

/**
 * The one line that a start or a command ends with, where its operator can mend what stopped it: it names the setting, says
 * what to do, and holds no secret. Undefined for a fault that is to be logged with its stack.
 */
export function explainFault(error: unknown, config: Config): string | undefined {
  for (const Fault of explainedFaults) if (error instanceof Fault) return error.message;
  return explainFolderFault(error, config) ?? explainDatabaseFault(error, config);
}
