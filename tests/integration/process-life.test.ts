import { once } from "node:events";
import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { expect, test } from "vitest";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { seattleWeatherCsv } from "../support/real-data.ts";
import { eventually, refusedStart, startService } from "../support/service.ts";

/** What pg_stat_activity calls the connections of that database, our own aside. */
async function connectionNames(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query(
    "select distinct application_name as name from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() order by 1",
  );
  await client.end();
  return rows.map(({ name }) => name);
}

test("settings of telemetry that can't be used end the start with 2, all of them named, before anything is touched", async () => {
  const dataDir = join(tmpdir(), `mlops-never-made-${process.pid}`);
  const { code, stderr } = await refusedStart(
    { dataDir, databaseUrl: "" },
    {
      PROMETHEUS__LATENCY_BUCKETS: "[0.5, 0.25, 1]",
      PROMETHEUS__METRICS_PATH: "/api/ml/v1/datasets",
      PROMETHEUS__METRIC_NAMESPACE: "9-lives",
      SERVICE_PORT: "18123",
      METRICS_PORT: "18123",
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://collector.example.org",
      OTEL_EXPORTER_OTLP_CERTIFICATE: "/nowhere/ca.pem",
      OTEL_EXPORTER_OTLP_COMPRESSION: "brotli",
    },
  );
  expect(code).toBe(2);
  // Each with what to do, and nothing else: no stack, and not one fault told twice by register and by main.
  expect(stderr.trimEnd().split("\n").toSorted()).toEqual([
    "  - METRICS_PORT must differ from SERVICE_PORT",
    "  - OTEL_EXPORTER_OTLP_CERTIFICATE names a file that can't be read (ENOENT): /nowhere/ca.pem",
    "  - OTEL_EXPORTER_OTLP_COMPRESSION must be one of none, gzip",
    "  - PROMETHEUS__LATENCY_BUCKETS must be positive numbers in ascending order",
    "  - PROMETHEUS__METRICS_PATH must not lie under /api",
    "  - PROMETHEUS__METRIC_NAMESPACE must be letters, digits and _, and not begin with a digit",
    "The configuration is not usable:",
  ]);
  expect(existsSync(dataDir)).toBe(false);
});

test.runIf(!process.env.TEST_DATABASE_URL)(
  "a second process on one data folder says who has it; a lock of the dead is no hindrance",
  async () => {
    const first = await startService();
    try {
      const { code, stderr } = await refusedStart(first);
      expect(code).toBe(1);
      expect(stderr).toContain(`in use by process ${first.pid}`);
      expect((await first.call("GET", "/api/health/ready")).status).toBe(200);
      await first.kill("SIGKILL");
      const third = await startService({ on: first });
      expect((await third.call("GET", "/api/health/ready")).status).toBe(200);
      await third.halt();
    } finally {
      await first.stop();
    }
  },
);

test("SIGTERM in the middle of a training: the process ends with 0 without waiting for it, and the run is taken up again", async () => {
  const first = await startService({ env: { SHUTDOWN_GRACE_SECONDS: "1" } });
  const { json: dataset } = await first.upload(noiseCsv());
  const { json: run } = await first.call("POST", "/training-runs", { datasetId: dataset.id, ...endless });
  await first.waitForRun(run.id, ({ status }) => status === "running");
  // Its headers first: a request that is only just sent may find the server gone.
  const following = (await fetch(`${first.url}/api/ml/v1/training-runs/${run.id}/events`)).text();
  expect(await first.halt()).toBe(0);
  await following;

  const second = await startService({ on: first, env: { SHUTDOWN_GRACE_SECONDS: "1" } });
  try {
    const again = await second.waitForRun(run.id, ({ status }) => status === "running" || status === "succeeded");
    // Giving a run back is no attempt that failed.
    expect(again.json.attempt).toBe(1);
    await second.call("POST", `/training-runs/${run.id}/cancel`);
    await second.waitForRun(run.id);
  } finally {
    await second.stop();
  }
});

