/** Who reads /metrics again and again, as far as its scrapes tell. */
interface Scraper {
  readonly lastMs: number;
  /** The longer one of the last two pauses; undefined after a single scrape. */
  readonly pauseMs: number | undefined;
  readonly pausesMs: readonly number[];
}

/** The scrapes that a process has answered, so that its end can wait for one more. */
export interface Scrapes {
  /** A whole answer to a scrape that began then. */
  answered(scraper: string, beganMs: number): void;
  /**
   * Waits until everybody who reads /metrics has read what stands there now, at most until then; not for who has stayed
   * away for longer than its pause. @returns for whom it waits in vain
   */
  untilReadAgain(deadlineMs: number): Promise<number>;
  /** How many would be waited for, and until when at most. */
  expected(nowMs: number): { readonly scrapers: number; readonly dueMs: number };
}

/** More than that many are no scrapers, but somebody who makes up names. */
const mostScrapers = 32;
/** Prometheus keeps its pause to milliseconds; a busy machine does not. */
const patience = 1.25;
const patienceMs = 1_000;

/** When the next scrape is there for sure; of one who came once nobody can tell. */
export function dueMs({ lastMs, pauseMs }: Pick<Scraper, "lastMs" | "pauseMs">): number {
  return pauseMs === undefined ? Number.POSITIVE_INFINITY : lastMs + pauseMs * patience + patienceMs;
}

/** Remembers scrapes of this process. */
export function followScrapes(nowMs: () => number = () => performance.now()): Scrapes {
  const scrapers = new Map<string, Scraper>();
  let onScrape = Promise.withResolvers<void>();

  const waitedFor = (sinceMs: number): Scraper[] =>
    [...scrapers.values()].filter((scraper) => scraper.lastMs < sinceMs && dueMs(scraper) > nowMs());
  const latestDue = (those: readonly Scraper[]): number => Math.max(...those.map(dueMs));

  return {
    answered(name, beganMs) {
      const known = scrapers.get(name);
      const pausesMs = known === undefined ? [] : [...known.pausesMs, beganMs - known.lastMs].slice(-2);
      // Anew, so that who has not come for longest stands first.
      scrapers.delete(name);
      const pauseMs = pausesMs.length === 0 ? undefined : Math.max(...pausesMs);
      scrapers.set(name, { lastMs: beganMs, pausesMs, pauseMs });
      if (scrapers.size > mostScrapers) scrapers.delete(scrapers.keys().next().value as string);
      onScrape.resolve();
      onScrape = Promise.withResolvers();
    },
    expected(atMs) {
      const those = waitedFor(atMs);
      return { scrapers: those.length, dueMs: those.length === 0 ? atMs : latestDue(those) };
    },
    async untilReadAgain(deadlineMs) {
      const sinceMs = nowMs();
      for (;;) {
        const those = waitedFor(sinceMs);
        const leftMs = Math.min(latestDue(those), deadlineMs) - nowMs();
        if (those.length === 0 || leftMs <= 0) return those.length;
        const timeUp = Promise.withResolvers<void>();
        const timer = setTimeout(timeUp.resolve, leftMs);
        await Promise.race([onScrape.promise, timeUp.promise]);
        clearTimeout(timer);
      }
    },
  };
}
