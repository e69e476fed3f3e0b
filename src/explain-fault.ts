import type { Config } from "./config.ts";
import { ListenFault } from "./http/listen.ts";
import { ForeignFilesError } from "./storage/claim-files.ts";
import { StorageFault } from "./storage/storage-fault.ts";
import { DataFolderLockedError } from "./store/data-folder-lock.ts";
import { explainDatabaseFault } from "./store/database-faults.ts";
import { DatabaseMovedError } from "./store/moved-mark.ts";
import { NewerSchemaError } from "./store/newer-schema.ts";

/** Faults whose message is the line. */
const explainedFaults = [
  DataFolderLockedError,
  DatabaseMovedError,
  ForeignFilesError,
  ListenFault,
  NewerSchemaError,
  StorageFault,
];

/**
 * The one line that a start or a command ends with, where its operator can mend what stopped it: it names the setting, says
 * what to do, and holds no secret. Undefined for a fault that is to be logged with its stack.
 */
export function explainFault(error: unknown, config: Config): string | undefined {
  for (const Fault of explainedFaults) if (error instanceof Fault) return error.message;
  return explainDatabaseFault(error, config);
}
