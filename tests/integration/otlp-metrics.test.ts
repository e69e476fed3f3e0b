import { afterEach, describe, expect, test } from "vitest";
import { metricDefinitions } from "../../otel/api/catalogue/catalogue.ts";
import { fromBoundedSource } from "../../otel/api/catalogue/metric-definition.ts";
import {
  familiesOfExport,
  familiesOfExposition,
  isSteady,
  seriesOfExport,
  seriesOfExposition,
} from "../support/exported-series.ts";
import { freePort } from "../support/free-port.ts";
import type { ReceivedMetric } from "../support/otlp-metrics.ts";
import { OtlpReceiver, type ReceiverAnswer } from "../support/otlp-receiver.ts";
import { eventually, type RunningService, refusedStart, startService } from "../support/service.ts";

const csv = `a,b,label\n${Array.from({ length: 60 }, (_, row) => `${row},${row % 7},${row % 2 ? "x" : "y"}`).join("\n")}\n`;
const dropped = "mlops_backend_telemetry_export_dropped_total";

let forTest = new AsyncDisposableStack();
afterEach(async () => {
  await forTest.disposeAsync();
  forTest = new AsyncDisposableStack();
});

async function startReceiver(port?: number): Promise<OtlpReceiver> {
  return forTest.use(await OtlpReceiver.start(port));
}

async function start(env: Record<string, string>): Promise<RunningService> {
  const service = await startService({ env: { OTEL_METRICS_EXPORTER: "prometheus,otlp", ...env } });
  forTest.defer(() => service.stop());
  return service;
}

