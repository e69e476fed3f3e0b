/**
 * Uses a service as a client would, and compares what it counted itself with what /metrics says.
 * Over 300 lines, since it is one story told from top to bottom: client, steps, table.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseCsv } from "../../src/artifacts/parse-csv-rows.ts";
import { carsCsv, penguinsCsv, seattleWeatherCsv } from "./real-data.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const startSeconds = 60;
const runSeconds = 300;
/** A dataset that expires later than this is not waited for. */
const expirySeconds = 120;
const settleSeconds = 15;
const stepCount = 16;

const goodDatasets = [
  { name: "demo-seattle-weather", target: "weather", content: seattleWeatherCsv() },
  { name: "demo-penguins", target: "Species", content: penguinsCsv() },
  { name: "demo-cars", target: "Miles_per_Gallon", content: carsCsv() },
];
const badDatasets = [
  { name: "demo-ragged", content: Buffer.from("a,b,c\n1,2,3\n4,5\n6,7,8\n") },
  { name: "demo-header-only", content: Buffer.from("a,b,c\n") },
];

interface Dataset {
  readonly id: string;
  readonly expiresAt: string | null;
}
interface Run {
  readonly id: string;
  readonly mode: string;
  readonly task: string;
  readonly status: string;
  readonly artifactId: string | null;
}
type Labels = Readonly<Record<string, string>>;
type Samples = readonly { readonly name: string; readonly labels: Labels; readonly value: number }[];

/** One line of the table; `counted` is undefined for what this service does not show. */
interface Comparison {
  readonly what: string;
  readonly counted: number | undefined;
  readonly metric: string;
  readonly matches: (labels: Labels) => boolean;
}

const usage = `Usage: npm run demo -- [--url URL] [--metrics-url URL] [--api-key KEY]

  --url          of a running service, where what others do meanwhile is told apart; without it one is started for the demo
  --metrics-url  where that service serves its metrics, if not at URL/metrics (METRICS_BEARER_TOKEN: its token)
  --api-key      one of that service's keys; API_KEY in the environment does the same, and shows in no process list
`;

function readOptions() {
  try {
    return parseArgs({
      options: { url: { type: "string" }, "metrics-url": { type: "string" }, "api-key": { type: "string" } },
    }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}

const options = readOptions();
const apiKey = options["api-key"] ?? process.env.API_KEY ?? "";
const metricsToken = process.env.METRICS_BEARER_TOKEN ?? "";

let stepsDone = 0;
function step(text: string): void {
  stepsDone = Math.min(stepsDone + 1, stepCount);
  if (!process.stderr.isTTY) {
    process.stderr.write(`${text}\n`);
    return;
  }
  const width = 24;
  const filled = Math.round((stepsDone / stepCount) * width);
  process.stderr.write(`\r\x1b[K[${"#".repeat(filled)}${".".repeat(width - filled)}] ${text}`);
}

/** Starts a service whose datasets live 17 seconds, and returns how to end it. */
async function startOwnService(): Promise<{ url: string; stop: () => Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), "mlops-demo-"));
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ["--import", "./otel/register", "src/main.ts"], {
    cwd: root,
    env: {
      PATH,
      HOME,
      SERVICE_PORT: "0",
      DATA_DIR: dataDir,
      DATASET_TTL_DAYS: "0.0002",
      DATASET_TTL_CHECK_INTERVAL_SECONDS: "2",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const lastLines: string[] = [];
  const { promise: ready, resolve } = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      if (lastLines.push(line) > 20) lastLines.shift();
      if (!line.startsWith("{")) return;
      const entry = JSON.parse(line) as { msg?: unknown; url?: unknown };
      if (entry.msg === "ready" && typeof entry.url === "string") resolve(entry.url);
    });
  }
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) {
      const how = child.signalCode ?? child.exitCode;
      process.stderr.write(`The service ended by itself (${how}); its last lines:\n${lastLines.join("\n")}\n`);
    }
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 30_000);
      await exited;
      clearTimeout(timer);
    }
    await rm(dataDir, { recursive: true, force: true });
  };
  const waiting = new AbortController();
  const started = await Promise.race([
    ready,
    exited.then(() => undefined),
    delay(startSeconds * 1000, undefined, { signal: waiting.signal }),
  ]);
  waiting.abort();
  if (started !== undefined) return { url: started, stop };
  await stop();
  throw new Error(`The service was not ready within ${startSeconds} s:\n${lastLines.join("\n")}`);
}

