/**
 * Brings the tables of rows and jobs up to date and ends: `node src/commands/migrate.ts`, before a deployment's processes start.
 * Each of them would do the same at its own start; here no probe or time limit of a supervisor cuts a long migration
 * short. Any number may run at once: an advisory lock of PostgreSQL lets one work, and the others find it done.
 */

import { explainFault } from "../explain-fault.ts";
import { createLog } from "../log.ts";
import { prepareQueueTables } from "../queue/queue-tables.ts";
import { type Config, ConfigError, readConfig, tellUnreadNames } from "../settings/config.ts";
import { settingsOrExit } from "../settings/settings-or-exit.ts";
import { tellProgress } from "../start-progress.ts";
import { openStore } from "../store/database.ts";

function readSettings(): Config {
  const config = readConfig(process.env);
  if (config.databaseUrl === "")
    throw new ConfigError(["DATABASE_URL is empty: the embedded database is migrated by its own process at start"]);
  return config;
}

const config = settingsOrExit(readSettings);
const log = createLog(config.logLevel);
tellUnreadNames(log, process.env);
try {
  await using stack = new AsyncDisposableStack();
  const store = await openStore(config, tellProgress(log, new AbortController().signal));
  stack.defer(() => store.stop());
  await prepareQueueTables(store, { log, trainingTimeoutSeconds: config.trainingTimeoutSeconds });
  log.info("tables are up to date");
} catch (error) {
  const line = explainFault(error, config);
  if (line !== undefined) process.stderr.write(`${line}\n`);
  else log.fatal({ err: error }, "migration failed");
  process.exitCode = 1;
}
