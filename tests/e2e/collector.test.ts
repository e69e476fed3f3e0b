import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { OtlpReceiver } from "../support/otlp-receiver.ts";
import { eventually, freePort, OwnProcess, startService } from "./processes.ts";

const collectorBinary = process.env.COLLECTOR_BIN ?? "collector";
const resources = new AsyncDisposableStack();
afterAll(() => resources.disposeAsync());

/** The committed configuration, with another address to listen at and one receiver for both signals. */
async function startCollector(port: number, receiverUrl: string): Promise<OwnProcess> {
  const { PATH, HOME } = process.env;
  const collector = resources.use(
    new OwnProcess(collectorBinary, ["--config=infra/monitoring/collector/collector.yml"], {
      PATH,
      HOME,
      COLLECTOR_LISTEN: `127.0.0.1:${port}`,
      TEMPO_OTLP_URL: receiverUrl,
      LOKI_OTLP_URL: receiverUrl,
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
  const receiver = await OtlpReceiver.start();
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
