import { setTimeout as delay } from "node:timers/promises";
import { backoffMs } from "../backoff.ts";
import type { Logger } from "../log.ts";
import { explainDatabaseFault, isConnectionLimit } from "./database-faults.ts";
import type { PostgresSettings } from "./postgres-connection.ts";

const signals = ["SIGTERM", "SIGINT"] as const;

/**
 * Tries `start` again, ever more slowly, while PostgreSQL has no connection left: during a rollout there are some again as
 * soon as the old processes have ended, and a process that ends instead is started anew by somebody who waits longer each
 * time. Any other fault passes.
 */
export async function waitForRoom<Value>(
  settings: PostgresSettings,
  log: Logger,
  start: () => Promise<Value>,
): Promise<Value> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (!isConnectionLimit(error)) throw error;
      const waitMs = backoffMs(attempt, 1_000, 30_000);
      log.warn(`${explainDatabaseFault(error, settings)} The next attempt follows in ${Math.ceil(waitMs / 1000)} s`);
      // As process 1 of a container it would not hear them, and nothing is there yet to be stopped.
      const end = () => process.exit(0);
      for (const signal of signals) process.once(signal, end);
      await delay(waitMs);
      for (const signal of signals) process.off(signal, end);
    }
  }
}
