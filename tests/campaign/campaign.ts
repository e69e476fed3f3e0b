import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ScratchPostgres, startScratchPostgres } from "../e2e/scratch-postgres.ts";
import { cpuSeconds } from "../support/process-stat.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";
import { checkPromises } from "./check-promises.ts";
import { beClient, isFinal } from "./client.ts";
import { countLeftBehind, type LeftBehind } from "./left-behind.ts";
import { noPromises, type Promises } from "./promises.ts";

export interface CampaignOptions {
  readonly database: "pglite" | "postgres";
  readonly kills: number;
  readonly seed: number;
  /** It ends then, with fewer kills. */
  readonly minutes: number;
}

/** What happened, counted from outside. */
export interface CampaignReport {
  readonly kills: { service: number; inItsStart: number; postgres: number };
  readonly promises: Promises;
  readonly ends: Readonly<Record<string, number>>;
  readonly leftBehind: LeftBehind;
  /** CPU of each process until it was ready; the first is the one on an empty database. */
  readonly startCpuSeconds: readonly number[];
}

const clients = 4;
const longestStandstillSeconds = 240;
const env = {
  // Enough to be killed with a backlog, and so few that clients are told to come again.
  MAX_QUEUED_RUNS_PER_OWNER: "50",
  MAX_MODEL_ARTIFACTS: "100000",
  MAX_CONCURRENT_UPLOADS: "50",
  LOG_LEVEL: "info",
  SHUTDOWN_GRACE_SECONDS: "5",
};

/** Kills service and database at random moments under clients that never pause, and then looks at what is left. */
export async function runCampaign(
  { database, kills, seed, minutes }: CampaignOptions,
  { onKill, signal }: { readonly onKill: (soFar: CampaignReport["kills"]) => void; readonly signal: AbortSignal },
): Promise<CampaignReport> {
  const next = seededRandom(seed);
  const promises = noPromises();
  const counts = { service: 0, inItsStart: 0, postgres: 0 };
  const startCpuSeconds: number[] = [];
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "campaign-"));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  let postgres: ScratchPostgres | undefined;
  if (database === "postgres") postgres = resources.use(await startScratchPostgres(join(folder, "postgres")));
  const place = { dataDir: join(folder, "data"), databaseUrl: (await postgres?.newDatabase()) ?? "" };
  await mkdir(place.dataDir);

  let service: RunningService | undefined;
  resources.defer(async () => void (await service?.kill("SIGKILL")));
  const start = async (): Promise<void> => {
    const started = await startService({ on: place, env });
    startCpuSeconds.push(cpuSeconds(started.pid));
    service = started;
  };
  const killInItsStart = async (): Promise<void> => {
    let killing: Promise<void> | undefined;
    const onSpawn = (pid: number): void => {
      killing = delay(next() * 3_000).then(() => void process.kill(pid, "SIGKILL"));
    };
    const started = await startService({ on: place, env, onSpawn }).catch(() => undefined);
    await killing;
    await started?.kill("SIGKILL");
    counts.inItsStart += 1;
  };

  await start();
  const endMs = performance.now() + minutes * 60_000;
  let isOver = false;
  const work = Array.from({ length: clients }, () =>
    beClient({ promises, next, service: () => service, isOver: () => isOver }),
  );
  const killed = (): number => counts.service + counts.inItsStart;
  while (killed() < kills && performance.now() < endMs) {
    signal.throwIfAborted();
    onKill(counts);
    const before = promises.counts.upload + promises.counts.train;
    await delay(100 + next() * 2_400);
    // On a slow machine it would be killed before it has promised anything, time after time.
    await eventually(async () => promises.counts.upload + promises.counts.train > before + 3, 120);
    if (postgres !== undefined && next() < 0.3) {
      await postgres.stop();
      await delay(next() * 1_500);
      await postgres.start();
      counts.postgres += 1;
      continue;
    }
    const victim = service;
    service = undefined;
    await victim?.kill("SIGKILL");
    counts.service += 1;
    if (killed() < kills && next() < 0.15) await killInItsStart();
    await start();
  }
  isOver = true;
  await Promise.all(work);

  const last = service;
  if (last === undefined) throw new Error("no service is left");
  await settle(last, promises);
  await checkPromises(last, promises);
  const ends = await endsOf(last);
  await last.halt();
  service = undefined;
  return { kills: counts, promises, ends, leftBehind: await countLeftBehind(place), startCpuSeconds };
}

/** Runs that wait or are at work. */
async function runsLeft(service: RunningService): Promise<number> {
  const jobs = await Promise.all(
    ["queued", "active", "retry"].map((state) => service.metric("mlops_backend_training_queue_jobs", { state })),
  );
  return jobs.reduce((sum, count) => sum + count, 0);
}

/** Datasets whose profile may still come; those too whose answer was lost: they are somebody's all the same. */
async function profilesLeft(service: RunningService): Promise<number> {
  let left = 0;
  for await (const { id } of listed(service, "/datasets")) {
    const { status, json } = await service.call("GET", `/datasets/${id}`);
    if (status === 200 && json.profile === null && json.profileFault === null) left += 1;
  }
  return left;
}

/** Waits until none is left, however many they are: what counts is that they get fewer. */
async function untilNone(what: string, countLeft: () => Promise<number>, promises: Promises): Promise<void> {
  let left = Number.POSITIVE_INFINITY;
  const isLess = async (): Promise<boolean> => {
    const now = await countLeft();
    const before = left;
    left = Math.min(left, now);
    return left === 0 || left < before;
  };
  while (left > 0) {
    const stands = await eventually(isLess, longestStandstillSeconds).then(
      () => false,
      () => true,
    );
    if (!stands) continue;
    promises.broken.push(`none of ${left} ${what} was done in ${longestStandstillSeconds} s`);
    return;
  }
}

/** Waits until nothing is in hand any more: every run has ended, every profile is there, nothing is half removed. */
async function settle(service: RunningService, promises: Promises): Promise<void> {
  await untilNone("runs", () => runsLeft(service), promises);
  await untilNone("profiles", () => profilesLeft(service), promises);
  // A round that finishes half removals comes every half minute, and takes what is ten seconds old.
  await delay(45_000);
}

async function endsOf(service: RunningService): Promise<Record<string, number>> {
  const ends: Record<string, number> = {};
  for await (const { status = "" } of listed(service, "/training-runs")) {
    const end = isFinal(status) ? status : "unfinished";
    ends[end] = (ends[end] ?? 0) + 1;
  }
  return ends;
}

/** All of a list, page by page. */
async function* listed(service: RunningService, path: string): AsyncGenerator<{ id: string; status?: string }> {
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = `${path}?limit=100${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const { json }: { json: { items: { id: string }[]; nextCursor: string | null } } = await service.call("GET", page);
    yield* json.items;
    cursor = json.nextCursor;
  }
}
