import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { makeAuthority } from "../support/certificates.ts";
import { freePort } from "../support/free-port.ts";
import { OtlpReceiver, type ReceiverAnswer } from "../support/otlp-receiver.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";
import { tenAtATime } from "../support/ten-at-a-time.ts";

type Signal = "traces" | "logs";
const both = ["traces", "logs"] as const;
const dropped = "mlops_backend_telemetry_export_dropped_total";
/** For an endpoint that answers: what is given up on a busy machine, though it arrived, would be counted twice. */
const patient = { OTEL_EXPORTER_OTLP_TIMEOUT: "10000" };

const folder = mkdtempSync(join(tmpdir(), "otlp-tls-"));
const authority = makeAuthority(folder, "authority");
let forTest = new AsyncDisposableStack();

/** A certificate for the endpoint, of an authority that has to be named. */
function endpointCertificate(): { key: string; cert: string } {
  const { key, cert } = authority.issue("endpoint", "IP:127.0.0.1");
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

async function startReceiver(...given: Parameters<typeof OtlpReceiver.start>): Promise<OtlpReceiver> {
  return forTest.use(await OtlpReceiver.start(...given));
}

async function start(
  url: string,
  signals: readonly Signal[],
  env: Record<string, string> = {},
): Promise<RunningService> {
  const endpoints = signals.map((signal) => [
    `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`,
    `${url}/v1/${signal}`,
  ]);
  const service = await startService({
    env: {
      ...Object.fromEntries(endpoints),
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_BLRP_SCHEDULE_DELAY: "50",
      OTEL_EXPORTER_OTLP_TIMEOUT: "500",
      ...env,
    },
  });
  forTest.defer(() => service.stop());
  return service;
}

/** So many; each must be answered as if nothing was wrong. No more at once than PostgreSQL has connections for. */
async function ask(service: RunningService, count: number): Promise<void> {
  const statuses = new Set<number>();
  await tenAtATime(Array(count).keys(), async () => {
    statuses.add((await service.call("GET", "/datasets")).status);
  });
  expect(statuses).toEqual(new Set([200]));
}

/** What stderr says is lost of a signal, together; each line of it is JSON. */
function told(service: RunningService, signal: Signal): { timesMs: number[]; count: number } {
  const lost = new RegExp(`^telemetry: (\\d+) ${signal} could not be exported`);
  const lines = service.errorLines
    .map((line) => JSON.parse(line) as { msg: string; time: string })
    .flatMap(({ msg, time }) => {
      const count = lost.exec(msg)?.[1];
      return count === undefined ? [] : [{ atMs: Date.parse(time), count: Number(count) }];
    });
  return { timesMs: lines.map(({ atMs }) => atMs), count: lines.reduce((sum, { count }) => sum + count, 0) };
}

/** At once, then a line a minute, and the rest at the end: so many a busy machine may make of a test. */
function expectALineAMinute(service: RunningService, signal: Signal): void {
  const { timesMs } = told(service, signal);
  const gapsMs = timesMs.slice(1, -1).map((atMs, index) => atMs - (timesMs[index] ?? 0));
  for (const gapMs of gapsMs) expect(gapMs).toBeGreaterThan(59_000);
}

/** Lines on stdout that were to be sent: the last one is written after telemetry has ended. */
const linesOf = ({ lines }: RunningService): number => lines.filter((line) => !line.includes('"stopped"')).length;

afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  await forTest.disposeAsync();
  forTest = new AsyncDisposableStack();
});

const answers: Readonly<Record<string, ReceiverAnswer>> = {
  refuses: { status: 400 },
  fails: { status: 500 },
  "is away for a while": { status: 503 },
  "is too busy": { status: 429, headers: { "Retry-After": "1" } },
  hangs: "hang",
};

/** An address where an endpoint has that fault. */
async function faultyEndpoint(fault: string): Promise<string> {
  const receiver = await startReceiver(0, fault === "has a certificate of nobody" ? endpointCertificate() : undefined);
  receiver.answer = answers[fault] ?? { status: 200 };
  if (fault === "is not there") await receiver[Symbol.asyncDispose]();
  return fault === "speaks no TLS" ? receiver.url.replace("http:", "https:") : receiver.url;
}

const faults = ["is not there", ...Object.keys(answers), "speaks no TLS", "has a certificate of nobody"];
const cases = faults.map((fault): [string, readonly Signal[]] => [fault, both]);

