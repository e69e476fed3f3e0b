import { DomainError } from "../../errors.ts";
import type { CsvEngine, CsvReader } from "../../tables/csv-engine.ts";
import type { CheckProgress } from "./check-progress.ts";

/** Who asks, and when it is of no use any more. */
export interface Asker {
  readonly owner: string;
  readonly signal?: AbortSignal | undefined;
  /** Where it is told how far the work is. */
  readonly progress?: CheckProgress | undefined;
}

/** What is done with an engine. */
type EngineWork<Value> = (reader: CsvReader, signal: AbortSignal) => Promise<Value>;

/** So many engines at most, each for one piece of work at a time: what one needs, no other lacks. */
export interface EnginePool {
  /**
   * Waits for an engine and works with it; the work's signal is aborted with the asker's, and when the pool stops. Owners take turns: who holds none comes before who does.
   * @throws DomainError CHECKS_BUSY when too many wait already; the signal's reason once it is aborted
   */
  use<Value>(asker: Asker, work: EngineWork<Value>): Promise<Value>;
  /** Ends all work in the middle, and waits for that. */
  stop(): Promise<void>;
}

/** One whose wish may end. */
export type ServedAsker = Asker & { readonly signal: AbortSignal };

interface Waiting {
  readonly owner: string;
  readonly begin: () => void;
}

// What waits before takes milliseconds for most files, and seconds for the largest.
const busyRetrySeconds = 2;

/**
 * A pool of engines that are opened when they are first needed: opening one costs as much as checking a megabyte. One that
 * a fault may have left broken is replaced.
 */
export function createEnginePool(
  open: () => Promise<CsvEngine>,
  { size, maxWaiting }: { readonly size: number; readonly maxWaiting: number },
): EnginePool {
  const stopping = new AbortController();
  const idle: CsvEngine[] = [];
  const holders: string[] = [];
  const waiting: Waiting[] = [];
  const inHand = new Set<Promise<unknown>>();

  async function placeFor({ owner, signal }: ServedAsker): Promise<void> {
    if (holders.length >= size) {
      if (waiting.length >= maxWaiting) {
        throw new DomainError("CHECKS_BUSY", `${waiting.length} other files wait to be read. Try again in a moment.`, {
          retryAfterSeconds: busyRetrySeconds,
        });
      }
      await new Promise<void>((resolve, reject) => {
        const place: Waiting = { owner, begin: resolve };
        waiting.push(place);
        signal?.addEventListener("abort", () => {
          const at = waiting.indexOf(place);
          if (at < 0) return;
          waiting.splice(at, 1);
          reject(signal.reason);
        });
      });
    } else holders.push(owner);
  }

  function release(owner: string): void {
    holders.splice(holders.indexOf(owner), 1);
    const next = waiting.findIndex((one) => !holders.includes(one.owner));
    const [chosen] = waiting.splice(Math.max(0, next), 1);
    if (chosen === undefined) return;
    // Taken for it here: whoever comes before it runs on would take the place twice.
    holders.push(chosen.owner);
    chosen.begin();
  }

  async function work<Value>(asker: ServedAsker, task: EngineWork<Value>): Promise<Value> {
    const { owner, signal, progress } = asker;
    signal.throwIfAborted();
    progress?.begin("waiting");
    await placeFor(asker);
    try {
      const engine = idle.pop() ?? (await open());
      try {
        const query: CsvReader["query"] = (sql) => {
          progress?.reading(() => engine.percentage());
          return engine.query(sql, signal);
        };
        return await task({ query }, signal);
      } finally {
        if (engine.isSound()) idle.push(engine);
        else await engine.close();
      }
    } finally {
      release(owner);
    }
  }

  return {
    use({ signal, ...asker }, task) {
      const both = signal === undefined ? stopping.signal : AbortSignal.any([signal, stopping.signal]);
      const working = work({ ...asker, signal: both }, task);
      const ended = working.catch(() => {}).finally(() => inHand.delete(ended)); // The asker hears the fault.
      inHand.add(ended);
      return working;
    },
    async stop() {
      stopping.abort(new DomainError("NOT_READY", "The service is stopping. Try again in a moment."));
      await Promise.all(inHand);
      await Promise.all(idle.splice(0).map((engine) => engine.close()));
    },
  };
}
