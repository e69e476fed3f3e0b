import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { figure, type Line, percentile } from "./figures.ts";
import { expectJson, send, upload } from "./http-client.ts";
import { MeasuredProcess } from "./measured-process.ts";

const api = "/api/ml/v1";
const json = { "content-type": "application/json" };
const csv = { "content-type": "text/csv" };
const loadSeconds = 6;
const clients = 4;

/** Six numbers and one of that many classes, which they tell. */
function classTable(classes: number): Buffer {
  const rows = Array.from({ length: classes * 15 }, (_, row) => {
    const kind = row % classes;
    const numbers = Array.from({ length: 6 }, (_, column) => ((kind * (column + 3)) % classes) + ((row * 7) % 10) / 10);
    return [...numbers, `class ${kind}`].join(",");
  });
  return Buffer.from(`c0,c1,c2,c3,c4,c5,label\n${rows.join("\n")}\n`);
}

/** The largest body that may be sent: 4 MB in 1,995 columns, of which the model knows six. */
function wideCsv(): string {
  const header = Array.from({ length: 1_995 }, (_, column) => `c${column}`).join(",");
  const row = Array.from({ length: 1_995 }, (_, column) => column % 10).join(",");
  return `${header}\n${`${row}\n`.repeat(1_000)}`;
}

/** A request that is made again and again, and what it took. */
async function repeat(isOver: () => boolean, pauseMs: number, call: () => Promise<unknown>): Promise<number[]> {
  const latencies: number[] = [];
  while (!isOver()) {
    const began = performance.now();
    await call();
    latencies.push(performance.now() - began);
    await delay(pauseMs);
  }
  return latencies;
}

interface Beside {
  readonly read: number[];
  readonly small: number[];
  readonly loopP99: number[];
  readonly loopMax: number[];
  /** Predictions a second, and the share that was answered with 429. */
  readonly made: number[];
  readonly refused: number[];
}
const nothing = (): Beside => ({ read: [], small: [], loopP99: [], loopMax: [], made: [], refused: [] });

/** How long other requests take while predictions that are as large as may be come in without a pause, and without them. */
export async function benchPredictions(rounds: number): Promise<Line[]> {
  const folder = await mkdtemp(join(tmpdir(), "mlops-bench-"));
  try {
    await using service = await MeasuredProcess.start(["--import", "./otel/register", "src/main.ts"], {
      SERVICE_PORT: "0",
      DATA_DIR: folder,
      LOG_LEVEL: "info",
      SHUTDOWN_GRACE_SECONDS: "1",
    });
    const url = (path: string): string => `${service.url}${api}${path}`;
    const train = async (table: Buffer, name: string, request: object): Promise<string> => {
      const dataset = await upload(url("/datasets/upload"), table, name);
      const body = JSON.stringify({ datasetId: dataset.id, ...request });
      const { id } = await expectJson(202, "POST", url("/training-runs"), body, json);
      for (;;) {
        const run = await expectJson(200, "GET", url(`/training-runs/${id}`));
        if (run.status === "succeeded") return url(`/artifacts/${run.artifactId}`);
        if (run.status === "failed") throw new Error(`the training failed: ${JSON.stringify(run.error)}`);
        await delay(50);
      }
    };
    const small = await train(classTable(3), "small", { mode: "light" });
    const trees = await train(classTable(40), "trees", {
      mode: "heavy",
      parameters: { rounds: 140, earlyStoppingRounds: 140, maxDepth: 6 },
    });
    const { sizeBytes } = (await expectJson(200, "GET", trees)) as { sizeBytes: number };
    const dataset = (await expectJson(200, "GET", url("/datasets?limit=1"))) as { items: { id: string }[] };
    const row = { c0: 1, c1: 2, c2: 3, c3: 1, c4: 2, c5: 3 };
    const rows = JSON.stringify({ rows: Array.from({ length: 1_000 }, () => row) });
    const loads = {
      "no others": undefined,
      "4 MB of CSV": { path: `${small}/predictions`, body: wideCsv(), headers: csv },
      "5,600 trees": { path: `${trees}/predictions`, body: rows, headers: json },
    };
    const seen = Object.fromEntries(Object.keys(loads).map((name) => [name, nothing()])) as Record<
      keyof typeof loads,
      Beside
    >;
    for (let round = -1; round < rounds; round += 1) {
      for (const [name, load] of Object.entries(loads)) {
        const into = round < 0 ? nothing() : seen[name as keyof typeof loads]; // the first compiles
        const began = performance.now();
        const isOver = (): boolean => performance.now() - began > loadSeconds * 1000;
        let made = 0;
        let refused = 0;
        const watched = await service.watch(async () => {
          const loading = Array.from({ length: load === undefined ? 0 : clients }, () =>
            repeat(isOver, 0, async () => {
              const { status } = await send("POST", load!.path, load!.body, load!.headers);
              if (status === 200) made += 1;
              else if (status === 429) refused += 1;
              else throw new Error(`a large prediction was answered with ${status}`);
            }),
          );
          const reading = repeat(isOver, 5, () => expectJson(200, "GET", url(`/datasets/${dataset.items[0]!.id}`)));
          const body = JSON.stringify({ rows: [row] });
          const predicting = repeat(isOver, 5, () => expectJson(200, "POST", `${small}/predictions`, body, json));
          into.read.push(percentile(await reading, 0.99));
          into.small.push(percentile(await predicting, 0.99));
          await Promise.all(loading);
        });
        into.loopP99.push(watched.loopP99Ms);
        into.loopMax.push(watched.loopMaxMs);
        into.made.push((made * 1000) / (performance.now() - began));
        into.refused.push((100 * refused) / Math.max(1, made + refused));
      }
    }
    return Object.entries(seen).flatMap(([name, { read, small: quick, loopP99, loopMax, made, refused }]) => [
      { what: `p99 of GET /datasets/{id} beside ${name}`, unit: "ms", figure: figure(read), atMost: 50 },
      { what: `p99 of a prediction of one row beside ${name}`, unit: "ms", figure: figure(quick), atMost: 50 },
      { what: `event-loop delay p99 beside ${name}`, unit: "ms", figure: figure(loopP99), atMost: 20 },
      { what: `longest event-loop delay beside ${name}`, unit: "ms", figure: figure(loopMax) },
      ...(name === "no others"
        ? []
        : [
            { what: `predictions a second, ${name} (${clients} clients)`, unit: "", figure: figure(made) },
            { what: `of them refused with 429, ${name}`, unit: "%", figure: figure(refused) },
          ]),
      ...(name === "5,600 trees"
        ? [{ what: "the model of 5,600 trees", unit: "MB", figure: figure([sizeBytes / 1e6]) }]
        : []),
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