test("a training that finishes within the grace is not given back", async () => {
  const first = await startService({ env: { SHUTDOWN_GRACE_SECONDS: "20" } });
  const { json: dataset } = await first.upload(seattleWeatherCsv(), { target: "weather" });
  const { json: run } = await first.call("POST", "/training-runs", {
    datasetId: dataset.id,
    mode: "heavy",
    parameters: { rounds: 60 },
  });
  await first.waitForRun(run.id, ({ status }) => status !== "queued");
  expect(await first.halt()).toBe(0);
  const second = await startService({ on: first, env: { SERVICE_ROLE: "api" } });
  try {
    expect((await second.call("GET", `/training-runs/${run.id}`)).json).toMatchObject({
      status: "succeeded",
      attempt: 1,
    });
  } finally {
    await second.stop();
  }
});

test.runIf(process.env.TEST_DATABASE_URL)("an api and a worker process share the work over PostgreSQL", async () => {
  const api = await startService({ env: { SERVICE_ROLE: "api" } });
  const worker = await startService({ on: api, env: { SERVICE_ROLE: "worker" } });
  try {
    const { json: dataset } = await api.upload(seattleWeatherCsv(), { target: "weather" });
    const run = await api.train(dataset.id, { mode: "heavy" });
    expect(run.json.status).toBe("succeeded");
    expect(await worker.metric("mlops_backend_training_runs_total", { outcome: "succeeded" })).toBe(1);
    expect(await connectionNames(api.databaseUrl)).toEqual([
      "mlops-backend",
      "mlops-backend-listen",
      "mlops-backend-queue",
    ]);
    // Each reads the state at most every five seconds: what was read before the upload stands a while.
    for (const process of [api, worker])
      await eventually(async () => (await process.metric("mlops_backend_datasets")) === 1);
    expect((await worker.call("GET", "/api/health/ready")).status).toBe(200);
    expect((await worker.call("GET", "/datasets")).status).toBe(404);
    const { json: noise } = await api.upload(noiseCsv());
    const slow = await api.call("POST", "/training-runs", { datasetId: noise.id, ...endless });
    await api.waitForRun(slow.json.id, ({ status }) => status === "running");
    await api.call("POST", `/training-runs/${slow.json.id}/cancel`);
    await eventually(async () => (await worker.metric("mlops_backend_training_worker_slots", { state: "busy" })) === 0);
    expect((await api.call("GET", `/training-runs/${slow.json.id}`)).json.status).toBe("cancelled");
  } finally {
    await worker.halt();
    await api.stop();
  }
});

test("the log says once why the service is not ready, and that metrics are switched off", async () => {
  const service = await startService({ env: { PROMETHEUS__ENABLED: "false" } });
  const temporary = join(service.dataDir, "files", "tmp");
  const logged = (message: string) =>
    service.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg.startsWith(message));
  try {
    const [ready] = logged("ready");
    expect(ready.metricsUrl).toBeUndefined();
    await eventually(
      async () => logged("OTEL_METRICS_EXPORTER, PROMETHEUS__ENABLED or OTEL_SDK_DISABLED").length === 1,
    );
    await rename(temporary, `${temporary}-away`);
    for (const _ of [1, 2])
      expect((await service.call("GET", "/api/health/ready")).json).toEqual({
        status: "not ready",
        failing: ["storage"],
      });
    await rename(`${temporary}-away`, temporary);
    expect((await service.call("GET", "/api/health")).status).toBe(200);
    await eventually(async () => logged("ready again").length === 1);
    const notReady = logged("not ready");
    expect(notReady).toHaveLength(1);
    expect(notReady[0].reasons.storage).toContain("ENOENT");
  } finally {
    await service.stop();
  }
});

test("a thousand requests, on new connections and on old ones, while the process stands still, are all answered", async () => {
  const service = await startService();
  // Not by fetch, which gives up a connection that it does not have within 10 s.
  const agent = new Agent({ keepAlive: true });
  const ask = async (): Promise<number | undefined> => {
    const [response] = await once(get(`${service.url}/api/health/live`, { agent }), "response");
    await once(response.resume(), "end");
    return response.statusCode;
  };
  await Promise.all(Array.from({ length: 20 }, ask));
  process.kill(service.pid, "SIGSTOP");
  const asked = Promise.allSettled(Array.from({ length: 1_000 }, ask));
  // Longer than Node keeps an idle connection by default.
  await new Promise((resolve) => setTimeout(resolve, 8_000));
  process.kill(service.pid, "SIGCONT");
  const faults = (await asked).map((end) => (end.status === "fulfilled" ? end.value : String(end.reason)));
  agent.destroy();
  expect(faults.filter((status) => status !== 200)).toEqual([]);
  await service.stop();
});
