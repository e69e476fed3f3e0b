import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { startService } from "../support/service.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const fixture = fileURLToPath(new URL("metrics-fixture.ts", import.meta.url));
const children: ChildProcess[] = [];

interface Started {
  port: number;
  metricsPort?: number;
  threadHasTelemetry: boolean;
  state?: string;
  sdkLoaded: boolean;
}

async function start(env: Record<string, string> = {}, execArgv = ["--import", "./otel/register"]): Promise<Started> {
  const child = fork(fixture, { cwd: root, execArgv, env: { PATH: process.env.PATH, ...env }, silent: true });
  children.push(child);
  const [message] = (await once(child, "message")) as [Started];
  return message;
}

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.send("stop");
    if (child.exitCode === null) await once(child, "exit");
  }
});

const url = (port: number, path = "/metrics") => `http://127.0.0.1:${port}${path}`;
const samplesOf = (text: string) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

/** Every route of the API. */
const routes = [
  ...["datasets/upload", "datasets", "datasets/:id", "datasets/:id/content", "datasets/expired", "training-runs"],
  ...["training-runs/:id", "training-runs/:id/events", "training-runs/:id/cancel", "artifacts", "artifacts/:id"],
  ...["artifacts/:id/content", "artifacts/:id/predictions", "metrics/trends", "metrics/summary"],
].map((path) => `/api/ml/v1/${path}`);
const otherRoutes = [
  "/",
  "/api/health",
  "/api/health/live",
  "/api/health/ready",
  "/api/docs",
  "/api/openapi.json",
  "/metrics",
];

test("a fresh start stays within 450 series, and threads start nothing", async () => {
  const { port, threadHasTelemetry } = await start({ FIXTURE_ROUTES: [...routes, ...otherRoutes].join(",") });
  expect(threadHasTelemetry).toBe(false);
  await fetch(url(port));
  const text = await (await fetch(url(port))).text();
  expect(samplesOf(text).length).toBeLessThanOrEqual(450);
  expect(text).toContain("mlops_backend_datasets 3\n");
  expect(text).toContain("mlops_backend_state_readable 1\n");
  expect(text).toMatch(/^target_info\{service_version="[^"]+"\} 1$/m);
  expect(text).not.toMatch(/process_command|process_owner|v8js_resource|otel_scope/);
});

test("OpenMetrics and gzip come when asked for", async () => {
  const { port } = await start();
  const response = await fetch(url(port), {
    headers: { Accept: "application/openmetrics-text; version=1.0.0", "Accept-Encoding": "gzip" },
  });
  expect(response.headers.get("content-type")).toBe(
    "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
  );
  expect(response.headers.get("content-encoding")).toBe("gzip");
  expect((await response.text()).endsWith("# EOF\n")).toBe(true);
  const plain = await fetch(url(port), { headers: { "Accept-Encoding": "gzip;q=0, identity" } });
  expect(plain.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(plain.headers.get("content-encoding")).toBeNull();
});

test("a database that is away leaves its gauges out and the scrape still answers", async () => {
  const { port } = await start({ FIXTURE_STATE: "away" });
  const text = await (await fetch(url(port))).text();
  expect(text).toContain("mlops_backend_state_readable 0\n");
  expect(text).not.toMatch(/^mlops_backend_datasets /m);
  expect(text).toContain("mlops_backend_training_timeout_seconds 600\n");
});

test("what a scrape itself asks of the database waits for no connection in its figures", async () => {
  const { port } = await start();
  const text = await (await fetch(url(port))).text();
  expect(text).toContain("mlops_backend_datasets 3\n");
  expect(text).toContain("db_client_connection_pending_requests 0\n");
});

test("the bearer token guards /metrics, and a server of its own serves it unmeasured", async () => {
  const { port, metricsPort } = await start({ METRICS_BEARER_TOKEN: "s3cret" });
  expect((await fetch(url(port))).status).toBe(401);
  expect((await fetch(url(port), { headers: { Authorization: "Bearer wrong" } })).status).toBe(401);
  const headers = { Authorization: "Bearer s3cret" };
  await fetch(url(metricsPort ?? 0), { headers });
  const text = await (await fetch(url(metricsPort ?? 0), { headers })).text();
  expect(text).toContain('http_response_status_code="401"');
  expect(text).not.toContain('http_response_status_code="200"');
  expect((await fetch(url(metricsPort ?? 0, "/other"))).status).toBe(404);
});

test.for([{ PROMETHEUS__ENABLED: "false" }, { OTEL_SDK_DISABLED: "true" }] as object[])(
  "%j: nothing of the SDK, and 404",
  async (env) => {
    const { port, sdkLoaded, state, metricsPort } = await start(env as Record<string, string>);
    expect({ sdkLoaded, state, metricsPort }).toEqual({ sdkLoaded: false, state: "disabled", metricsPort: undefined });
    expect((await fetch(url(port))).status).toBe(404);
  },
);

/** Uploads, trains and predicts with the whole service; what its process and threads loaded, and what /metrics said. */
async function workedThrough(env: Record<string, string>): Promise<{ scrape: number; loaded: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), "loads-"));
  const loads = join(folder, "loads.txt");
  const recording = `--require=${join(root, "tests/support/record-loads.cjs")}`;
  const service = await startService({ env: { ...env, NODE_OPTIONS: recording, LOADS: loads } });
  try {
    const csv = `a,target\n${Array.from({ length: 40 }, (_, row) => `${row},${row % 2 ? "x" : "y"}`).join("\n")}\n`;
    const dataset = await service.upload(csv);
    expect(dataset.status).toBe(201);
    const run = await service.train(dataset.json.id);
    expect(run.json.status).toBe("succeeded");
    const predictions = `/artifacts/${run.json.artifactId}/predictions`;
    expect((await service.call("POST", predictions, { rows: [{ a: 1 }] })).status).toBe(200);
    const scrape = (await service.call("GET", "/metrics")).status;
    expect(await service.halt()).toBe(0);
    return { scrape, loaded: (await readFile(loads, "utf8")).split("\n") };
  } finally {
    await service.stop();
    await rm(folder, { recursive: true });
  }
}
/** All but the API, which does nothing by itself: the SDK begins with its resources. */
const isOfSdk = (url: string): boolean => /@opentelemetry\/(?!api\/)|instrumentation|in-the-middle/.test(url);

