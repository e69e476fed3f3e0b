import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { freePort } from "../support/free-port.ts";
import { eventually, type RunningService, serviceEnvironment, startService, withService } from "../support/service.ts";

const csv = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";

/** Opens an upload and then sends nothing more. */
function openUpload(service: RunningService, headers: Record<string, string> = {}) {
  const request = httpRequest(`${service.url}/api/ml/v1/datasets/upload`, {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=b", "content-length": 5_000, ...headers },
  });
  request.on("error", () => {});
  request.write('--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\na,b\n');
  return request;
}

test("a training over its time ends as failed, without a retry, and the slot is free again", () =>
  withService({ TRAINING_TIMEOUT_SECONDS: "4" }, async (service) => {
    const { json } = await service.upload(noiseCsv());
    const run = await service.train(json.id, endless);
    expect(run.json).toMatchObject({ status: "failed", attempt: 1, error: { code: "TRAINING_TIMEOUT" } });
    const warned = () => service.lines.filter((line) => line.includes("longer than TRAINING_TIMEOUT_SECONDS"));
    await eventually(async () => warned().length > 0); // stdout may reach us after the answer
    expect(warned()).toHaveLength(1);
    const failures = { mode: "heavy", error_type: "timeout" };
    await eventually(async () => (await service.metric("mlops_backend_training_failures_total", failures)) === 1);
    // It gets the slot; whether it ends within four seconds is for the machine to say.
    const { json: next } = await service.call("POST", "/training-runs", { datasetId: json.id, mode: "light" });
    await service.waitForRun(next.id, ({ status }) => status !== "queued");
  }));

test("more uploads at once than allowed are told to come back", () =>
  withService({ MAX_CONCURRENT_UPLOADS: "1" }, async (service) => {
    const slow = openUpload(service);
    await eventually(async () => (await readdir(join(service.dataDir, "files", "tmp"))).length === 1);
    const refused = await service.upload(csv);
    expect(refused.json).toMatchObject({ code: "TOO_MANY_UPLOADS", status: 429 });
    expect(refused.headers.get("retry-after")).toBe("1");
    slow.destroy();
    await eventually(async () => (await service.upload(csv)).status === 201);
  }));

test("an upload that sends nothing gives its place away and is told", () =>
  withService({ MAX_CONCURRENT_UPLOADS: "1", UPLOAD_IDLE_TIMEOUT_SECONDS: "4" }, async (service) => {
    const silent = openUpload(service);
    const [response] = await once(silent, "response");
    expect(response.statusCode).toBe(408);
    let text = "";
    for await (const chunk of response) text += chunk;
    expect(JSON.parse(text)).toMatchObject({ code: "UPLOAD_TIMEOUT", status: 408 });
    expect((await service.upload(csv)).status).toBe(201);
    await expect.poll(() => readdir(join(service.dataDir, "files", "tmp"))).toEqual([]);
    const rejections = "mlops_backend_dataset_upload_rejections_total";
    expect(await service.metric(rejections, { reason: "UPLOAD_TIMEOUT" })).toBe(1);
    silent.destroy();
  }));

test("an upload that drips gives its place away too", () =>
  withService({ MAX_CONCURRENT_UPLOADS: "1", UPLOAD_IDLE_TIMEOUT_SECONDS: "2" }, async (service) => {
    const dripping = openUpload(service);
    const drip = setInterval(() => dripping.write("x"), 100); // it is never silent for two seconds
    const [response] = await once(dripping, "response");
    clearInterval(drip);
    expect(response.statusCode).toBe(408);
    // Until one is quick enough: on a busy machine it may be silent for two seconds itself.
    await eventually(async () => (await service.upload(csv)).status === 201);
    dripping.destroy();
  }));

test("one owner's uploads leave room for another's", () => {
  const hash = (key: string) => createHash("sha256").update(key).digest("hex");
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  const env = { MAX_CONCURRENT_UPLOADS: "3", API_KEYS: `anna:${hash("key-a")},ben:${hash("key-b")}` };
  return withService(env, async (service) => {
    const open = [openUpload(service, as("key-a")), openUpload(service, as("key-a"))];
    await eventually(async () => (await readdir(join(service.dataDir, "files", "tmp"))).length === 2);
    expect((await service.upload(csv, {}, "a.csv", as("key-a"))).json.code).toBe("TOO_MANY_UPLOADS");
    expect((await service.upload(csv, {}, "a.csv", as("key-b"))).status).toBe(201);
    for (const request of open) request.destroy();
    await eventually(async () => (await service.upload(csv, {}, "a.csv", as("key-a"))).status === 201);
  });
});

test("a quota holds, also for uploads at once", () =>
  withService({ MAX_STORAGE_BYTES_PER_OWNER: String(csv.length * 2 + 5) }, async (service) => {
    const answers = await Promise.all([1, 2, 3, 4].map((n) => service.upload(csv, { name: `n${n}` })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 507, 507]);
    expect(answers.find(({ status }) => status === 507)?.json.code).toBe("QUOTA_EXCEEDED");
    // Whoever has used up a quota must act, not whoever runs the service.
    const requests = "mlops_backend_http_requests_total";
    await eventually(async () => (await service.metric(requests, { outcome: "client_error" })) === 2);
    expect(await service.metric(requests, { outcome: "server_error" })).toBe(0);
    expect(service.lines.filter((line) => line.includes("request failed"))).toEqual([]);
    expect(await readdir(join(service.dataDir, "files", "dataset"))).toHaveLength(2);
    await expect.poll(() => readdir(join(service.dataDir, "files", "tmp"))).toEqual([]);
  }));

