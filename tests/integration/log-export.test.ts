import { rm } from "node:fs/promises";
import { afterEach, expect, test } from "vitest";
import { OtlpReceiver, type ReceivedLog } from "../support/otlp-receiver.ts";
import { eventually, type RunningService, refusedStart, startService } from "../support/service.ts";

const csv = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";

const resources: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of resources.splice(0).reverse()) await stop();
});

async function startReceiver(port?: number): Promise<OtlpReceiver> {
  const receiver = await OtlpReceiver.start(port);
  resources.push(() => receiver[Symbol.asyncDispose]());
  return receiver;
}

async function start(env: Record<string, string>): Promise<RunningService> {
  const service = await startService({
    env: { OTEL_BLRP_SCHEDULE_DELAY: "50", OTEL_BSP_SCHEDULE_DELAY: "50", ...env },
  });
  resources.push(() => service.stop());
  return service;
}

// biome-ignore lint/suspicious/noExplicitAny: whatever was logged; expectations say what it should be
const entries = (service: RunningService): any[] => service.lines.map((line) => JSON.parse(line));

/** The same record as a line, by time and message. */
const asLine = ({ timeMs, body }: ReceivedLog): string => `${timeMs} ${body}`;

test.each(["http/protobuf", "http/json"])(
  "over %s the records are those of stdout, and know their trace",
  async (protocol) => {
    const receiver = await startReceiver();
    const service = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
    });
    const { json } = await service.upload(csv, { name: "a secret name" }, "secret.csv");
    const run = await service.train(json.id);
    const unknown = await service.call("GET", "/datasets/01a20a3e-3be8-733e-aec6-a42d3a37a41c");
    const ofRequest = ({ attributes }: ReceivedLog) => attributes.request_id === unknown.headers.get("x-request-id");
    const record = await eventually(async () => receiver.logs.find(ofRequest));
    const line = await eventually(async () =>
      entries(service).find(({ request_id }) => request_id === record.attributes.request_id),
    );
    expect(record).toMatchObject({
      severityNumber: 9,
      severityText: "info",
      body: "request",
      timeMs: Date.parse(line.time),
      traceId: line.trace_id,
      spanId: line.span_id,
      resource: { "service.name": "mlops-backend", "deployment.environment.name": "test" },
    });
    expect(record.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(record.attributes).toEqual({
      method: "GET",
      route: "/api/ml/v1/datasets/:id",
      status: 404,
      code: "DATASET_NOT_FOUND",
      bytes: line.bytes,
      durationSeconds: line.durationSeconds,
      request_id: line.request_id,
    });
    await eventually(async () => receiver.logs.some(({ attributes }) => attributes.run_id === run.json.id));

    expect(await service.halt()).toBe(0);
    const sent = receiver.logs.map(asLine).sort();
    const said = entries(service).map(({ time, msg }) => `${Date.parse(time)} ${msg}`);
    expect(sent).toEqual(said.filter((text) => !text.endsWith(" stopped")).sort());
    expect(JSON.stringify(receiver.logs)).not.toContain("secret");
  },
);

test("an endpoint for logs alone sends no spans, and none for logs no lines", async () => {
  const receiver = await startReceiver();
  await start({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${receiver.url}/otlp/v1/logs` });
  await eventually(async () => receiver.logs.some(({ body }) => body === "ready"));
  expect(receiver.spans).toEqual([]);
  const service = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_LOGS_EXPORTER: "none" });
  const count = receiver.logs.length;
  await service.call("GET", "/datasets");
  await receiver.until((spans) => spans.find(({ name }) => name === "GET /api/ml/v1/datasets"));
  expect(receiver.logs).toHaveLength(count);
});

test("a fault arrives as an exception with its code", async () => {
  const receiver = await startReceiver();
  const service = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
  const { json } = await service.upload(csv);
  await rm(`${service.dataDir}/files/dataset/${json.id}`);
  await service.call("GET", `/datasets/${json.id}/content`);
  const record = await eventually(async () => receiver.logs.find(({ body }) => body === "request failed"));
  expect(record).toMatchObject({
    severityNumber: 17,
    attributes: { code: "FILE_MISSING_IN_STORAGE", "exception.message": expect.any(String) },
  });
  expect(record.attributes["exception.stacktrace"]).toContain("at ");
});

test("a start that fails is told to the endpoint too, whether it had opened the database or not", async () => {
  const receiver = await startReceiver();
  const service = await start({});
  const taken = { SERVICE_PORT: new URL(service.url).port };
  const noBucket = {
    STORAGE_BACKEND: "s3",
    S3__BUCKET: "none",
    S3__ENDPOINT: "http://127.0.0.1:9",
    S3__ACCESS_KEY_ID: "key",
    S3__SECRET_ACCESS_KEY: "secret",
    S3__MAX_ATTEMPTS: "1",
  };
  const nobody = { databaseUrl: "postgres://nobody@127.0.0.1:9/nothing", dataDir: service.dataDir };
  const other = await start({});
  await other.halt();
  for (const [place, env, reason] of [
    [nobody, {}, "DATABASE_URL"],
    [other, noBucket, "S3__ENDPOINT"],
    [other, taken, "SERVICE_PORT"],
  ] as const) {
    const count = receiver.logs.length;
    const { code, stderr } = await refusedStart(place, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env });
    expect(code).toBe(1);
    const failed = receiver.logs.slice(count).find(({ body }) => body === "start failed");
    expect(failed).toMatchObject({ severityText: "fatal", severityNumber: 21 });
    // What somebody can mend is the same line in both places.
    expect(stderr).toMatch(new RegExp(`^${reason}.*\n$`));
    expect(`${failed?.attributes.reason}\n`).toBe(stderr);
  }
});
