import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { inject } from "vitest";

const root = new URL("../..", import.meta.url).pathname;

declare module "vitest" {
  interface ProvidedContext {
    /** A data folder whose embedded database is migrated; tests copy it. */
    migratedFolder: string;
  }
}

/** An answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the service answers; expectations say what it should be
  readonly json: any;
}

/** The service as a process of its own, on a database, folder and port of its own. */
export interface RunningService {
  readonly url: string;
  readonly dataDir: string;
  readonly databaseUrl: string;
  /** What it wrote on stdout, a line each. */
  readonly lines: string[];
  /** The same of stderr, where telemetry says what is wrong with it. */
  readonly errorLines: string[];
  readonly pid: number;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  upload(
    content: Buffer | string,
    fields?: Record<string, string>,
    fileName?: string,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** Submits a run and waits for its final state. */
  train(datasetId: string, more?: Record<string, unknown>): Promise<Answer>;
  waitForRun(id: string, isDone?: (run: { status: string }) => boolean): Promise<Answer>;
  /** Value of a sample of /metrics, the sum over those whose labels match. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  kill(signal: NodeJS.Signals): Promise<number | null>;
  /** Ends it by SIGTERM and removes folder and database. */
  stop(): Promise<void>;
  /** Ends the process and keeps folder and database. */
  halt(): Promise<number | null>;
}

/** What a test may set up differently. */
export interface ServiceOptions {
  readonly env?: Record<string, string>;
  /** Continue on what another service left behind. */
  readonly on?: { readonly dataDir: string; readonly databaseUrl: string };
  /** Told of each line while it starts and afterwards. */
  readonly onLine?: (line: string) => void;
  /** Told of the process before it is ready, for who wants to end it in its start. */
  readonly onSpawn?: (pid: number) => void;
}

/** Of a database or role on a server that other runs use too: what has the run's name goes with the run. */
export function nameOnServer(): string {
  return `test_${process.env.TEST_RUN}_${Math.random().toString(36).slice(2, 10)}`;
}

/** A new one on TEST_DATABASE_URL's server; empty where there is none. */
export async function createDatabase(): Promise<string> {
  const server = process.env.TEST_DATABASE_URL;
  if (server === undefined || server === "") return "";
  const name = nameOnServer();
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.toString();
}

export async function dropDatabase(databaseUrl: string): Promise<void> {
  if (databaseUrl === "") return;
  const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
  await client.connect();
  await client.query(`drop database if exists ${new URL(databaseUrl).pathname.slice(1)} with (force)`);
  await client.end();
}

async function newPlace(): Promise<{ dataDir: string; databaseUrl: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), "mlops-test-"));
  const databaseUrl = await createDatabase();
  // Copying takes a second, a fresh embedded database five to seven.
  if (databaseUrl === "") await cp(inject("migratedFolder"), dataDir, { recursive: true });
  return { dataDir, databaseUrl };
}

/** Waits until `probe` gives a value; the bound is for hanging, not for measuring. */
export async function eventually<Value>(
  probe: () => Promise<Value | undefined | false>,
  seconds = 300,
): Promise<Value> {
  const endMs = performance.now() + seconds * 1000;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > endMs) throw new Error(`Nothing came within ${seconds} s.`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Environment of a service of its own: nothing of the machine's settings reaches it. */
export function serviceEnvironment(
  place: { dataDir: string; databaseUrl: string },
  env: Record<string, string> = {},
): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return {
    PATH,
    HOME,
    SERVICE_PORT: "0",
    DATA_DIR: place.dataDir,
    DATABASE_URL: place.databaseUrl,
    SHUTDOWN_GRACE_SECONDS: "1",
    ...env,
  };
}