test("another numeric target with few values is taken for classes, with many for a quantity", () =>
  withService({}, async (service) => {
    const rows = Array.from({ length: 60 }, (_, n) => `${n},${n % 3},${n % 2 === 0 ? "x" : "y"}`);
    const { json } = await service.upload(`many,few,label\n${rows.join("\n")}\n`);
    const taskOf = async (target: string) =>
      (await service.call("POST", "/training-runs", { datasetId: json.id, mode: "light", target })).json.task;
    expect(await taskOf("few")).toBe("classification");
    expect(await taskOf("many")).toBe("regression");
    expect(await taskOf("label")).toBe("classification");
  }));

test("METRICS_PORT serves /metrics apart from the API", async () => {
  const port = await freePort();
  await withService({ METRICS_PORT: String(port) }, async (service) => {
    expect((await service.call("GET", "/metrics")).status).toBe(404);
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("mlops_backend_build_info");
  });
});

test("started without the import it says so, serves, and /metrics is 503 with the reason", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "mlops-test-"));
  const child = spawn(process.execPath, ["src/main.ts"], {
    env: serviceEnvironment({ dataDir, databaseUrl: "" }),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const lines: string[] = [];
  try {
    const url = await new Promise<string>((resolve) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        lines.push(line);
        if (line.includes('"ready"')) resolve(JSON.parse(line).url);
      });
    });
    expect(lines.join("\n")).toContain("--import ./otel/register");
    const answer = await fetch(`${url}/metrics`);
    expect(answer.status).toBe(503);
    expect(((await answer.json()) as { detail: string }).detail).toContain("--import ./otel/register");
  } finally {
    child.kill("SIGTERM");
    await exited;
    await rm(dataDir, { recursive: true, force: true });
  }
});

/** A door to PostgreSQL that a test can shut: the server itself is shared with other tests. */
async function openDoor(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const upstreamPort = Number(target.port);
  const sockets = new Set<Socket>();
  let isShut = false;
  const server = createServer((socket) => {
    if (isShut) {
      socket.destroy();
      return;
    }
    const upstream = connect(upstreamPort, target.hostname);
    for (const end of [socket, upstream]) {
      sockets.add(end);
      end.on("error", () => {});
      end.on("close", () => {
        socket.destroy();
        upstream.destroy();
        sockets.delete(end);
      });
    }
    socket.pipe(upstream).pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  target.port = String((server.address() as { port: number }).port);
  return {
    url: target.toString(),
    shut(): void {
      isShut = true;
      for (const socket of sockets) socket.destroy();
    },
    open(): void {
      isShut = false;
    },
    close: () => server.close(),
  };
}

test.runIf(process.env.TEST_DATABASE_URL)(
  "with the database away the service says 503, scrapes still answer, and it comes back by itself",
  async () => {
    const first = await startService();
    await first.halt();
    const door = await openDoor(first.databaseUrl);
    const service = await startService({ on: { dataDir: first.dataDir, databaseUrl: door.url } });
    try {
      expect((await service.upload(csv)).status).toBe(201);
      const noise = await service.upload(noiseCsv());
      const { json: inHand } = await service.call("POST", "/training-runs", { datasetId: noise.json.id, ...endless });
      await eventually(async () => (await service.call("GET", `/training-runs/${inHand.id}`)).json.progress > 0);
      door.shut();
      const away = await service.call("GET", "/datasets");
      expect(away.json).toMatchObject({ code: "DATABASE_UNAVAILABLE", status: 503 });
      expect(away.headers.get("retry-after")).toMatch(/^\d+$/);
      const failed = await service.upload(csv, { name: "while away" });
      expect(failed.json.code).toBe("DATABASE_UNAVAILABLE");
      await expect.poll(() => readdir(join(service.dataDir, "files", "tmp"))).toEqual([]);
      const ready = await service.call("GET", "/api/health/ready");
      expect([ready.status, ready.json.failing]).toEqual([503, expect.arrayContaining(["database"])]);
      expect((await service.call("GET", "/api/health/live")).status).toBe(200);
      await eventually(async () => (await service.metric("mlops_backend_state_readable")) === 0);
      const unwritten = () => service.lines.filter((line) => line.includes("progress could not be written"));
      await eventually(async () => unwritten().length > 0);
      door.open();
      await eventually(async () => (await service.call("GET", "/api/health/ready")).status === 200);
      // The training in hand went on meanwhile, and one line told of it.
      expect((await service.call("GET", `/training-runs/${inHand.id}`)).json).toMatchObject({
        status: "running",
        attempt: 1,
      });
      expect(unwritten()).toHaveLength(1);
      await service.call("POST", `/training-runs/${inHand.id}/cancel`);
      const { json } = await service.upload(csv, { name: "back again" });
      const rows = Array.from({ length: 40 }, (_, n) => `${n},${n % 7},${n % 2 === 0 ? "x" : "y"}`).join("\n");
      const dataset = await service.upload(`a,b,label\n${rows}\n`, { name: "to train" });
      expect(json.name).toBe("back again");
      expect((await service.train(dataset.json.id)).json.status).toBe("succeeded");
      expect(await service.metric("mlops_backend_dataset_uploads_total", { outcome: "failed" })).toBe(1);
    } finally {
      await service.stop();
      door.close();
    }
  },
);