test.each([...cases, ["hangs", ["traces"]], ["hangs", ["logs"]]] as [string, readonly Signal[]][])(
  "an endpoint that %s costs no request anything, for %j: what is lost is counted, and told once",
  async (fault, signals) => {
    const service = await start(await faultyEndpoint(fault), signals, {
      OTEL_BSP_MAX_QUEUE_SIZE: "50",
      OTEL_BLRP_MAX_QUEUE_SIZE: "20",
      // A request that waited for this endpoint would not be answered before the test is over; what the exports cost
      // the processor is for the benchmark to say.
      ...(fault === "hangs" && { OTEL_EXPORTER_OTLP_TIMEOUT: "3600000" }),
    });
    await ask(service, 180);

    // A line a request and at least a span: all of them, but for what waits and is on its way.
    const waiting = { traces: 100, logs: 40 };
    for (const signal of both) {
      if (signals.includes(signal))
        await eventually(async () => (await service.metric(dropped, { signal })) >= 180 - waiting[signal]);
      else expect(await service.metric(dropped, { signal })).toBe(0);
    }
    expect(await service.halt()).toBe(0);
    for (const signal of signals) {
      const { count } = told(service, signal);
      expectALineAMinute(service, signal);
      if (signal === "logs") expect(count).toBe(linesOf(service));
      else expect(count).toBeGreaterThanOrEqual(180);
    }
  },
);

test("with the endpoint's authority named, what it takes arrives", async () => {
  const receiver = await startReceiver(0, endpointCertificate());
  const service = await start(receiver.url, both, { ...patient, OTEL_EXPORTER_OTLP_CERTIFICATE: authority.cert });
  await ask(service, 1);
  await receiver.until((spans) => spans.find(({ name }) => name === "GET /api/ml/v1/datasets"));
  await eventually(async () => receiver.logs.some(({ body }) => body === "request"));
  expect(await service.halt()).toBe(0);
  expect(service.errorLines).toEqual([]);
});

/** Waits for the spans of so many requests: what is below one ends before it, and is sent before. */
async function requestsArrived({ spans }: OtlpReceiver, count: number): Promise<void> {
  await eventually(async () => spans.filter(({ kind }) => kind === 2).length >= count);
}

test.each(both)(
  "an endpoint that is busy, and says for how long, gets all %s then, and is left alone until then",
  async (signal) => {
    const busyMs = 3_000;
    const receiver = await startReceiver();
    receiver.answer = { status: 429, headers: { "Retry-After": String(busyMs / 1000) } };
    const service = await start(receiver.url, [signal], { OTEL_EXPORTER_OTLP_TIMEOUT: "600000" });
    await ask(service, 20);
    await eventually(async () => receiver.arrivalsMs.length > 0);
    receiver.answer = { status: 200 };
    const received = (): number => receiver[signal === "traces" ? "spans" : "logs"].length;
    await eventually(async () => received() > 0);
    const [refusedMs = 0, againMs = 0] = receiver.arrivalsMs;
    // A timer may be a millisecond early.
    expect(againMs - refusedMs).toBeGreaterThan(busyMs - 10);
    expect(await service.halt()).toBe(0);
    expect(told(service, signal).count).toBe(0);
    if (signal === "logs") expect(received()).toBe(linesOf(service));
    else expect(receiver.spans.filter(({ kind }) => kind === 2)).toHaveLength(20);
  },
);

test("an endpoint goes away and comes back: what was made is received or told as lost, each span and line", async () => {
  const receiver = await startReceiver(await freePort());
  const service = await start(receiver.url, both, patient);
  // As many at once as later: a request that needs a new connection to PostgreSQL has a span more.
  await ask(service, 40);
  await requestsArrived(receiver, 40);
  const before = receiver.spans.length;
  await ask(service, 10);
  await requestsArrived(receiver, 50);
  const ofRequest = (receiver.spans.length - before) / 10;
  expect(ofRequest).toBeGreaterThanOrEqual(3);
  await receiver[Symbol.asyncDispose]();

  // Until exports have been given up, of both signals.
  const lostOf = (signal: Signal): Promise<number> => service.metric(dropped, { signal });
  let requests = 0;
  await eventually(async () => {
    await ask(service, 20);
    requests += 20;
    return (await lostOf("traces")) > 0 && (await lostOf("logs")) > 0;
  });
  const again = await startReceiver(receiver.port);
  await ask(service, 20);
  requests += 20;
  // More than all would never become as many: nothing else makes spans meanwhile.
  await eventually(async () => again.spans.length + (await lostOf("traces")) >= requests * ofRequest);
  expect(again.spans.length).toBeGreaterThanOrEqual(20 * ofRequest);

  expect(await service.halt()).toBe(0);
  expect(again.spans.length + told(service, "traces").count).toBe(requests * ofRequest);
  expect(receiver.logs.length + again.logs.length + told(service, "logs").count).toBe(linesOf(service));
});

