import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "./log.ts";

/** One comparison of what there is with what there should be; it finishes what a crash or an outage left half done. */
export interface Round {
  /** For the log. */
  readonly of: string;
  readonly everySeconds: number;
  readonly run: () => Promise<void>;
}

/**
 * Runs each round once, in their order, and then again and again. One that fails later is told, and tried again at its
 * next turn.
 * @returns ends them; waits for the ones in hand
 * @throws when a first round fails: what it finds is what this start begins with
 */
export async function startReconciliation(rounds: readonly Round[], log: Logger): Promise<() => Promise<void>> {
  for (const { run } of rounds) await run();
  const ending = new AbortController();
  const repeat = async ({ of, everySeconds, run }: Round): Promise<void> => {
    for (;;) {
      await delay(everySeconds * 1000, undefined, { signal: ending.signal }).catch(() => {
        // Aborted: the condition below ends it.
      });
      if (ending.signal.aborted) return;
      await run().catch((error: unknown) => {
        log.warn({ err: error, of }, "reconciliation: a round failed; the next one tries again");
      });
    }
  };
  const repeated = rounds.map(repeat);
  return async () => {
    ending.abort();
    await Promise.all(repeated);
  };
}
