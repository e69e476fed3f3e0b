import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { figure, type Line, percentile } from "./figures.ts";
import { expectJson, send, upload } from "./http-client.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { heavyTable, tenMebibytes } from "./tables.ts";

const api = "/api/ml/v1";
const serviceParameters = ["--import", "./otel/register", "src/main.ts"];
const mebibyte = 1_048_576;

const startIn = (dataDir: string, env: Record<string, string> = {}) =>
  MeasuredProcess.start(serviceParameters, {
    SERVICE_PORT: "0",
    DATA_DIR: dataDir,
    LOG_LEVEL: "info",
    SHUTDOWN_GRACE_SECONDS: "1",
    ...env,
  });

/** Medians of one more process each: the difference to the step before is what that part takes. */
async function startSteps(folder: string, rounds: number): Promise<Line[]> {
  const lines: Line[] = [];
  const on = { cpu: [] as number[], rss: [] as number[], ready: [] as number[] };
  const off = { cpu: [] as number[], rss: [] as number[] };
  const dataDir = join(folder, "start");
  {
    await using first = await startIn(dataDir);
    await expectJson(200, "GET", `${first.url}/api/health/ready`);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const isOn of [true, false]) {
      await using service = await startIn(dataDir, isOn ? {} : { OTEL_SDK_DISABLED: "true" });
      const atReady = await service.measure();
      await delay(3_000);
      const idle = await service.measure();
      const into = isOn ? on : off;
      into.cpu.push(atReady.cpuSeconds);
      into.rss.push(idle.rssBytes / mebibyte);
      if (isOn) on.ready.push(service.startSeconds);
    }
  }
  lines.push({ what: "start to ready, CPU", unit: "s", figure: figure(on.cpu), atMost: 2 });
  lines.push({ what: "start to ready, clock", unit: "s", figure: figure(on.ready) });
  lines.push({ what: "idle RSS", unit: "MiB", figure: figure(on.rss) });
  lines.push({
    what: "CPU of the start, telemetry on − off",
    unit: "s",
    figure: figure(on.cpu.map((value, index) => value - off.cpu[index]!)),
    atMost: 0.35,
  });
  lines.push({
    what: "idle RSS, telemetry on − off",
    unit: "MiB",
    figure: figure(on.rss.map((value, index) => value - off.rss[index]!)),
    atMost: 40,
  });
  return lines;
}

async function memoryParts(folder: string): Promise<Line[]> {
  const lines: Line[] = [];
  const steps = ["node", "telemetry", "http", "pglite", "queue", "duckdb"];
  const peaks: number[][] = steps.map(() => []);
  for (let round = 0; round < 3; round += 1) {
    for (const [index, step] of steps.entries()) {
      await using part = await MeasuredProcess.start(["tests/bench/memory-part.ts"], {
        BENCH_FOLDER: join(folder, "parts"),
        BENCH_UP_TO: step,
      });
      await delay(500);
      peaks[index]!.push((await part.measure()).rssBytes / mebibyte);
    }
  }
  for (const [index, step] of steps.entries()) {
    const before = index === 0 ? [0, 0, 0] : peaks[index - 1]!;
    const differences = peaks[index]!.map((value, round) => value - before[round]!);
    lines.push({ what: `RSS that ${step} adds`, unit: "MiB", figure: figure(differences) });
  }
  return lines;
}