const endpointOf = ({ url }: OtlpReceiver) => ({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${url}/v1/metrics` });

/** Something of every kind: uploads that get in and that don't, a run, a prediction, routes that there aren't. */
async function useAll(service: RunningService): Promise<void> {
  const { json: dataset } = await service.upload(csv);
  await service.upload(csv);
  await service.upload("nothing");
  const { json: run } = await service.train(dataset.id);
  expect(run.status).toBe("succeeded");
  await service.call("POST", `/artifacts/${run.artifactId}/predictions`, { rows: [{ a: 1, b: 2 }] });
  await service.call("POST", `/artifacts/${run.artifactId}/predictions`, { rows: [] });
  await service.call("GET", "/nowhere");
  await service.call("GET", "/datasets?limit=0");
  await service.call("DELETE", `/artifacts/${run.artifactId}`);
}

/** /metrics as OpenMetrics, of the port that nobody counts. */
async function scrape(service: RunningService): Promise<string> {
  const { metricsUrl } = JSON.parse(service.lines.find((line) => line.includes('"ready"')) ?? "{}");
  const response = await fetch(metricsUrl, { headers: { accept: "application/openmetrics-text" } });
  return response.text();
}

/** An exposition and an export between which nothing happened that both count. */
async function readBoth(
  service: RunningService,
  receiver: OtlpReceiver,
): Promise<{ text: string; sent: ReceivedMetric[] }> {
  const steady = (text: string) => JSON.stringify([...seriesOfExposition(text)].filter(([key]) => isSteady(key)));
  return eventually(async () => {
    const before = await scrape(service);
    const count = receiver.metrics.length;
    // The first one may have been collected before.
    await eventually(async () => receiver.metrics.length >= count + 2);
    const sent = receiver.metrics.at(-1) ?? [];
    const text = await scrape(service);
    return steady(before) === steady(text) ? { text, sent } : undefined;
  });
}

describe("what is sent by OTLP is what /metrics says", () => {
  test.each(["http/protobuf", "http/json"])(
    "after traffic, over %s: names, units, attributes, figures, begins, buckets and zeros",
    async (protocol) => {
      const receiver = await startReceiver();
      const service = await start({
        ...endpointOf(receiver),
        OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: protocol,
        OTEL_METRIC_EXPORT_INTERVAL: "1000",
        METRICS_PORT: String(await freePort()),
        PROMETHEUS__CREATED: "true",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
      });
      const zeros = await eventually(async () => receiver.metrics[0]);
      await useAll(service);
      const { text, sent } = await readBoth(service, receiver);

      const shown = seriesOfExposition(text);
      const exported = seriesOfExport(sent);
      expect([...exported.keys()].toSorted()).toEqual([...shown.keys()].toSorted());
      const figures = (series: ReadonlyMap<string, number>) =>
        Object.fromEntries([...series].filter(([key]) => isSteady(key)).toSorted());
      expect(figures(exported)).toEqual(figures(shown));
      expect(familiesOfExport(sent)).toEqual(familiesOfExposition(text));

      // What requests were counted in is there, and what the service did.
      const requests = sent.find(({ name }) => name === "http.server.request.duration");
      expect(requests).toMatchObject({ unit: "s", type: "histogram", scope: "mlops-backend" });
      expect(requests?.points.map(({ attributes }) => attributes)).toContainEqual({
        "http.request.method": "POST",
        "url.scheme": "http",
        "http.route": "/api/ml/v1/datasets/upload",
        "http.response.status_code": "201",
      });
      expect(exported.get('mlops_backend_dataset_uploads_total{outcome="accepted"}')).toBe(1);
      for (const { name, unit, temporality, resource } of sent) {
        expect(unit, name).toBe(metricDefinitions.find(([, definition]) => definition.name === name)?.[1].unit);
        expect([undefined, 2], name).toContain(temporality);
        expect(resource).toMatchObject({ "service.name": "mlops-backend", "deployment.environment.name": "test" });
        expect(Object.keys(resource)).not.toContain("process.command_args");
      }

      // Before anything happened: every series of counters and histograms that is there from the start, at 0.
      const first = seriesOfExport(zeros);
      expect(first.get('mlops_backend_training_duration_seconds_count{mode="heavy",task="regression"}')).toBe(0);
      const fromStart = metricDefinitions.filter(
        ([, { kind, fromStart, attributes }]) =>
          fromStart && kind !== "gauge" && !Object.values(attributes).includes(fromBoundedSource),
      );
      for (const [, { name }] of fromStart)
        expect(zeros.find((metric) => metric.name === name)?.points.length, name).toBeGreaterThan(0);
    },
  );

  test("with traces and logs at one endpoint metrics go there once, and make no span", async () => {
    const receiver = await startReceiver();
    const service = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_METRIC_EXPORT_INTERVAL: "200",
      OTEL_BSP_SCHEDULE_DELAY: "50",
    });
    await service.call("GET", "/datasets");
    await receiver.until((spans) => spans.find(({ name }) => name === "GET /api/ml/v1/datasets"));
    const roots = () => receiver.spans.filter(({ parentSpanId }) => parentSpanId === "").map(({ name }) => name);
    const [before, exports] = [roots().length, receiver.metrics.length];
    await eventually(async () => receiver.metrics.length >= exports + 5);
    expect(roots().slice(before)).toEqual([]);
    for (const metrics of receiver.metrics) seriesOfExport(metrics); // Throws where a series comes twice.
    expect(new Set(receiver.metrics.flat().map(({ scope }) => scope))).toEqual(
      new Set(["mlops-backend", "@opentelemetry/instrumentation-runtime-node"]),
    );
  });
});

describe("OTEL_METRICS_EXPORTER", () => {
  test("otlp alone sends, and /metrics is 404; the end sends what no interval has", async () => {
    const receiver = await startReceiver();
    const service = await start({
      OTEL_METRICS_EXPORTER: "otlp",
      ...endpointOf(receiver),
      OTEL_METRIC_EXPORT_INTERVAL: "3600000",
    });
    await useAll(service);
    expect((await service.call("GET", "/metrics")).status).toBe(404);
    expect(service.lines.some((line) => line.includes("metrics are sent, and /metrics is 404"))).toBe(true);
    expect(receiver.metrics).toEqual([]);
    expect(await service.halt()).toBe(0);
    expect(receiver.metrics).toHaveLength(1);
    const last = seriesOfExport(receiver.metrics[0] ?? []);
    expect(last.get('mlops_backend_dataset_uploads_total{outcome="accepted"}')).toBe(1);
    expect(last.get('mlops_backend_training_runs_total{mode="light",outcome="succeeded",task="classification"}')).toBe(
      1,
    );
    expect(last.get("mlops_backend_datasets{}")).toBe(1);
    expect(last.get('mlops_backend_telemetry_export_dropped_total{signal="metrics"}')).toBe(0);
    expect(service.errorLines).toEqual([]);
  });

  test("none measures nothing and sends nothing", async () => {
    const receiver = await startReceiver();
    const service = await start({
      OTEL_METRICS_EXPORTER: "none",
      ...endpointOf(receiver),
      OTEL_METRIC_EXPORT_INTERVAL: "20",
    });
    await service.call("GET", "/datasets");
    expect((await service.call("GET", "/metrics")).status).toBe(404);
    expect(service.lines.some((line) => line.includes("nothing is measured and /metrics is 404"))).toBe(true);
    expect(await service.halt()).toBe(0);
    expect(receiver.contentTypes).toEqual([]);
  });

  test("console writes a line of JSON for each metric, the last ones at the end", async () => {
    const service = await start({ OTEL_METRICS_EXPORTER: "console", OTEL_METRIC_EXPORT_INTERVAL: "3600000" });
    await service.upload(csv);
    expect(await service.halt()).toBe(0);
    const metrics = service.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === "metric");
    expect(metrics.find(({ name }) => name === "mlops.backend.dataset.uploads")).toMatchObject({
      unit: "{upload}",
      points: expect.arrayContaining([{ attributes: { outcome: "accepted" }, value: 1 }]),
    });
    expect(metrics.map(({ name }) => name)).toContain("http.server.request.duration");
  });

  test("without otlp an endpoint is told to be without effect; what it can't be ends the start, each variable in a line", async () => {
    const set = { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://127.0.0.1:9/v1/metrics" };
    const service = await start({ OTEL_METRICS_EXPORTER: "", ...set });
    const told =
      "set, and without effect here: OTEL_EXPORTER_OTLP_METRICS_ENDPOINT (OTEL_METRICS_EXPORTER has no otlp)";
    expect(service.lines.filter((line) => JSON.parse(line).msg === told)).toHaveLength(1);
    const { code, stderr } = await refusedStart(service, {
      OTEL_METRICS_EXPORTER: "otlp",
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "delta",
      OTEL_METRIC_EXPORT_INTERVAL: "soon",
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^.*OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE must be cumulative.*$/m);
    expect(stderr).toMatch(/^.*OTEL_METRIC_EXPORT_INTERVAL must be a whole number.*$/m);
  });
});

describe("an endpoint that does not take metrics", () => {
  const answers: Readonly<Record<string, ReceiverAnswer>> = {
    refuses: { status: 400 },
    fails: { status: 500 },
    "is too busy": { status: 429, headers: { "Retry-After": "1" } },
    hangs: "hang",
  };

  test.each(["is not there", ...Object.keys(answers)])(
    "because it %s costs nobody anything: what is lost is counted and told once, and the end is in time",
    async (fault) => {
      const receiver = await startReceiver();
      receiver.answer = answers[fault] ?? { status: 200 };
      if (fault === "is not there") await receiver[Symbol.asyncDispose]();
      const service = await start({ ...endpointOf(receiver), OTEL_METRIC_EXPORT_INTERVAL: "300" });
      const lost = () => service.metric(dropped, { signal: "metrics" });
      await eventually(async () => (await lost()) > 0);
      const once = await lost();
      const statuses = await Promise.all(
        Array.from({ length: 10 }, async () => (await service.call("GET", "/datasets")).status),
      );
      expect(new Set(statuses)).toEqual(new Set([200]));
      // Whole exports, again and again: no more than one is on its way.
      await eventually(async () => (await lost()) >= once * 3);
      for (const signal of ["traces", "logs"]) expect(await service.metric(dropped, { signal })).toBe(0);
      const beganMs = performance.now();
      expect(await service.halt()).toBe(0);
      // Its grace is 1 s, the rest of the end takes less than one on a machine that is not busy.
      expect(performance.now() - beganMs).toBeLessThan(60_000);
      const told = service.errorLines.map((line) => JSON.parse(line).msg as string);
      expect(told.filter((msg) => !/^telemetry: \d+ points of metrics could not be exported/.test(msg))).toEqual([]);
      // At once, and the rest at the end; a slow machine may have minutes between them.
      expect(told.length).toBeLessThanOrEqual(6);
    },
  );

  test("for a while gets all counts when it is back, from their begin", async () => {
    const receiver = await startReceiver();
    receiver.answer = { status: 503 };
    const service = await start({ ...endpointOf(receiver), OTEL_METRIC_EXPORT_INTERVAL: "300" });
    await service.upload(csv);
    await eventually(async () => (await service.metric(dropped, { signal: "metrics" })) > 0);
    receiver.answer = { status: 200 };
    const uploads = 'mlops_backend_dataset_uploads_total{outcome="accepted"}';
    const sent = await eventually(async () => receiver.metrics[0] && seriesOfExport(receiver.metrics[0]));
    expect(sent.get(uploads)).toBe(1);
    expect(sent.get(`${dropped}{signal="metrics"}`)).toBeGreaterThan(0);
  });

  test.each(["http/protobuf", "http/json"])("in part, over %s, has what it rejected counted", async (protocol) => {
    const receiver = await startReceiver();
    receiver.answer = { status: 200, rejected: 3 };
    const service = await start({
      ...endpointOf(receiver),
      // Time enough that none is given up.
      OTEL_METRIC_EXPORT_INTERVAL: "2000",
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: protocol,
    });
    await eventually(async () => (await service.metric(dropped, { signal: "metrics" })) >= 6);
    expect(await service.metric(dropped, { signal: "traces" })).toBe(0);
    expect(service.errorLines.map((line) => JSON.parse(line).error)).toContain("not these");
  });
});