test.for([{ PROMETHEUS__ENABLED: "false" }, { OTEL_SDK_DISABLED: "true" }] as object[])(
  "%j: upload, training and prediction work on no-ops, and no module of the SDK is loaded",
  async (env) => {
    const { scrape, loaded } = await workedThrough(env as Record<string, string>);
    expect(scrape).toBe(404);
    // What is recorded holds the service: else the absence of others would tell nothing. What trains is a process
    // of its own, without --import.
    for (const part of ["src/main.ts", "src/training/training-process.ts", "@opentelemetry/api/"])
      expect(loaded.some((url) => url.includes(part))).toBe(true);
    expect(loaded.filter(isOfSdk)).toEqual([]);
  },
);

test("switched on, the same work loads what tells by its absence that it is off", async () => {
  const { scrape, loaded } = await workedThrough({});
  expect(scrape).toBe(200);
  const sdk = loaded.filter(isOfSdk);
  for (const part of ["resources/", "sdk-metrics/", "exporter-prometheus/", "instrumentation/"])
    expect(sdk.some((url) => url.includes(`@opentelemetry/${part}`))).toBe(true);
  // The reference of tests, and of who uses the instrumentation with another MeterProvider.
  expect(loaded.some((url) => url.includes("otel/http/aggregation.ts"))).toBe(true);
  expect(loaded.some((url) => url.includes("otel/http/sdk-recorder.ts"))).toBe(false);
});

test("started without --import, /metrics says so with 503", async () => {
  const { port } = await start({}, []);
  const response = await fetch(url(port));
  expect(response.status).toBe(503);
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  expect(await response.json()).toMatchObject({ status: 503, code: "TELEMETRY_OFF" });
});

test("path, prefix, buckets and in-progress follow the environment", async () => {
  const { port } = await start({
    PROMETHEUS__METRICS_PATH: "/internal/metrics",
    PROMETHEUS__METRIC_NAMESPACE: "acme",
    PROMETHEUS__METRIC_SUBSYSTEM: "ml",
    PROMETHEUS__LATENCY_BUCKETS: "[0.5, 7]",
    PROMETHEUS__INSTRUMENT_INPROGRESS: "false",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test,process.owner=root",
  });
  await fetch(url(port, "/internal/metrics"));
  const text = await (await fetch(url(port, "/internal/metrics"))).text();
  expect(text).toContain("acme_ml_dataset_uploads_total");
  expect(text).toContain('le="7.0"');
  expect(text).not.toMatch(/mlops_backend_|http_server_active_requests|le="0.005"} \d+\nhttp_server/);
  expect(text).toContain('deployment_environment_name="test"');
  expect(text).not.toContain("root");
});

test("wrong settings start nothing and leave a faulty handle for main.ts to report", async () => {
  const run = promisify(execFile);
  const code = 'import("./otel/api/telemetry.ts").then(({ telemetryHandle }) => console.log(telemetryHandle().state))';
  const { stdout } = await run(process.execPath, ["--import", "./otel/register", "-e", code], {
    cwd: root,
    env: { PATH: process.env.PATH, PROMETHEUS__LATENCY_BUCKETS: "[1]" },
  });
  expect(stdout.trim()).toBe("faulty");
});