/** The CPU of one accepted upload with all its checks, beside a server that only writes it to disk. */
async function uploadCost(folder: string, csv: Buffer, rounds: number): Promise<Line[]> {
  // The role api leaves the column profile, which a background job makes later, out of the figure.
  await using service = await startIn(join(folder, "upload"), { SERVICE_ROLE: "api" });
  await using plain = await MeasuredProcess.start(["tests/bench/servers/plain-upload.ts"], { BENCH_FOLDER: folder });
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds + 2; round += 1) {
    const cost = await service.cpuSecondsOf(async () => {
      await upload(`${service.url}${api}/datasets/upload`, csv, `bench-${round}`);
    });
    const plainCost = await plain.cpuSecondsOf(async () => {
      await upload(`${plain.url}/upload`, csv);
    });
    if (round < 2) continue; // the first two compile
    ours.push(cost);
    theirs.push(plainCost);
  }
  const ratios = ours.map((value, index) => value / theirs[index]!);
  return [
    { what: "10 MiB upload with all checks, CPU", unit: "s", figure: figure(ours), atMost: 0.06 },
    { what: "10 MiB to disk by multer alone, CPU", unit: "s", figure: figure(theirs) },
    { what: "upload, ours / multer alone", unit: "×", figure: figure(ratios), atMost: 2.5 },
  ];
}

/** Latency of a small request while four clients send 10 MiB again and again, and the memory that it takes. */
async function besideUploads(folder: string, csv: Buffer, rounds: number): Promise<Line[]> {
  const p99: number[] = [];
  const plainP99: number[] = [];
  const peaks: number[] = [];
  const loop: number[] = [];
  await using service = await startIn(join(folder, "beside"), { MAX_CONCURRENT_UPLOADS: "5" });
  await using plain = await MeasuredProcess.start(["tests/bench/servers/plain-upload.ts"], { BENCH_FOLDER: folder });
  const small = await upload(`${service.url}${api}/datasets/upload`, Buffer.from("a,b\n1,2\n2,3\n3,4\n"), "small");

  const load = async (uploadUrl: string, probeUrl: string, label: string): Promise<number> => {
    const latencies: number[] = [];
    let isLoaded = true;
    const probing = (async () => {
      while (isLoaded) {
        const began = performance.now();
        await expectJson(200, "GET", probeUrl);
        latencies.push(performance.now() - began);
        await delay(5);
      }
    })();
    const uploading = [0, 1, 2, 3].map(async (client) => {
      for (let index = 0; index < 4; index += 1) {
        await upload(uploadUrl, csv, uploadUrl.startsWith(plain.url) ? undefined : `${label}-${client}-${index}`);
      }
    });
    try {
      // Whichever fails first is what is told, not what follows from it.
      await Promise.race([Promise.all(uploading), probing]);
    } finally {
      isLoaded = false;
      await probing;
    }
    return percentile(latencies, 0.99);
  };

  // Once warm, and when the peak of the start has been given back.
  await load(`${service.url}${api}/datasets/upload`, `${service.url}/api/health/live`, "warm");
  await profilesDone(service);
  await delay(3_000);
  const idleBytes = (await service.measure()).rssBytes;
  for (let round = 0; round < rounds; round += 1) {
    const seen = await service.watch(async () => {
      const value = await load(
        `${service.url}${api}/datasets/upload`,
        `${service.url}${api}/datasets/${String(small.id)}`,
        `load-${round}`,
      );
      p99.push(value);
    });
    peaks.push((seen.peakRssBytes - idleBytes) / mebibyte);
    loop.push(seen.loopP99Ms);
    plainP99.push(await load(`${plain.url}/upload`, `${plain.url}/probe`, ""));
    await profilesDone(service);
  }
  return [
    { what: "p99 of GET /datasets/{id} beside 4 uploads", unit: "ms", figure: figure(p99), atMost: 50 },
    { what: "p99 of a bare GET beside 4 uploads, multer alone", unit: "ms", figure: figure(plainP99) },
    { what: "event-loop delay p99 beside 4 uploads", unit: "ms", figure: figure(loop) },
    { what: "peak RSS at 4 uploads over idle", unit: "MiB", figure: figure(peaks), atMost: 100 },
  ];
}

async function profilesDone(service: MeasuredProcess): Promise<void> {
  for (;;) {
    const { items } = (await expectJson(200, "GET", `${service.url}${api}/datasets?limit=1`)) as {
      items: { id: string }[];
    };
    const newest = await expectJson(200, "GET", `${service.url}${api}/datasets/${items[0]!.id}`);
    if (newest.profile !== null) return;
    await delay(100);
  }
}

