import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { countLeftBehind } from "../campaign/left-behind.ts";
import { seattleWeatherCsv } from "../support/real-data.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";

const kills = Number(process.env.CRASH_KILLS ?? 3);
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);

/** What the service has said yes to. */
interface Promised {
  /** sha256 by id of each upload answered with 201. */
  readonly datasets: Map<string, string>;
  readonly runs: Set<string>;
}

const weather = seattleWeatherCsv();
let uploads = 0;

async function uploadOne(service: RunningService, promised: Promised): Promise<string | undefined> {
  uploads += 1;
  const csv = Buffer.concat([weather, Buffer.from(`2016-01-01,${uploads}.5,1,1,1,sun\n`)]);
  const isGzip = uploads % 3 === 0;
  const answer = await service.upload(
    isGzip ? gzipSync(csv) : csv,
    { name: `n${uploads}` },
    isGzip ? "w.csv.gz" : "w.csv",
  );
  if (answer.status !== 201) return undefined;
  promised.datasets.set(answer.json.id, createHash("sha256").update(csv).digest("hex"));
  return answer.json.id;
}

/** Works without a pause until the service is gone; every call in flight then fails, and that is no promise. */
async function work(
  service: RunningService,
  promised: Promised,
  isOver: () => boolean,
  next: () => number,
): Promise<void> {
  while (!isOver()) {
    try {
      const id = (await uploadOne(service, promised)) ?? [...promised.datasets.keys()].at(-1);
      if (id === undefined) continue;
      const run = await service.call("POST", "/training-runs", {
        datasetId: id,
        mode: next() < 0.5 ? "light" : "heavy",
      });
      if (run.status === 202) promised.runs.add(run.json.id);
      if (run.status === 202 && next() < 0.2) await service.call("POST", `/training-runs/${run.json.id}/cancel`);
      await service.call("DELETE", "/datasets/expired");
    } catch {
      // The process was killed under this call.
      return;
    }
  }
}

async function stateOfRuns(
  service: RunningService,
): Promise<Map<string, { status: string; artifactId: string | null; version: number }>> {
  const states = new Map<string, { status: string; artifactId: string | null; version: number }>();
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: Awaited<ReturnType<RunningService["call"]>> = await service.call(
      "GET",
      `/training-runs?limit=100${cursor === "" ? "" : `&cursor=${cursor}`}`,
    );
    for (const run of page.json.items) states.set(run.id, run);
    cursor = page.json.nextCursor;
  }
  return states;
}

test(`nothing accepted is lost over ${kills} kills (CRASH_SEED=${seed})`, {
  timeout: 600_000 + kills * 120_000,
}, async () => {
  const next = seededRandom(seed);
  const promised: Promised = { datasets: new Map(), runs: new Set() };
  // Datasets in the way of expiring, too: half a minute, so that cycles have something to do while we kill.
  const env = {
    MAX_QUEUED_RUNS_PER_OWNER: "1000",
    MAX_MODEL_ARTIFACTS: "10000",
    MAX_CONCURRENT_UPLOADS: "50",
    LOG_LEVEL: "warn",
    SHUTDOWN_GRACE_SECONDS: "5",
  };
  // The ready line is logged at info.
  const start = (on?: { dataDir: string; databaseUrl: string }, more: Record<string, string> = {}) =>
    startService({ env: { ...env, LOG_LEVEL: "info", ...more }, ...(on === undefined ? {} : { on }) });

  let service = await start();
  const place = { dataDir: service.dataDir, databaseUrl: service.databaseUrl };
  const expiring = new Map<string, string>();
  for (let kill = 0; kill < kills; kill += 1) {
    let isOver = false;
    const workers = [1, 2, 3].map(() => work(service, promised, () => isOver, next));
    const before = promised.runs.size;
    await new Promise((resolve) => setTimeout(resolve, 100 + next() * 1_400));
    // On a slow machine it would be killed before it has promised anything, time after time.
    await eventually(async () => promised.runs.size > before);
    isOver = true;
    await service.kill("SIGKILL");
    await Promise.all(workers);
    // Every third time in a TTL cycle: a start whose datasets are all expired, killed while it removes them.
    if (kill % 3 === 2) {
      service = await start(place, {
        DATASET_TTL_DAYS: "0.0000001",
        DATASET_TTL_CHECK_INTERVAL_SECONDS: "1",
        SERVICE_ROLE: "api",
      });
      const cycle = service.call("DELETE", "/datasets/expired").catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, next() * 60));
      await service.kill("SIGKILL");
      await cycle;
      for (const [id, hash] of promised.datasets) expiring.set(id, hash);
      promised.datasets.clear();
    }
    service = await start(place);
    expect(
      await readdir(join(place.dataDir, "files", "tmp")).then((names) => (place.databaseUrl === "" ? names : [])),
    ).toEqual([]);
  }

  // All the runs that were promised end, each once: a final state does not change any more.
  const finals = await eventually(async () => {
    const states = await stateOfRuns(service);
    return [...promised.runs].every((id) => ["succeeded", "failed", "cancelled"].includes(states.get(id)?.status ?? ""))
      ? states
      : undefined;
  });
  for (const [id, sha256] of promised.datasets) {
    const content = await fetch(`${service.url}/api/ml/v1/datasets/${id}/content`);
    expect(content.status, `dataset ${id}`).toBe(200);
    expect(
      createHash("sha256")
        .update(Buffer.from(await content.arrayBuffer()))
        .digest("hex"),
    ).toBe(sha256);
  }
  // What TTL may have taken is there whole or not there.
  for (const [id, sha256] of expiring) {
    const content = await fetch(`${service.url}/api/ml/v1/datasets/${id}/content`);
    if (content.status === 404) continue;
    expect(
      createHash("sha256")
        .update(Buffer.from(await content.arrayBuffer()))
        .digest("hex"),
    ).toBe(sha256);
  }
  const later = await stateOfRuns(service);
  for (const id of promised.runs) expect(later.get(id)).toEqual(finals.get(id));
  await service.halt();

  try {
    // An orphan younger than an hour may stand by design; it is taken at once here, and then rows and files agree.
    expect(await countLeftBehind(place)).toMatchObject({
      filesWithoutRow: 0,
      temporaryFiles: 0,
      rowsWithoutFile: 0,
      succeededWithoutModel: 0,
      modelsWithoutRun: 0,
    });
    expect(promised.runs.size).toBeGreaterThan(kills);
  } finally {
    await service.stop();
  }
});
