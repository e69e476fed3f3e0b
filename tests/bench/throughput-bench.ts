import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ScratchPostgres, startScratchPostgres } from "../e2e/scratch-postgres.ts";
import { figure, type Line } from "./figures.ts";
import { load } from "./http-bench.ts";
import { expectJson, send, upload } from "./http-client.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { heavyTable } from "./tables.ts";

const api = "/api/ml/v1";
const runsARound = { heavy: 12, light: 40 } as const;
const jobsARound = 200;

/** Processes of the service on one database and one folder of files. */
function startRole(role: "api" | "worker", dataDir: string, databaseUrl: string): Promise<MeasuredProcess> {
  return MeasuredProcess.start(["--import", "./otel/register", "src/main.ts"], {
    SERVICE_ROLE: role,
    SERVICE_PORT: "0",
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    SHUTDOWN_GRACE_SECONDS: "1",
    MAX_QUEUED_RUNS_PER_OWNER: "1000",
    LOG_LEVEL: "info",
  });
}

/** CPU of this process for a job that does nothing: sent, taken, filed; an embedded database has its own part in it. */
async function queueOverhead(folder: string, postgres: ScratchPostgres, rounds: number): Promise<Line[]> {
  await using open = new AsyncDisposableStack();
  const places = {
    "PostgreSQL, without the server's part": { DATABASE_URL: await postgres.newDatabase() },
    "embedded database": { DATA_DIR: join(folder, "queue") },
  };
  const lines: Line[] = [];
  for (const [name, env] of Object.entries(places)) {
    const process = open.use(await MeasuredProcess.start(["tests/bench/servers/queue-work.ts"], env));
    const work = async (): Promise<void> => void (await send("POST", `${process.url}/jobs?count=${jobsARound}`));
    await work();
    const each: number[] = [];
    for (let round = 0; round < rounds; round += 1)
      each.push(((await process.cpuSecondsOf(work)) / jobsARound) * 1_000);
    lines.push({ what: `CPU of the queue for a job, ${name}`, unit: "ms", figure: figure(each), atMost: 20 });
  }
  return lines;
}

/** Submits so many runs at once and waits until none is left. @returns seconds from the first to the last */
async function workOff(url: string, datasetId: unknown, mode: keyof typeof runsARound): Promise<number> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({
    datasetId,
    mode,
    ...(mode === "heavy" && { parameters: { rounds: 100, refit: false } }),
  });
  const began = performance.now();
  for (let index = 0; index < runsARound[mode]; index += 1)
    await expectJson(202, "POST", `${url}${api}/training-runs`, body, headers);
  for (const status of ["queued", "running"]) {
    for (;;) {
      const { items } = await expectJson(200, "GET", `${url}${api}/training-runs?status=${status}&limit=1`);
      if ((items as unknown[]).length === 0) break;
      await delay(50);
    }
  }
  const seconds = (performance.now() - began) / 1000;
  const failed = await expectJson(200, "GET", `${url}${api}/training-runs?status=failed&limit=1`);
  if ((failed.items as unknown[]).length > 0) throw new Error("a training failed");
  return seconds;
}

/** Trainings an hour by one and by two workers, in turns; and what they and the api take. */
async function workers(folder: string, postgres: ScratchPostgres, rounds: number): Promise<Line[]> {
  await using open = new AsyncDisposableStack();
  const dataDir = join(folder, "workers");
  const databaseUrl = await postgres.newDatabase();
  const front = open.use(await startRole("api", dataDir, databaseUrl));
  const dataset = await upload(`${front.url}${api}/datasets/upload`, heavyTable(), "throughput");
  const anHour = { heavy: { 1: [] as number[], 2: [] as number[] }, light: { 1: [] as number[], 2: [] as number[] } };
  const cpu: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const count of [1, 2] as const) {
      await using stack = new AsyncDisposableStack();
      const started = [];
      for (let index = 0; index < count; index += 1)
        started.push(stack.use(await startRole("worker", dataDir, databaseUrl)));
      for (const mode of ["light", "heavy"] as const) {
        await workOff(front.url, dataset.id, "light"); // What is compiled once.
        const before = (await started[0]!.measure()).cpuSeconds;
        anHour[mode][count].push((runsARound[mode] / (await workOff(front.url, dataset.id, mode))) * 3_600);
        if (mode === "heavy" && count === 1)
          cpu.push(((await started[0]!.measure()).cpuSeconds - before) / runsARound.heavy);
      }
    }
  }
  const lines: Line[] = [];
  for (const mode of ["light", "heavy"] as const) {
    for (const count of [1, 2] as const)
      lines.push({
        what: `${mode} trainings an hour, workers: ${count}`,
        unit: "",
        figure: figure(anHour[mode][count]),
      });
    const ratios = anHour[mode][2].map((value, index) => value / anHour[mode][1][index]!);
    lines.push({ what: `${mode} trainings, two workers / one`, unit: "×", figure: figure(ratios) });
  }
  lines.push({ what: "CPU of a worker for a heavy training", unit: "s", figure: figure(cpu) });
  return lines;
}

/** What one process of the role api takes for a read of a row and for an upload of 1 MiB. */
async function front(folder: string, postgres: ScratchPostgres, rounds: number): Promise<Line[]> {
  await using process = await startRole("api", join(folder, "front"), await postgres.newDatabase());
  const table = heavyTable().subarray(0, 1_048_576);
  const csv = table.subarray(0, table.lastIndexOf("\n") + 1);
  const dataset = await upload(`${process.url}${api}/datasets/upload`, csv, "read");
  const path = `${api}/datasets/${String(dataset.id)}`;
  const reads: number[] = [];
  const uploads: number[] = [];
  const requests = 2_000;
  const files = 10;
  for (let round = 0; round <= rounds; round += 1) {
    const readSeconds = await process.cpuSecondsOf(() => load(process.url, requests, path));
    const uploadSeconds = await process.cpuSecondsOf(async () => {
      for (let index = 0; index < files; index += 1)
        await upload(`${process.url}${api}/datasets/upload`, csv, `upload-${round}-${index}`);
    });
    if (round === 0) continue;
    reads.push((readSeconds / requests) * 1_000);
    uploads.push((uploadSeconds / files) * 1_000);
  }
  return [
    { what: "CPU of an api process for GET /datasets/{id}", unit: "ms", figure: figure(reads) },
    { what: "CPU of an api process for an upload of 1 MiB", unit: "ms", figure: figure(uploads) },
  ];
}

/** What processes of either role do on a PostgreSQL of their own; by `--only throughput`, with POSTGRES_BIN. */
export async function benchThroughput(rounds: number): Promise<Line[]> {
  const folder = await mkdtemp(join(tmpdir(), "mlops-throughput-"));
  try {
    await using postgres = await startScratchPostgres(await mkdtemp(join(tmpdir(), "mlops-throughput-postgres-")));
    return [
      ...(await queueOverhead(folder, postgres, rounds)),
      ...(await front(folder, postgres, rounds)),
      ...(await workers(folder, postgres, rounds)),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