/** Event-loop delay while a heavy training runs and uploads come in; and what a scrape adds to an idle process. */
async function underTraining(folder: string, csv: Buffer, rounds: number): Promise<Line[]> {
  await using service = await startIn(join(folder, "busy"));
  const table = await upload(`${service.url}${api}/datasets/upload`, heavyTable(), "heavy");
  const p99: number[] = [];
  const longest: number[] = [];
  const training: number[] = [];
  const submit = async (trees: number): Promise<string> => {
    const parameters = { rounds: trees, earlyStoppingRounds: trees, refit: false };
    const body = JSON.stringify({ datasetId: table.id, mode: "heavy", parameters });
    const headers = { "content-type": "application/json" };
    return String((await expectJson(202, "POST", `${service.url}${api}/training-runs`, body, headers)).id);
  };
  const succeeded = async (runId: string): Promise<void> => {
    for (;;) {
      const { status } = await expectJson(200, "GET", `${service.url}${api}/training-runs/${runId}`);
      if (status === "failed") throw new Error("the training failed");
      if (status === "succeeded") return;
      await delay(50);
    }
  };
  for (let round = 0; round < rounds; round += 1) {
    const seen = await service.watch(async () => {
      const run = await submit(400);
      await upload(`${service.url}${api}/datasets/upload`, csv, `busy-${round}`);
      await succeeded(run);
    });
    p99.push(seen.loopP99Ms);
    longest.push(seen.loopMaxMs);
    training.push(await service.cpuSecondsOf(async () => succeeded(await submit(100))));
  }
  const blocks: number[] = [];
  let series = 0;
  let firstBlock = 0;
  for (let scrape = 0; scrape < 30; scrape += 1) {
    await delay(20);
    const seen = await service.watch(async () => {
      await delay(10);
      const { text } = await send("GET", `${service.url}/metrics`);
      series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
      await delay(10);
    });
    if (scrape === 0) firstBlock = seen.loopMaxMs;
    else blocks.push(seen.loopMaxMs);
  }
  return [
    { what: "event-loop delay p99, heavy training and an upload", unit: "ms", figure: figure(p99), atMost: 50 },
    { what: "longest event-loop delay there", unit: "ms", figure: figure(longest) },
    { what: "a heavy run of 11,250 × 20, 100 rounds, whole, CPU", unit: "s", figure: figure(training) },
    { what: "event-loop block of the first scrape", unit: "ms", figure: figure([firstBlock]), atMost: 10 },
    {
      what: `longest event-loop block of a scrape of ${series} series`,
      unit: "ms",
      figure: figure(blocks),
      atMost: 10,
    },
  ];
}

/** Samples of a fresh service: of its first scrape, and of its second (which has the scrape itself). */
async function freshSeries(folder: string): Promise<Line[]> {
  await using service = await startIn(join(folder, "series"));
  const count = async (): Promise<number> => {
    const { text } = await send("GET", `${service.url}/metrics`);
    return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
  };
  const first = await count();
  const second = await count();
  return [
    { what: "series at a fresh start, first scrape", unit: "", figure: figure([first]), atMost: 450 },
    { what: "series at a fresh start, second scrape", unit: "", figure: figure([second]), atMost: 450 },
  ];
}

/** The service as a whole: start, uploads, training, memory, series. */
export async function benchService(rounds: number): Promise<Line[]> {
  const folder = await mkdtemp(join(tmpdir(), "mlops-bench-"));
  try {
    const csv = tenMebibytes();
    return [
      ...(await startSteps(folder, rounds)),
      ...(await memoryParts(folder)),
      ...(await uploadCost(folder, csv, 2 * rounds)),
      ...(await besideUploads(folder, csv, rounds)),
      ...(await underTraining(folder, csv, rounds)),
      ...(await freshSeries(folder)),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