/** Starts what is expected to refuse, and waits for its end. */
export async function refusedStart(
  place: { readonly dataDir: string; readonly databaseUrl: string },
  env: Record<string, string> = {},
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, ["--import", "./otel/register", "src/main.ts"], {
    cwd: root,
    env: serviceEnvironment(place, env),
    stdio: ["ignore", "ignore", "pipe"],
    // A start that isn't refused fails its test, and is not left behind.
    timeout: 300_000,
    killSignal: "SIGKILL",
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const [code] = await once(child, "close");
  return { code, stderr };
}

/** Starts `src/main.ts` as `npm start` does and waits until it is ready. */
export async function startService({ env = {}, on, onLine, onSpawn }: ServiceOptions = {}): Promise<RunningService> {
  const place = on ?? (await newPlace());
  const child = spawn(process.execPath, ["--import", "./otel/register", "src/main.ts"], {
    cwd: root,
    env: serviceEnvironment(place, env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (child.pid !== undefined) onSpawn?.(child.pid);
  const lines: string[] = [];
  const errorLines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => errorLines.push(line));
  // Not at its exit: what it wrote last may still be in the pipes then.
  const exited = once(child, "close").then(([code]) => code as number | null);
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      onLine?.(line);
      if (line.includes('"ready"')) resolve(JSON.parse(line).url);
    });
    exited.then((code) =>
      reject(new Error(`The service ended with ${code} at its start:\n${[...errorLines, ...lines].join("\n")}`)),
    );
  });

  exited.then((code) => {
    // Nobody asked for this end: what it said last is the only trace.
    if (code !== 0 && code !== null)
      process.stderr.write(`The service ended with ${code}:\n${[...errorLines, ...lines.slice(-5)].join("\n")}\n`);
  });

  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const isJson =
      body !== undefined && !(body instanceof FormData) && typeof body !== "string" && !(body instanceof Uint8Array);
    const response = await fetch(
      path.startsWith("/api") || path === "/metrics" ? `${url}${path}` : `${url}/api/ml/v1${path}`,
      {
        method,
        headers: { ...(isJson ? { "content-type": "application/json" } : {}), ...headers },
        ...(body === undefined ? {} : { body: (isJson ? JSON.stringify(body) : body) as never }),
      },
    );
    const text = await response.text();
    const isJsonAnswer = response.headers.get("content-type")?.includes("json") ?? false;
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJsonAnswer && text !== "" ? JSON.parse(text) : undefined,
    };
  };
  const halt = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    return exited;
  };
  const waitForRun: RunningService["waitForRun"] = (
    id,
    isDone = (run) => ["succeeded", "failed", "cancelled"].includes(run.status),
  ) =>
    eventually(async () => {
      const answer = await call("GET", `/training-runs/${id}`);
      return answer.status === 200 && isDone(answer.json) ? answer : undefined;
    });

  return {
    url,
    ...place,
    lines,
    errorLines,
    pid: child.pid ?? 0,
    call,
    upload(content, fields = {}, fileName = "data.csv", headers = {}) {
      const form = new FormData();
      form.append("file", new Blob([new Uint8Array(Buffer.from(content as string))]), fileName);
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      return call("POST", "/datasets/upload", form, headers);
    },
    async train(datasetId, more = {}) {
      const submitted = await call("POST", "/training-runs", { datasetId, mode: "light", ...more });
      if (submitted.status !== 202) return submitted;
      return waitForRun(submitted.json.id);
    },
    waitForRun,
    async metric(name, labels = {}) {
      const { text } = await call("GET", "/metrics");
      let sum = Number.NaN;
      for (const line of text.split("\n")) {
        const [, sample, labelText = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
        if (
          sample !== name ||
          !Object.entries(labels).every(([key, wanted]) => labelText.includes(`${key}="${wanted}"`))
        )
          continue;
        sum = (Number.isNaN(sum) ? 0 : sum) + Number(value);
      }
      return sum;
    },
    async kill(signal) {
      child.kill(signal);
      return exited;
    },
    halt,
    async stop() {
      await halt();
      await dropDatabase(place.databaseUrl);
      await rm(place.dataDir, { recursive: true, force: true });
    },
  };
}

/** For a test that needs one service from its beginning to its end. */
export async function withService(
  env: Record<string, string>,
  use: (service: RunningService) => Promise<void>,
): Promise<void> {
  const service = await startService({ env });
  try {
    await use(service);
  } finally {
    await service.stop();
  }
}
