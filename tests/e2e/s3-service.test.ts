import { createHash } from "node:crypto";
import { chmod, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fileKinds } from "../../src/storage/file-storage.ts";
import { largeCsv } from "../support/csv-tables.ts";
import { OtlpReceiver } from "../support/otlp-receiver.ts";
import { seattleWeatherCsv } from "../support/real-data.ts";
import { eventually, refusedStart, startService } from "../support/service.ts";
import { startScratchPostgres } from "./scratch-postgres.ts";
import { type S3Service, startOnBucket as startServiceOnBucket } from "./service-on-bucket.ts";
import { wayThatStopsAfter } from "./stopping-way.ts";
import { startVersitygw, type VersitygwProcess } from "./versitygw-process.ts";

let folder: string;
let gateway: VersitygwProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "s3-service-"));
  gateway = await startVersitygw(join(folder, "buckets"));
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const weather = seattleWeatherCsv();
const sha256 = (content: Buffer): string => createHash("sha256").update(content).digest("hex");
const startOnBucket = (bucket: string, env?: Record<string, string>): Promise<S3Service> =>
  startServiceOnBucket(gateway, folder, bucket, env);

test("a dataset's life in a bucket: upload, profile, training, prediction, downloads, removal", async () => {
  const secretPath = join(folder, "secret-key");
  await writeFile(secretPath, `${gateway.env.S3__SECRET_ACCESS_KEY}\n`);
  const { service, objects, temporaryFiles } = await startOnBucket("life", {
    S3__SECRET_ACCESS_KEY: "",
    S3__SECRET_ACCESS_KEY_FILE: secretPath,
  });
  try {
    const uploaded = await service.upload(weather, { target: "weather" });
    expect(uploaded.status).toBe(201);
    const { id } = uploaded.json;
    expect(await objects("dataset")).toEqual([id]);
    const profiled = await eventually(async () => {
      const answer = await service.call("GET", `/datasets/${id}`);
      return answer.json.profile === null ? undefined : answer;
    });
    expect(profiled.json.profile).toHaveLength(6);
    const { typedBytes } = profiled.json;
    const typed = await objects("typed");
    expect(typed).toHaveLength(1);
    // What is not there can't be what is read.
    const file = join(gateway.folderOf("life"), "dataset", id);
    await rename(file, `${folder}/aside`);
    expect((await service.call("GET", `/datasets/${id}/rows?limit=1`)).json.rows).toHaveLength(1);
    await rename(`${folder}/aside`, file);

    for (const mode of ["light", "heavy"] as const) {
      const run = await service.train(id, { mode });
      expect(run.json.status, run.text).toBe("succeeded");
      const predicted = await service.call("POST", `/artifacts/${run.json.artifactId}/predictions`, {
        rows: [{ date: "2015-01-01", precipitation: 0, temp_max: 20, temp_min: 10, wind: 2 }],
      });
      expect([predicted.status, predicted.json.predictions.length]).toEqual([200, 1]);
    }
    // A target of its own and no task: its values are counted before the run is taken.
    expect((await service.train(id, { target: "wind" })).json).toMatchObject({
      status: "succeeded",
      task: "regression",
    });

    const path = `${service.url}/api/ml/v1/datasets/${id}/content`;
    const whole = await fetch(path);
    const etag = whole.headers.get("etag") ?? "";
    expect(Buffer.from(await whole.arrayBuffer()).equals(weather)).toBe(true);
    expect(etag).toBe(`"${sha256(weather)}"`);
    expect((await fetch(path, { headers: { "if-none-match": etag } })).status).toBe(304);
    const part = await fetch(path, { headers: { range: "bytes=10-19", "if-range": etag } });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 10-19/${weather.length}`]);
    expect(await part.text()).toBe(weather.subarray(10, 20).toString());
    expect((await fetch(path, { headers: { range: `bytes=${weather.length}-` } })).status).toBe(416);
    const artifactId = (await objects("artifact"))[0]!;
    expect((await service.call("GET", `/artifacts/${artifactId}/content`)).json).toHaveProperty("model");

    // A bucket has no size: no figure is better than a wrong one.
    const metrics = (await service.call("GET", "/metrics")).text;
    expect(metrics).not.toMatch(/^mlops_backend_storage_filesystem_(available|size)_bytes/m);
    // Read anew every five seconds.
    await eventually(
      async () =>
        (await service.metric("mlops_backend_storage_bytes", { kind: "dataset" })) === weather.length + typedBytes,
    );
    expect(await service.metric("mlops_backend_files_missing")).toBe(0);

    expect((await service.call("DELETE", `/datasets/${id}`)).status).toBe(204);
    for (const artifact of await objects("artifact")) await service.call("DELETE", `/artifacts/${artifact}`);
    for (const kind of fileKinds) expect(await objects(kind)).toEqual([]);
    expect(await temporaryFiles()).toEqual([]);
  } finally {
    await service.stop();
  }
});

test("an upload that its client breaks off, or that is refused, leaves no object", async () => {
  const { service, objects, temporaryFiles } = await startOnBucket("broken-off");
  try {
    const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
    const head = `--b\r\nContent-Disposition: form-data; name="file"; filename="w.csv"\r\nContent-Type: text/csv\r\n\r\n`;
    socket.write(
      "POST /api/ml/v1/datasets/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n" +
        `Content-Type: multipart/form-data; boundary=b\r\n\r\n${head}${weather.toString()}`,
    );
    await eventually(async () => (await temporaryFiles()).length > 0);
    socket.destroy();
    await eventually(async () => (await temporaryFiles()).length === 0);
    expect((await service.upload("a,b\n1,2\n1\n")).json.code).toBe("ROW_RAGGED");
    expect(await objects("dataset")).toEqual([]);
    expect(await service.metric("mlops_backend_dataset_uploads_total", { outcome: "aborted" })).toBe(1);
  } finally {
    await service.stop();
  }
});

test("kill -9 in the middle of a large upload: the next start leaves no parts, no object and no file", async () => {
  await using way = await wayThatStopsAfter(20 * 1024 * 1024, gateway.endpoint);
  const { service, bucket, objects, temporaryFiles, again } = await startOnBucket("killed", {
    MAX_CSV_UPLOAD_BYTES: String(100 * 1024 * 1024),
    S3__PREFIX: "inner",
    S3__ENDPOINT: way.url,
  });
  const partsInHand = async (): Promise<number> =>
    (await gateway.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;
  const uploading = service.upload(largeCsv(64)).catch(() => undefined);
  // It stays in the middle for as long as it takes to see that.
  await eventually(async () => (await partsInHand()) > 0, 60);
  await service.kill("SIGKILL");
  await uploading;
  expect([await partsInHand(), (await temporaryFiles()).length]).toEqual([1, 1]);
  const second = await again({ S3__ENDPOINT: gateway.endpoint });
  try {
    expect([await partsInHand(), await temporaryFiles(), await objects("dataset")]).toEqual([0, [], []]);
    expect((await second.call("GET", "/datasets")).json.items).toEqual([]);
  } finally {
    await second.stop();
  }
});

test("a storage that is away is told as such, work waits for it, and it comes back by itself", async () => {
  const { service, objects } = await startOnBucket("away", { S3__TIME_BUDGET_SECONDS: "5" });
  try {
    const { json: dataset } = await service.upload(weather, { target: "weather" });
    await service.train(dataset.id);
    await gateway.kill();
    const answers = await Promise.all([
      service.upload(largeCsv(1)),
      service.call("GET", `/datasets/${dataset.id}/content`),
    ]);
    for (const { status, json, headers, text } of answers) {
      expect([status, json.code, headers.get("retry-after")]).toEqual([503, "STORAGE_UNAVAILABLE", "5"]);
      expect(text).not.toMatch(/S3__|127\.0\.0\.1|secret/);
    }
    expect((await service.call("GET", "/api/health/ready")).json).toMatchObject({ failing: ["storage"] });
    expect((await service.call("GET", "/api/health/live")).status).toBe(200);
    expect((await service.call("GET", "/datasets")).status).toBe(200);
    expect(await service.metric("mlops_backend_dataset_uploads_total", { outcome: "failed" })).toBe(1);
    const reasons = await eventually(async () =>
      service.lines.map((line) => JSON.parse(line)).find(({ msg }) => msg.startsWith("not ready")),
    );
    expect(reasons.reasons.storage).toMatch(/^S3__ENDPOINT: 127\.0\.0\.1:\d+ can't be reached \(ECONNREFUSED\)$/);
    expect(service.lines.join("\n")).not.toContain(gateway.env.S3__SECRET_ACCESS_KEY);
    // Marked, and finished by the sweep: nobody sees it any more.
    expect((await service.call("DELETE", `/datasets/${dataset.id}`)).status).toBe(503);
    expect((await service.call("GET", `/datasets/${dataset.id}`)).status).toBe(404);

    await gateway.restart();
    await eventually(async () => (await service.call("GET", "/api/health/ready")).status === 200);
    const { status, json } = await service.upload(weather, { target: "weather" });
    expect(status).toBe(201);
    expect((await service.call("DELETE", "/datasets/expired")).status).toBe(200);
    expect(await objects("dataset")).toEqual([json.id]);
  } finally {
    await service.stop();
  }
});

test("a storage that hangs holds up nobody: each call ends in time, and a cancelled training gives its place back", async () => {
  const { service } = await startOnBucket("hanging", {
    MAX_CSV_UPLOAD_BYTES: String(100 * 1024 * 1024),
    S3__TIMEOUT_SECONDS: "2",
    S3__TIME_BUDGET_SECONDS: "60",
    S3__MAX_ATTEMPTS: "20",
  });
  try {
    const { json: dataset } = await service.upload(largeCsv(48));
    const path = `${service.url}/api/ml/v1/datasets/${dataset.id}/content`;
    const reader = (await fetch(path)).body!.getReader();
    await reader.read();
    gateway.pause();
    // Half an answer is broken off, not left hanging.
    await expect(
      (async () => {
        while (!(await reader.read()).done);
      })(),
    ).rejects.toThrow();
    const startMs = performance.now();
    expect((await service.call("GET", "/api/health/ready")).json).toMatchObject({ failing: ["storage"] });
    // Two seconds are given to the check; the bound is for hanging.
    expect(performance.now() - startMs).toBeLessThan(10_000);

    const run = await service.call("POST", "/training-runs", { datasetId: dataset.id, mode: "light" });
    await service.waitForRun(run.json.id, ({ status }) => status === "running");
    expect((await service.call("POST", `/training-runs/${run.json.id}/cancel`)).status).toBe(202);
    // Without its signal the call would go on for S3__TIME_BUDGET_SECONDS, a minute.
    await eventually(
      async () => (await service.metric("mlops_backend_training_worker_slots", { state: "busy" })) === 0,
      15,
    );
  } finally {
    gateway.goOn();
    await service.stop();
  }
});

test("with S3__PRESIGN_SECONDS a download is an address of the bucket, good without a key and for a while", async () => {
  const { service } = await startOnBucket("presigned", {
    S3__PRESIGN_SECONDS: "6",
    S3__PUBLIC_ENDPOINT: gateway.endpoint.replace("127.0.0.1", "localhost"),
  });
  try {
    const { json } = await service.upload(weather, { name: "rain & sun" });
    const path = `${service.url}/api/ml/v1/datasets/${json.id}/content`;
    const redirect = await fetch(path, { redirect: "manual" });
    expect([redirect.status, redirect.headers.get("cache-control")]).toEqual([307, "no-store"]);
    const address = new URL(redirect.headers.get("location") ?? "");
    expect([address.hostname, address.searchParams.get("X-Amz-Expires")]).toEqual(["localhost", "6"]);
    const content = await fetch(address, { headers: { range: "bytes=0-3" } });
    expect([content.status, await content.text()]).toEqual([206, "date"]);
    expect(content.headers.get("content-disposition")).toBe("attachment; filename=rain_sun.csv");
    expect((await fetch(path, { method: "HEAD", redirect: "manual" })).headers.get("content-length")).toBe(
      String(weather.length),
    );
    const etag = { "if-none-match": `"${json.sha256}"` };
    expect((await fetch(path, { headers: etag, redirect: "manual" })).status).toBe(304);
    await delay(7_100);
    expect((await fetch(address)).status).toBe(403);
  } finally {
    await service.stop();
  }
});

test("with traces an upload shows the calls to the bucket, and tells neither objects nor credentials", async () => {
  await using receiver = await OtlpReceiver.start();
  const { service } = await startOnBucket("traced", {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: "50",
  });
  try {
    const uploaded = await service.upload(weather, { target: "weather" });
    await service.call("GET", "/api/health/ready");
    const traceId = uploaded.headers.get("x-trace-id");
    const put = await receiver.until((spans) =>
      spans.find((span) => span.traceId === traceId && span.attributes["http.request.method"] === "PUT"),
    );
    expect(put.attributes).toMatchObject({ "http.response.status_code": 200, "server.address": "127.0.0.1" });
    // A check of the bucket, which has no request above it, is no trace.
    expect(
      receiver.spans.filter(({ parentSpanId, name }) => parentSpanId === "" && /^(GET|HEAD|PUT)$/.test(name)),
    ).toEqual([]);
    const told = JSON.stringify(receiver.spans.map(({ name, attributes, events }) => ({ name, attributes, events })));
    expect(told).not.toMatch(/traced|test-access|X-Amz|AWS4|dataset\/0/);
  } finally {
    await service.stop();
  }
});

test("an api and a worker share nothing but PostgreSQL and the bucket", async () => {
  await chmod(folder, 0o755);
  await using postgres = await startScratchPostgres(join(folder, "postgres"));
  const databaseUrl = await postgres.newDatabase();
  await gateway.createBucket("shared");
  const start = (role: string) =>
    startService({
      env: { ...gateway.env, S3__BUCKET: "shared", SERVICE_ROLE: role },
      on: { dataDir: join(folder, `data-${role}`), databaseUrl },
    });
  const api = await start("api");
  const worker = await start("worker");
  try {
    const { json: dataset } = await api.upload(weather, { target: "weather" });
    const run = await api.train(dataset.id, { mode: "heavy" });
    expect(run.json.status, run.text).toBe("succeeded");
    const model = await api.call("GET", `/artifacts/${run.json.artifactId}/content`);
    expect([model.status, model.headers.get("etag")]).toEqual([200, `"${sha256(Buffer.from(model.text))}"`]);
    await eventually(async () => (await api.call("GET", `/datasets/${dataset.id}`)).json.profile !== null);
    // What a worker needs of its own disk is given back.
    for (const { dataDir } of [api, worker]) expect(await readdir(join(dataDir, "files"))).toEqual(["tmp"]);
    // Of the profile a moment after its row says that it is there.
    await eventually(async () => (await readdir(join(worker.dataDir, "files", "tmp"))).length === 0);
  } finally {
    await api.halt();
    await worker.halt();
  }
});

test("a start on a bucket that can't be used ends with 1 and one line that names the setting", async () => {
  const place = { dataDir: join(folder, "data-refused"), databaseUrl: "" };
  const { code, stderr } = await refusedStart(place, { ...gateway.env, S3__BUCKET: "never-made" });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^S3__BUCKET: there is no bucket "never-made" at 127\.0\.0\.1:\d+\n$/);
});
