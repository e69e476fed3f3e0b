import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Query } from "./plain-prometheus.ts";
import { eventually, startService } from "./processes.ts";
import { drawnOn, liveThrough } from "./restarted-replicas.ts";
import { type ScratchPostgres, startScratchPostgres } from "./scratch-postgres.ts";

// What the service counts is held against its own database: rows, not what a test believes to have sent.

const api = "/api/ml/v1";
const events = { atStart: 4, later: [6, 3], afterRestart: 12, last: 2 } as const;
const resources = new AsyncDisposableStack();
afterAll(() => resources.disposeAsync());
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "mlops-backend-truth-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
let postgres: ScratchPostgres;
beforeAll(async () => {
  postgres = resources.use(await startScratchPostgres(newFolder()));
});

/** What Prometheus asks: a port that stays the same and is shut until it is opened, as a service that starts is. */
class Gate implements AsyncDisposable {
  readonly #server = createServer((socket) => {
    socket.on("error", () => {});
    if (this.#target === undefined) return void socket.destroy();
    const onward = connect(this.#target, "127.0.0.1");
    onward.on("error", () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  #target: number | undefined;

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  to(target: number | undefined): void {
    this.#target = target;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
  }
}

async function answer(status: number, call: Promise<Response>): Promise<{ id: string; status: string }> {
  const response = await call;
  if (response.status !== status) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as { id: string; status: string };
}

/** Uploads so many datasets, each different, and trains on the first of them. */
async function use(url: string, count: number, label: string): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const form = new FormData();
    form.set("name", `${label}-${index}`);
    const rows = Array.from({ length: 40 }, (_, row) => `${row},${row % 7},${row * 2 + index}`);
    form.set("file", new Blob([`a,b,c\n${rows.join("\n")}\n`], { type: "text/csv" }), "numbers.csv");
    const dataset = await answer(201, fetch(`${url}${api}/datasets/upload`, { method: "POST", body: form }));
    if (index > 0) continue;
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ datasetId: dataset.id, mode: "light" });
    const { id } = await answer(202, fetch(`${url}${api}/training-runs`, { method: "POST", headers, body }));
    await eventually("the end of a run", 60, async () => {
      const { status } = await answer(200, fetch(`${url}${api}/training-runs/${id}`));
      return status === "succeeded" ? true : undefined;
    });
  }
}

/** The same life for two replicas of the service on one database. */
async function liveThroughWithService(
  env: NodeJS.ProcessEnv,
  features: readonly string[],
): Promise<{ query: Query; rows: (table: string) => Promise<number> }> {
  const databaseUrl = await postgres.newDatabase();
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  resources.defer(() => client.end());
  const dataDir = newFolder();
  const replicas = new Map<number, { gate: Gate; url: string }>();
  let labels = 0;
  const useOf = async (port: number, count: number): Promise<void> => {
    labels += 1;
    await use(replicas.get(port)!.url, count, `replica-${labels}`);
  };
  const query = await liveThrough(resources, {
    async start(port, count) {
      const gate = port === undefined ? resources.use(new Gate()) : replicas.get(port)!.gate;
      const at = port ?? (await gate.listen());
      gate.to(undefined);
      const { service: own, url } = await startService(dataDir, { ...env, DATABASE_URL: databaseUrl });
      resources.use(own);
      replicas.set(at, { gate, url });
      await useOf(at, count);
      gate.to(Number(new URL(url).port));
      return { own, host: `127.0.0.1:${at}` };
    },
    happen: (host, count) => useOf(Number(host.split(":")[1]), count),
    events,
    features,
  });
  return {
    query,
    async rows(table) {
      const { rows } = await client.query<{ count: number }>(`select count(*)::integer as count from ${table}`);
      return rows[0]!.count;
    },
  };
}

const counters = {
  datasets: 'mlops_backend_dataset_uploads_total{outcome="accepted"}',
  training_runs: 'mlops_backend_training_runs_total{outcome="succeeded"}',
};

/** Of both replicas, and the most that it may be for that many rows. */
async function increaseOf(query: Query, counter: string): Promise<{ increase: number; atMostTimes: number }> {
  const [sum] = await query(`sum(increase(${counter}[10m]))`);
  const samples = (await query(`count_over_time(${counter}[10m])`)).map(({ value }) => Number(value[1]));
  return { increase: Number(sum?.value[1]), atMostTimes: drawnOn(Math.min(...samples)) };
}

describe("two replicas, events before a scrape and during a restart", () => {
  test("with _created and created-timestamp-zero-ingestion increase() is what the database has", async () => {
    const { query, rows } = await liveThroughWithService({ PROMETHEUS__CREATED: "true" }, [
      "created-timestamp-zero-ingestion",
    ]);
    expect(await rows("datasets")).toBe(31);
    expect(await rows("training_runs")).toBe(6);
    for (const [table, counter] of Object.entries(counters)) {
      const { increase, atMostTimes } = await increaseOf(query, counter);
      const recorded = await rows(table);
      expect(increase, table).toBeGreaterThanOrEqual(recorded - 1e-9);
      expect(increase, table).toBeLessThanOrEqual(recorded * atMostTimes);
    }
  });

  test("without both it is what came after a first scrape, and what a restart goes beyond", async () => {
    const { query, rows } = await liveThroughWithService({}, []);
    expect(await rows("datasets")).toBe(31);
    const { increase, atMostTimes } = await increaseOf(query, counters.datasets);
    // Of the second 3; of the first 6, then from 10 to 12 as if it had never ended, then 2.
    expect(increase).toBeGreaterThanOrEqual(13 - 1e-9);
    expect(increase).toBeLessThanOrEqual(13 * atMostTimes);
  });
});
