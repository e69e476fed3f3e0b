import { moreScrapes, type Query, startPlainPrometheus } from "./plain-prometheus.ts";
import { eventually, type OwnProcess } from "./processes.ts";

/** A process whose counters are scraped. */
interface Replica {
  readonly own: OwnProcess;
  readonly host: string;
}

/** Two replicas of something that counts, and what happens to them. */
export interface Life {
  /** Starts one, on that port where there is one, and lets so many events happen before it can be scraped. */
  start(port: number | undefined, events: number): Promise<Replica>;
  /** Lets so many more happen there. */
  happen(host: string, events: number): Promise<unknown>;
  readonly events: {
    /** Before the first scrape of each. */
    readonly atStart: number;
    /** At the first and at the second, between scrapes. */
    readonly later: readonly [number, number];
    /** At the first, started again, before it is scraped; and after that. */
    readonly afterRestart: number;
    readonly last: number;
  };
  /** Of Prometheus. */
  readonly features: readonly string[];
}

/**
 * Events before the first scrape of each of two replicas, some at each, a restart of the first, more before its scrape
 * and after it.
 * @returns how to ask, always of the moment when all of it had been scraped: two questions see the same samples then
 */
export async function liveThrough(resources: AsyncDisposableStack, life: Life): Promise<Query> {
  const { start, happen, events, features } = life;
  const first = await start(undefined, events.atStart);
  const other = await start(undefined, events.atStart);
  const targets = [first.host, other.host];
  const jobs = [{ name: "replicas", targets, protocol: "OpenMetricsText1.0.0" }] as const;
  const query = await startPlainPrometheus(resources, jobs, features);
  await moreScrapes(query, 2, 2);
  await happen(first.host, events.later[0]);
  await happen(other.host, events.later[1]);
  await moreScrapes(query, 2, 2);
  await first.own[Symbol.asyncDispose]();
  // A failed scrape marks the series as stale; a `_created` before that mark would come too late (docs/performance.md).
  const isDown = `up{instance="${first.host}"} == 0`; // of this one: the other may answer too late under load
  await eventually("a failed scrape", 60, async () => ((await query(isDown)).length > 0 ? true : undefined));
  await start(Number(new URL(`http://${first.host}`).port), events.afterRestart);
  await moreScrapes(query, 2, 1);
  await happen(first.host, events.last);
  await moreScrapes(query, 2, 3);
  // Scrapes of a target follow each other: one that began after this moment says that none before it is still to come.
  const allScraped = await moreScrapes(query, 2, 1);
  return (expression) => query(expression, allScraped);
}

/** What `increase()` makes of 1: it draws the line on, half an interval before the first sample, up to 1.1 behind the last. */
export const drawnOn = (samples: number): number => 1 + 1.6 / (samples - 1);
