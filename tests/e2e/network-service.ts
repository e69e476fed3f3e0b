import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { noiseCsv } from "../support/endless-training.ts";
import { startService } from "../support/service.ts";
import { tenAtATime } from "../support/ten-at-a-time.ts";
import { sha256 } from "./cluster-clients.ts";
import { eventually } from "./processes.ts";
import type { SpoiltWay } from "./toxiproxy-process.ts";

export interface Ways {
  readonly database: SpoiltWay;
  readonly storage: SpoiltWay;
}

/** How a call ended. */
export interface Call {
  readonly what: string;
  /** Status, with the code where it is a fault; «broken off» in the middle of an answer, «no answer» without one. */
  readonly outcome: string;
  readonly seconds: number;
}

/** The service behind two ways that can be spoilt, with the traffic that shows what clients see of it. */
export interface ServiceBehind extends AsyncDisposable {
  readonly url: string;
  /** Since the traffic was started. */
  readonly calls: readonly Call[];
  startTraffic(): void;
  endTraffic(): Promise<void>;
  readiness(): Promise<{ status: number; failing: string[] }>;
  /** A training of some seconds; returns when it has begun. */
  submitSlowRun(): Promise<string>;
  submitRun(): Promise<string>;
  /** Waits for it: it succeeds, or fails by what the network did to its three attempts. */
  endOf(runId: string): Promise<string>;
  /** Throws where something that was answered with 2xx is not there. */
  checkAcknowledged(): Promise<void>;
  isAlive(): boolean;
  /** What it wrote so far. */
  readonly lines: readonly string[];
}

/** Longer than any answer may take; whoever waits that long waits for ever. */
const patienceMs = 60_000;
const light = { mode: "light" };
const slow = { mode: "heavy", parameters: { rounds: 40, earlyStoppingRounds: 40, maxDepth: 8 } };
const explained = ["STORAGE_FAILED", "DATABASE_FAILED"];

const smallCsv = (): Buffer => {
  const rows = Array.from({ length: 1_500 }, (_, index) => `${index},${index % 7},${index % 2 === 0 ? "even" : "odd"}`);
  return Buffer.from(`a,b,${randomUUID().slice(0, 8)}\n${rows.join("\n")}\n`);
};

