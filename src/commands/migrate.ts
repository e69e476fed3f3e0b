/**
 * Brings the tables of rows and jobs up to date and ends: `node src/commands/migrate.ts`, before a deployment's processes start.
 * Each of them would do the same at its own start; here no probe or time limit of a supervisor cuts a long migration
 * short. Any number may run at once: an advisory lock of PostgreSQL lets one work, and the others find it done.
 */

import type { Logger } from "../log.ts";
import { prepareQueueTables } from "../queue/queue-tables.ts";
import { type Config, ConfigError, readConfig } from "../settings/config.ts";
import { tellProgress } from "../start-progress.ts";
import { openStore } from "../store/database.ts";
import { runCommand } from "./run-command.ts";

function readSettings(): Config {
  const config = readConfig(process.env);
  if (config.databaseUrl === "")
    throw new ConfigError(["DATABASE_URL is empty: the embedded database is migrated by its own process at start"]);
  return config;
}

async function migrate(config: Config, log: Logger): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const store = await openStore(config, tellProgress(log, new AbortController().signal));
  stack.defer(() => store.stop());
  await prepareQueueTables(store, { log, trainingTimeoutSeconds: config.trainingTimeoutSeconds });
  log.info("tables are up to date");
}

await runCommand({ readSettings, work: migrate, failed: "migration failed" });
