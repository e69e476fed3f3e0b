import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { OtlpReceiver } from "../support/otlp-receiver.ts";
import { eventually, OwnProcess, startService } from "./processes.ts";

const collectorBinary = process.env.COLLECTOR_BIN ?? "collector";
const resources = new AsyncDisposableStack();
afterAll(() => resources.disposeAsync());

const configuration = ["collector", "tail-sampling"].map((name) => `--config=infra/monitoring/collector/${name}.yml`);

/** The committed configuration, with another address to listen at and one receiver for both signals. */
async function startCollector(
  port: number,
  receiverUrl: string,
  files: readonly string[] = configuration.slice(0, 1),
): Promise<OwnProcess> {
  const { PATH, HOME } = process.env;
  const collector = resources.use(
    new OwnProcess(collectorBinary, [...files], {
      PATH,
      HOME,
      COLLECTOR_LISTEN: `127.0.0.1:${port}`,
      TEMPO_OTLP_URL: receiverUrl,
      LOKI_OTLP_URL: receiverUrl,
      TAIL_SAMPLING_WAIT: "3s",
    }),
  );
  await eventually("the collector", 60, async () => {
    const empty = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
    return (await fetch(`http://127.0.0.1:${port}/v1/traces`, empty)).ok || undefined;
  });
  return collector;
}

test("traces and lines go through a real collector; it bridges an end that is away, and its own end costs no request", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mlops-backend-collector-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const receiver = await OtlpReceiver.start(await freePort());
  const port = await freePort();
  const collector = await startCollector(port, receiver.url);
  const { service, url } = await startService(join(folder, "data"), {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: "1000",
    OTEL_BSP_SCHEDULE_DELAY: "50",
    OTEL_BLRP_SCHEDULE_DELAY: "50",
  });
  resources.use(service);

  /** One request, and whether its trace and its line have arrived at that receiver. */
  const arrivesAt = async (at: OtlpReceiver, path: string): Promise<void> => {
    const { headers } = await fetch(`${url}/api/ml/v1${path}`);
    const id = headers.get("x-request-id");
    const line = await eventually(`the line of ${path}`, 90, async () =>
      at.logs.find(({ attributes }) => attributes.request_id === id),
    );
    const span = await eventually(`the span of ${path}`, 90, async () =>
      at.spans.find(({ traceId, kind }) => traceId === line.traceId && kind === 2),
    );
    expect(span).toMatchObject({ spanId: line.spanId, resource: { "service.name": "mlops-backend" } });
  };
  await arrivesAt(receiver, "/datasets");

  await receiver[Symbol.asyncDispose]();
  const { headers } = await fetch(`${url}/api/ml/v1/artifacts`);
  const again = resources.use(await OtlpReceiver.start(receiver.port));
  await eventually("what was sent while the end was away", 90, async () =>
    again.logs.find(({ attributes }) => attributes.request_id === headers.get("x-request-id")),
  );

  await collector[Symbol.asyncDispose]();
  const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(`${url}/api/ml/v1/datasets`)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  for (const signal of ["traces", "logs"])
    await eventually(`the loss of ${signal} is counted`, 60, async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const lost = new RegExp(`^mlops_backend_telemetry_export_dropped_total\\{signal="${signal}"\\} (\\d+)`, "m").exec(
        text,
      );
      return Number(lost?.[1]) >= 50 || undefined;
    });
  await startCollector(port, again.url);
  await arrivesAt(again, "/training-runs");
});

describe("tail sampling", () => {
  const runAttribute = { key: "mlops.training.run.id", value: { stringValue: "0190-run" } };
  /** A trace of its own: its id says what it is, so that the share that is kept is the same in every run. */
  const traceId = (kind: string, index: number): string => createHash("md5").update(`${kind} ${index}`).digest("hex");

  interface Made {
    readonly traceId: string;
    readonly spanId?: string;
    readonly parentSpanId?: string;
    readonly milliseconds?: number;
    readonly code?: number;
    readonly attributes?: readonly (typeof runAttribute)[];
  }
  async function send(port: number, made: readonly Made[]): Promise<void> {
    const nowMs = Date.now();
    const spans = made.map(({ milliseconds = 20, code = 0, spanId = "00000000000000a1", ...span }) => ({
      name: "GET /api/ml/v1/datasets",
      kind: 2,
      spanId,
      ...span,
      startTimeUnixNano: `${nowMs - milliseconds}000000`,
      endTimeUnixNano: `${nowMs}000000`,
      status: { code },
    }));
    const answer = await fetch(`http://127.0.0.1:${port}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
    });
    expect(answer.status).toBe(200);
  }

  test("keeps every failed, every slow and every run's trace whole, and a tenth of the others", async () => {
    const receiver = resources.use(await OtlpReceiver.start());
    const port = await freePort();
    await startCollector(port, receiver.url, configuration);
    const ids = (kind: string, count: number): string[] =>
      Array.from({ length: count }, (_, index) => traceId(kind, index));
    const failed = ids("failed", 10);
    const slow = ids("slow", 10);
    const runs = ids("run", 10);
    const fast = ids("fast", 500);
    const root = "00000000000000a1";
    const late = { spanId: "00000000000000b2", parentSpanId: root };
    const [long = ""] = ids("long", 1);
    await send(port, [
      // Of a request that goes on: its root comes last.
      { traceId: long, ...late },
      ...failed.map((id) => ({ traceId: id, code: 2 })),
      ...slow.map((id) => ({ traceId: id, milliseconds: 501 })),
      ...runs.map((id) => ({ traceId: id, attributes: [runAttribute] })),
      ...fast.map((id) => ({ traceId: id, milliseconds: 499 })),
    ]);
    const kept = (): Set<string> => new Set(receiver.spans.map((span) => span.traceId));
    await eventually("what must be kept", 60, async () =>
      [...failed, ...slow, ...runs].every((id) => kept().has(id)) ? true : undefined,
    );
    const ofFast = await eventually("the tenth of the others", 30, async () => {
      const before = kept().size;
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      return kept().size === before ? fast.filter((id) => kept().has(id)) : undefined;
    });
    expect(ofFast.length).toBeGreaterThan(25);
    expect(ofFast.length).toBeLessThan(75);

    // A run goes on after the decision: what comes later follows it.
    const dropped = fast.find((id) => !ofFast.includes(id)) ?? "";
    await send(port, [
      { traceId: dropped, ...late, code: 2 },
      { traceId: runs[0] ?? "", ...late },
      { traceId: long, code: 2 },
    ]);
    const arrivedOf = (id: string): string[] =>
      receiver.spans.filter((span) => span.traceId === id).map(({ spanId }) => spanId);
    await eventually(
      "the late span of a run",
      30,
      async () => arrivedOf(runs[0] ?? "").includes(late.spanId) || undefined,
    );
    await eventually("a request that failed late", 30, async () => arrivedOf(long).length === 2 || undefined);
    expect(arrivedOf(dropped)).toEqual([]);
  });
});