test("an endpoint that hangs lets no memory grow: what waits is a queue and a batch, the rest is dropped", async () => {
  const receiver = await startReceiver();
  receiver.answer = "hang";
  const service = await start(receiver.url, both, {
    // What would grow is the heap: a tenth of what Node takes by default ends the process when it does.
    NODE_OPTIONS: "--max-old-space-size=128",
    OTEL_EXPORTER_OTLP_TIMEOUT: "3600000",
    OTEL_BSP_MAX_QUEUE_SIZE: "500",
    OTEL_BLRP_MAX_QUEUE_SIZE: "500",
  });
  const residentMiB = async () => (await service.metric("process_resident_memory_bytes")) / 1024 ** 2;
  for (let round = 0; round < 20; round += 1) await ask(service, 25);
  const beforeMiB = await residentMiB();
  for (let round = 0; round < 60; round += 1) await ask(service, 25);
  // 2,000 lines and three times as many spans, but for a queue and a batch of each.
  await eventually(async () => (await service.metric(dropped, { signal: "traces" })) >= 5_000);
  await eventually(async () => (await service.metric(dropped, { signal: "logs" })) >= 1_000);
  expect((await residentMiB()) - beforeMiB).toBeLessThan(100);
  expect(await service.halt()).toBe(0);
  expect(told(service, "logs").count).toBe(linesOf(service));
});

describe("one line a minute on stderr", () => {
  test.each(["http/protobuf", "http/json"])(
    "what an endpoint rejects of %s exports is counted and told",
    async (protocol) => {
      const receiver = await startReceiver();
      receiver.answer = { status: 200, rejected: 1 };
      const service = await start(receiver.url, both, { ...patient, OTEL_EXPORTER_OTLP_PROTOCOL: protocol });
      // One by one, so that several exports have one of theirs rejected.
      for (let round = 1; round <= 5; round += 1) {
        await ask(service, 1);
        for (const signal of both) await eventually(async () => (await service.metric(dropped, { signal })) >= round);
      }
      expect(await service.halt()).toBe(0);
      for (const signal of both) expectALineAMinute(service, signal);
      expect(service.errorLines).toHaveLength(both.flatMap((signal) => told(service, signal).timesMs).length);
      // On a slow machine the end of the process may come before the last answer, and is told too; nothing else is.
      const reasons = service.errorLines.map((line) => JSON.parse(line).error);
      expect(reasons).toContain("not these");
      expect(
        reasons.filter(
          (why) =>
            why !== "not these" && !/^the process ended before they were sent(; before that: not these)?$/.test(why),
        ),
      ).toEqual([]);
      expect(receiver.logs.length + told(service, "logs").count).toBe(linesOf(service));
    },
  );

  test("a queue of spans that is full again and again is no line each time", async () => {
    const receiver = await startReceiver();
    const service = await start(receiver.url, ["traces"], { ...patient, OTEL_BSP_MAX_QUEUE_SIZE: "5" });
    const lost = () => service.metric(dropped, { signal: "traces" });
    // Full, and empty again, which lets what comes next in.
    for (let round = 0; round < 10; round += 1) {
      const [before, arrived] = [await lost(), receiver.spans.length];
      await eventually(async () => {
        await ask(service, 20);
        return (await lost()) > before && receiver.spans.length > arrived;
      });
    }
    const least = await lost();
    expect(await service.halt()).toBe(0);
    const { timesMs, count } = told(service, "traces");
    expect(service.errorLines).toHaveLength(timesMs.length);
    expectALineAMinute(service, "traces");
    expect(count).toBeGreaterThanOrEqual(least);
  });

  test("OTEL_LOG_LEVEL changes neither stdout nor stderr: a line is a JSON object", async () => {
    const receiver = await startReceiver();
    receiver.answer = { status: 400 };
    const service = await start(receiver.url, both, { OTEL_LOG_LEVEL: "debug" });
    await ask(service, 5);
    await eventually(async () => (await service.metric(dropped, { signal: "traces" })) > 0);
    expect(await service.halt()).toBe(0);
    for (const line of [...service.lines, ...service.errorLines]) expect(JSON.parse(line)).toHaveProperty("msg");
    expect(told(service, "traces").count).toBeGreaterThan(0);
  });
});
