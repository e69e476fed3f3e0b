import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../support/service.ts";
import { smallCsv } from "../support/small-csv.ts";
import type { Acknowledged, Client } from "./cluster-clients.ts";
import type { Ledger } from "./cluster-ledger.ts";
import type { Cluster } from "./cluster-members.ts";
import type { ScratchPostgres } from "./scratch-postgres.ts";

/** What works and what is broken. */
interface StormParts {
  readonly cluster: Cluster;
  /** The first one sends many more runs than the others, and before them. */
  readonly clients: readonly Client[];
  /** Uploads what expires meanwhile. */
  readonly victims: Client;
  readonly ledger: Ledger;
  readonly postgres: ScratchPostgres;
  readonly acknowledged: Acknowledged;
  readonly next: () => number;
}

/** What happened in it. */
export interface StormFacts {
  readonly kills: { readonly api: number; readonly worker: number };
  readonly restart: "fast" | "immediate";
  /** Submitted before there were workers. */
  readonly firstRuns: ReadonlySet<string>;
  readonly expired: readonly string[];
}

const greedyRuns = 48;
const othersRuns = 8;
const uploadsOfEach = 10;
const victimCount = 12;
const fewestKills = 8;
/** The heartbeat of a job is 10 s, the queue looks every 5 s, and the rows every 5 s. */
const hangMs = 21_000;

/** Half of an owner's uploads and runs, one after the other. */
async function sendHalf(client: Client, runs: number, half: "first" | "second", next: () => number): Promise<void> {
  const ids: string[] = [];
  for (let index = 0; index < uploadsOfEach / 2; index += 1)
    ids.push(await client.upload(smallCsv(next), `${half}-${index}`));
  for (let index = 0; index < runs / 2; index += 1) {
    const more = next() < 0.8 ? { mode: "light" } : { mode: "heavy", parameters: { rounds: 20 } };
    await client.train(ids[index % ids.length]!, more);
  }
}

/** Kills one process after the other until the work is done, never the last api; `after` is told of each kill. */
async function whileKilling(
  { cluster, next }: Pick<StormParts, "cluster" | "next">,
  work: Promise<unknown>,
  after: (kills: number) => Promise<void> = async () => {},
): Promise<{ api: number; worker: number }> {
  let isOver = false;
  const done = work.finally(() => {
    isOver = true;
  });
  const kills = { api: 0, worker: 0 };
  const killing = (async () => {
    while (!isOver) {
      await delay(1_000 + next() * 1_500);
      const candidates = cluster.members.filter(
        ({ role, service, isPaused }) =>
          service !== undefined && !isPaused && (role === "worker" || cluster.living("api").length > 1),
      );
      const victim = candidates[Math.floor(next() * candidates.length)];
      if (victim === undefined) continue;
      kills[victim.role] += 1;
      await cluster.crash(victim, next() * 1_000);
      await after(kills.api + kills.worker);
    }
  })();
  await Promise.all([done, killing]);
  return kills;
}

/**
 * Lets a worker stand still in the middle of a training until another one has taken its run over, and then go on: what it
 * makes must not count any more. One that is killed never comes back.
 */
async function hangForAWhile({ cluster, ledger }: Pick<StormParts, "cluster" | "ledger">): Promise<void> {
  await eventually(async () => {
    const worker = cluster.members.find(({ role, service }) => role === "worker" && service !== undefined);
    if (worker?.service === undefined) return false;
    cluster.pause(worker);
    try {
      await delay(100); // What it has written is read by then.
      const held = runInHand(worker.service.lines);
      // PostgreSQL restarts meanwhile: then nobody knows.
      const isHeldRun = (condition: string): Promise<boolean> =>
        ledger.count(`from training_runs where id = '${held}' and ${condition}`).then(
          (count) => count === 1,
          () => false,
        );
      // Its end may be written and not yet logged: then nobody would take it over, and soon there is none left to hang in.
      if (held === undefined || !(await isHeldRun("status = 'running'"))) return false;
      await delay(hangMs);
      return await eventually(() => isHeldRun("attempt > 1"));
    } finally {
      cluster.goOn(worker);
    }
  }, 120);
}

/** The run that a worker has begun and not ended, by its log. */
function runInHand(lines: readonly string[]): string | undefined {
  const entries = lines.filter((line) => line.includes('"training: a')).map((line) => JSON.parse(line));
  const last = entries.at(-1);
  return last?.msg === "training: an attempt begins" ? last.run_id : undefined;
}

/**
 * All the work, under kills and a restart of PostgreSQL. Returns when every process lives and nothing waits, is trained
 * or has expired any more.
 */
export async function storm(parts: StormParts): Promise<StormFacts> {
  const { cluster, clients, victims, ledger, postgres, acknowledged, next } = parts;
  const send = (client: Client, half: "first" | "second") =>
    sendHalf(client, client === clients[0] ? greedyRuns : othersRuns, half, next);

  // The greedy one first; nobody trains yet, so that it depends on the queue alone who is served when.
  const [greedy, ...others] = clients;
  const firstHalf = send(greedy!, "first").then(() => Promise.all(others.map((client) => send(client, "first"))));
  const early = await whileKilling(parts, firstHalf);
  const firstRuns = new Set(acknowledged.runs.keys());
  const expired: string[] = [];
  for (let index = 0; index < victimCount; index += 1)
    expired.push(await victims.upload(smallCsv(next), `victim-${index}`));

  await cluster.whole();
  await Promise.all([cluster.add("worker"), cluster.add("worker"), cluster.add("worker")]);
  const restart = next() < 0.5 ? "fast" : "immediate";
  const restartAt = 2 + Math.floor(next() * 3);
  const enough = Promise.withResolvers<void>();
  const secondHalf = clients.map((client) => send(client, "second"));
  const hung = hangForAWhile(parts);
  const late = await whileKilling(parts, Promise.all([enough.promise, hung, ...secondHalf]), async (kills) => {
    if (kills === restartAt) await postgres.restart(restart);
    // Bit by bit, so that cycles have something to do while processes die.
    const ids = expired.slice(0, 2 * kills).map((id) => `'${id}'`);
    await ledger.query(`update datasets set created_at = now() - interval '2 days' where id in (${ids.join(", ")})`);
    if (kills >= fewestKills) enough.resolve();
  });
  await cluster.whole();
  const none = async (from: string) => (await ledger.count(from)) === 0;
  // Each run is a process, which costs half a second of CPU: of two busy cores they have little.
  await eventually(() => none("from training_runs where status in ('queued', 'running')"), 300);
  await eventually(() => none("from datasets where name like 'victim-%'"), 60);
  return { kills: { api: early.api + late.api, worker: late.worker }, restart, firstRuns, expired };
}
