import { setTimeout as delay } from "node:timers/promises";
import { backoffMs } from "../backoff.ts";
import type { Logger } from "../log.ts";
import { explainDatabaseFault, isConnectionLimit } from "./database-faults.ts";
import type { PostgresSettings } from "./postgres-connection.ts";

/**
 * Tries `start` again, ever more slowly, while PostgreSQL has no connection left: during a rollout there are some again as
 * soon as the old processes have ended, and a process that ends instead is started anew by somebody who waits longer each
 * time. Any other fault passes, and what `ended` is aborted with.
 */
export async function waitForRoom<Value>(
  settings: PostgresSettings,
  log: Logger,
  ended: AbortSignal,
  start: () => Promise<Value>,
): Promise<Value> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (!isConnectionLimit(error)) throw error;
      const waitMs = backoffMs(attempt, 1_000, 30_000);
      log.warn(`${explainDatabaseFault(error, settings)} The next attempt follows in ${Math.ceil(waitMs / 1000)} s`);
      await delay(waitMs, undefined, { signal: ended });
    }
  }
}