function parseSamples(text: string): Samples {
  return text.split("\n").flatMap((line) => {
    const match = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match === null) return [];
    const pairs = [...(match[2] ?? "").matchAll(/([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g)];
    return [
      { name: match[1]!, labels: Object.fromEntries(pairs.map(([, k, v]) => [k!, v!])), value: Number(match[3]) },
    ];
  });
}

function sumOf(samples: Samples, { metric, matches }: Comparison): number {
  return samples
    .filter(({ name, labels }) => name === metric && matches(labels))
    .reduce((sum, { value }) => sum + value, 0);
}

/** Speaks to the service and counts what it does. */
function createClient(url: string, metricsUrl: string, signal: AbortSignal) {
  const counts = new Map<string, number>();
  const count = (what: string, by = 1): void => {
    counts.set(what, (counts.get(what) ?? 0) + by);
  };

  async function call(method: string, path: string, body?: FormData | string, contentType?: string) {
    const headers = new Headers();
    if (apiKey !== "") headers.set("Authorization", `Bearer ${apiKey}`);
    if (contentType !== undefined) headers.set("Content-Type", contentType);
    const response = await fetch(`${url}/api/ml/v1${path}`, { method, headers, body: body ?? null, signal });
    count("requests");
    const text = await response.text();
    const json = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
    if (response.status === 401)
      throw new Error("The service wants an API key: --api-key, or API_KEY in the environment.");
    return { status: response.status, json };
  }

  function expectStatus(answer: { status: number; json: unknown }, ...expected: number[]): void {
    if (expected.includes(answer.status)) return;
    throw new Error(`Expected ${expected.join(" or ")}, got ${answer.status}: ${JSON.stringify(answer.json)}`);
  }

  return {
    counted: (what: string): number => counts.get(what) ?? 0,
    count,
    async scrape(): Promise<Samples> {
      const headers = new Headers({ Accept: "text/plain" });
      if (metricsToken !== "") headers.set("Authorization", `Bearer ${metricsToken}`);
      const response = await fetch(metricsUrl, { headers, signal });
      if (response.ok) return parseSamples(await response.text());
      const hints: Record<number, string> = {
        401: " It wants METRICS_BEARER_TOKEN in the environment.",
        404: " Are they switched off, or elsewhere (--metrics-url)?",
      };
      throw new Error(`${metricsUrl} answered ${response.status}.${hints[response.status] ?? ""}`);
    },
    async upload(name: string, content: Buffer, target?: string): Promise<Dataset | undefined> {
      const form = new FormData();
      form.set("name", name);
      if (target !== undefined) form.set("target", target);
      form.set("file", new Blob([new Uint8Array(content)], { type: "text/csv" }), `${name}.csv`);
      const answer = await call("POST", "/datasets/upload", form);
      if (answer.status >= 400 && answer.status < 500) {
        count("uploads rejected");
        return undefined;
      }
      expectStatus(answer, 200, 201);
      count(answer.status === 201 ? "uploads accepted" : "uploads duplicate");
      return answer.json as unknown as Dataset;
    },
    async submit(datasetId: string, mode: string, parameters: Record<string, number> = {}): Promise<Run> {
      const answer = await call(
        "POST",
        "/training-runs",
        JSON.stringify({ datasetId, mode, parameters }),
        "application/json",
      );
      expectStatus(answer, 202);
      return answer.json as unknown as Run;
    },
    async cancel(run: Run): Promise<void> {
      // 409: it ended first; its final state is counted all the same.
      expectStatus(await call("POST", `/training-runs/${run.id}/cancel`), 202, 409);
    },
    async finalState({ id }: Run): Promise<Run> {
      const endMs = performance.now() + runSeconds * 1000;
      while (performance.now() < endMs) {
        const answer = await call("GET", `/training-runs/${id}`);
        expectStatus(answer, 200);
        const run = answer.json as unknown as Run;
        if (run.status !== "queued" && run.status !== "running") {
          count(`runs ${run.status}`);
          return run;
        }
        await delay(150, undefined, { signal });
      }
      throw new Error(`The training run ${id} did not end within ${runSeconds} s.`);
    },
    async predict(artifactId: string, body: string, contentType: string): Promise<void> {
      const answer = await call("POST", `/artifacts/${artifactId}/predictions`, body, contentType);
      expectStatus(answer, 200, 422, 400);
      if (answer.status !== 200) return count("predictions rejected");
      count("predictions succeeded");
      count("rows predicted", (answer.json.predictions as unknown[]).length);
    },
    async isGone({ id }: Dataset): Promise<boolean> {
      return (await call("GET", `/datasets/${id}`)).status === 404;
    },
  };
}
type Client = ReturnType<typeof createClient>;

/** Trains both modes and predicts with each; submitted at once after the upload, so that the runs keep it alive. */
async function trainAndPredict(client: Client, dataset: Dataset, name: string, content: Buffer): Promise<void> {
  const runs = [await client.submit(dataset.id, "light"), await client.submit(dataset.id, "heavy")];
  const text = content.toString("utf8");
  const [names = [], ...lines] = parseCsv(text);
  const rows = lines.slice(0, 20).map((cells) => Object.fromEntries(names.map((name, at) => [name, cells[at]])));
  for (const run of runs) {
    const ended = await client.finalState(run);
    step(`${name}: ${ended.mode} ${ended.status}`);
    if (ended.artifactId === null) continue;
    await client.predict(ended.artifactId, JSON.stringify({ rows }), "application/json");
    await client.predict(ended.artifactId, `${text.split("\n").slice(0, 11).join("\n")}\n`, "text/csv");
    await client.predict(ended.artifactId, JSON.stringify({ rows: [{ "no such column": 1 }] }), "application/json");
  }
}

/** @returns how many were seen to go; undefined when this service keeps them longer than anyone would wait */
async function awaitExpiry(
  client: Client,
  datasets: readonly Dataset[],
  signal: AbortSignal,
): Promise<number | undefined> {
  const latestMs = Math.max(
    ...datasets.map(({ expiresAt }) => (expiresAt === null ? Infinity : Date.parse(expiresAt))),
  );
  if (latestMs - Date.now() > expirySeconds * 1000) return undefined;
  const endMs = Math.max(latestMs, Date.now()) + expirySeconds * 1000;
  let left = datasets;
  while (left.length > 0 && Date.now() < endMs) {
    const gone = await Promise.all(left.map((dataset) => client.isGone(dataset)));
    left = left.filter((_, index) => !gone[index]);
    if (left.length > 0) await delay(500, undefined, { signal });
  }
  return datasets.length - left.length;
}

/** What our names begin with: a service may have another namespace. */
function prefixOf(samples: Samples): string {
  const name = samples.find((sample) => sample.name.endsWith("_build_info"))?.name;
  if (name === undefined) throw new Error("These are not the metrics of this service: no build_info among them.");
  return name.slice(0, -"build_info".length);
}

function comparisons(client: Client, prefix: string, expired: number | undefined): Comparison[] {
  const by = (what: string, metric: string, key: string, value: string): Comparison => ({
    what,
    counted: client.counted(what),
    metric: `${prefix}${metric}`,
    matches: (labels) => labels[key] === value,
  });
  return [
    by("uploads accepted", "dataset_uploads_total", "outcome", "accepted"),
    by("uploads duplicate", "dataset_uploads_total", "outcome", "duplicate"),
    by("uploads rejected", "dataset_uploads_total", "outcome", "rejected"),
    by("runs succeeded", "training_runs_total", "outcome", "succeeded"),
    by("runs failed", "training_runs_total", "outcome", "failed"),
    by("runs cancelled", "training_runs_total", "outcome", "cancelled"),
    by("predictions succeeded", "predictions_total", "outcome", "succeeded"),
    by("predictions rejected", "predictions_total", "outcome", "rejected"),
    {
      what: "rows predicted",
      counted: client.counted("rows predicted"),
      metric: `${prefix}prediction_rows_total`,
      matches: () => true,
    },
    {
      what: "datasets expired",
      counted: expired,
      metric: `${prefix}dataset_ttl_datasets_removed_total`,
      matches: () => true,
    },
    {
      what: "API requests",
      counted: client.counted("requests"),
      metric: `${prefix}http_requests_total`,
      matches: (labels) => labels.http_route?.startsWith("/api/ml/v1/") === true,
    },
  ];
}

/** What the last column says. On a service of others the counters hold what they do meanwhile, too; less is a fault. */
function agreement(counted: number, shown: number, isShared: boolean): string {
  if (shown === counted) return "yes";
  return isShared && shown > counted ? `yes, and ${shown - counted} of others` : "NO";
}

/** The table, and whether every line agrees. */
function report(
  lines: readonly Comparison[],
  { before, after, isShared }: { before: Samples; after: Samples; isShared: boolean },
): { text: string; agrees: boolean } {
  const cells = lines.map((line) => {
    const shown = sumOf(after, line) - sumOf(before, line);
    if (line.counted === undefined) return [line.what, "not shown", "not shown", "-"];
    return [line.what, String(line.counted), String(shown), agreement(line.counted, shown, isShared)];
  });
  const agrees = cells.every(([, , , says]) => says !== "NO");
  const table = [["what happened", "client counted", "/metrics says", "agree"], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  const text = table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
  return { text, agrees };
}

interface Place {
  readonly url: string;
  readonly metricsUrl: string;
  /** Whether others may use this service at the same time. */
  readonly isShared: boolean;
}

async function runDemo({ url, metricsUrl, isShared }: Place, signal: AbortSignal): Promise<boolean> {
  const client = createClient(url, metricsUrl, signal);
  const before = await client.scrape();
  const prefix = prefixOf(before);
  const datasets: Dataset[] = [];
  for (const { name, target, content } of goodDatasets) {
    const dataset = await client.upload(name, content, target);
    if (dataset === undefined) throw new Error(`The upload of ${name} was refused.`);
    datasets.push(dataset);
    step(`${name}: uploaded`);
    if (datasets.length === 1) {
      const run = await client.submit(dataset.id, "heavy", { rounds: 5000, earlyStoppingRounds: 5000 });
      await client.cancel(run);
      step(`${name}: heavy ${(await client.finalState(run)).status}`);
    }
    await trainAndPredict(client, dataset, name, content);
  }
  for (const { name, content } of badDatasets) {
    await client.upload(name, content);
    step(`${name}: refused`);
  }
  step("waiting for the datasets to expire");
  const expired = await awaitExpiry(client, datasets, signal);
  step(expired === undefined ? "the datasets do not expire here" : `${expired} datasets expired`);

  // Counters follow the commit that a client sees: they may be a moment late, so a difference must last.
  const endMs = performance.now() + settleSeconds * 1000;
  const compare = async () =>
    report(comparisons(client, prefix, expired), { before, after: await client.scrape(), isShared });
  let result = await compare();
  while (!result.agrees && performance.now() < endMs) {
    await delay(500, undefined, { signal });
    result = await compare();
  }
  step("compared");
  if (process.stderr.isTTY) process.stderr.write("\n");
  process.stdout.write(`${result.text}\n`);
  return result.agrees;
}

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => interrupted.abort(new Error("Interrupted.")));
let stop: (() => Promise<void>) | undefined;
try {
  let url = options.url?.replace(/\/$/, "");
  if (url === undefined) {
    const own = await startOwnService();
    ({ url, stop } = own);
  }
  step(`the service at ${url}`);
  const metricsUrl = options["metrics-url"] ?? `${url}/metrics`;
  const agrees = await runDemo({ url, metricsUrl, isShared: stop === undefined }, interrupted.signal);
  process.exitCode = agrees ? 0 : 1;
} catch (error) {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : "";
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}${cause}\n`);
  process.exitCode = 1;
} finally {
  await stop?.();
}