/** Starts it with short limits: what takes a quarter of a minute in production takes three seconds here. */
export async function startServiceBehind(
  ways: Ways,
  { folder, databaseUrl, env }: { folder: string; databaseUrl: string; env: Record<string, string> },
): Promise<ServiceBehind> {
  const behind = new URL(databaseUrl);
  behind.host = ways.database.address;
  const dataDir = join(folder, "data");
  mkdirSync(dataDir);
  const service = await startService({
    env: {
      ...env,
      S3__ENDPOINT: `http://${ways.storage.address}`,
      S3__TIMEOUT_SECONDS: "1.5",
      S3__TIME_BUDGET_SECONDS: "2",
      S3__MAX_ATTEMPTS: "2",
      DATABASE__TIMEOUT_SECONDS: "3",
      MAX_QUEUED_RUNS_PER_OWNER: "1000",
      MAX_MODEL_ARTIFACTS: "1000",
      MAX_CONCURRENT_UPLOADS: "50",
      PROMETHEUS__CREATED: "true",
    },
    on: { dataDir, databaseUrl: behind.href },
  });
  const datasets = new Map<string, string>();
  const runs = new Set<string>();
  let calls: Call[] = [];
  let isOver = true;
  let traffic: Promise<unknown> = Promise.resolve();

  async function call(what: string, path: string, init: RequestInit = {}): Promise<{ status: number; body: Buffer }> {
    const startMs = performance.now();
    let outcome = "no answer";
    let status = 0;
    try {
      const response = await fetch(`${service.url}${path}`, { ...init, signal: AbortSignal.timeout(patienceMs) });
      status = response.status;
      outcome = "broken off";
      const body = Buffer.from(await response.arrayBuffer());
      const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
      outcome = isProblem ? `${status} ${JSON.parse(body.toString()).code}` : String(status);
      return { status, body };
    } catch {
      return { status: 0, body: Buffer.alloc(0) };
    } finally {
      if (!isOver) calls.push({ what, outcome, seconds: (performance.now() - startMs) / 1000 });
    }
  }
  const api = "/api/ml/v1";

  async function upload(csv = smallCsv()): Promise<string | undefined> {
    const form = new FormData();
    form.append("file", new Blob([new Uint8Array(csv)]), "data.csv");
    form.append("name", randomUUID());
    const { status, body } = await call("upload", `${api}/datasets/upload`, { method: "POST", body: form });
    if (status !== 201) return undefined;
    const { id } = JSON.parse(body.toString()) as { id: string };
    datasets.set(id, sha256(csv));
    return id;
  }
  async function submit(datasetId: string, more: object): Promise<string | undefined> {
    const { status, body } = await call("submit", `${api}/training-runs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ datasetId, ...more }),
    });
    if (status !== 202) return undefined;
    const { id } = JSON.parse(body.toString()) as { id: string };
    runs.add(id);
    return id;
  }
  const needed = async <Value>(value: Promise<Value | undefined>): Promise<Value> => {
    const given = await value;
    if (given === undefined) throw new Error("The service did not take what a test needs.");
    return given;
  };
  async function runOf(id: string): Promise<{ status: string; error: { code: string } | null } | undefined> {
    const { status, body } = await call("run", `${api}/training-runs/${id}`);
    return status === 200 ? JSON.parse(body.toString()) : undefined;
  }

  const small = await needed(upload());
  const large = await needed(upload(Buffer.from(noiseCsv())));
  const ended = await needed(submit(small, light));
  await eventually("a first run ends", 30, async () =>
    (await runOf(ended))?.status === "succeeded" ? true : undefined,
  );

  const repeatedly = async (work: () => Promise<unknown>, pauseMs: number): Promise<void> => {
    while (!isOver) {
      await work();
      await delay(pauseMs);
    }
  };

  return {
    url: service.url,
    lines: service.lines,
    get calls() {
      return calls;
    },
    startTraffic() {
      isOver = false;
      calls = [];
      const content = () => call("download", `${api}/datasets/${small}/content`);
      traffic = Promise.all([
        ...Array.from({ length: 2 }, () => repeatedly(() => call("list", `${api}/datasets`), 400)),
        ...Array.from({ length: 8 }, () => repeatedly(content, 200)),
        repeatedly(() => upload(), 500),
        repeatedly(() => upload(), 500),
        repeatedly(() => submit(small, light), 1_000),
        // A stream of a run that has ended closes by itself; it wants a listening connection first.
        repeatedly(() => call("events", `${api}/training-runs/${ended}/events`), 500),
      ]);
    },
    async endTraffic() {
      isOver = true;
      await traffic;
    },
    async readiness() {
      const response = await fetch(`${service.url}/api/health/ready`, { signal: AbortSignal.timeout(5_000) });
      const { failing } = (await response.json()) as { failing: string[] };
      return { status: response.status, failing };
    },
    async submitSlowRun() {
      const id = await needed(submit(large, slow));
      await eventually("the run begins", 60, async () => ((await runOf(id))?.status === "running" ? true : undefined));
      return id;
    },
    submitRun: () => needed(submit(small, light)),
    endOf: (id) =>
      eventually(`run ${id} ends`, 60, async () => {
        const run = await runOf(id);
        if (run?.status === "failed" && !explained.includes(run.error?.code ?? ""))
          throw new Error(`it failed: ${run.error?.code}`);
        if (run?.status === "succeeded" || run?.status === "failed") return run.status;
        throw new Error(`it is ${run?.status}`);
      }),
    async checkAcknowledged() {
      await tenAtATime(datasets, async ([id, sent]) => {
        const { status, body } = await call("check", `${api}/datasets/${id}/content`);
        if (status !== 200 || sha256(body) !== sent) throw new Error(`dataset ${id}: ${status}`);
      });
      await tenAtATime(runs, async (id) => {
        if ((await runOf(id)) === undefined) throw new Error(`run ${id} is gone`);
      });
    },
    isAlive() {
      try {
        return process.kill(service.pid, 0);
      } catch {
        return false;
      }
    },
    async [Symbol.asyncDispose]() {
      await service.halt();
    },
  };
}
