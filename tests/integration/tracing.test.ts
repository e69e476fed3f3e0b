import { afterEach, describe, expect, test } from "vitest";
import { OtlpReceiver, type ReceivedSpan } from "../support/otlp-receiver.ts";
import { startService } from "../support/service.ts";
import { startTraced as startTracedService } from "../support/traced-service.ts";

const csv = `a,b,target\n${Array.from({ length: 60 }, (_, row) => `${row},${row % 7},${row % 2 ? "x" : "y"}`).join("\n")}\n`;
const resources: (() => PromiseLike<unknown>)[] = [];
afterEach(async () => {
  for (const stop of resources.splice(0).reverse()) await stop();
});

const startTraced = async (env?: Record<string, string>) => {
  const traced = await startTracedService(env);
  resources.push(() => traced[Symbol.asyncDispose]());
  return traced;
};

const named = (spans: readonly ReceivedSpan[], name: string) => spans.find((span) => span.name === name);
const families = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("# TYPE "))
    .map((line) => line.slice(7));
const seriesOf = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.slice(0, line.lastIndexOf(" ")))
    // Statements and time-outs of the background come when they come.
    .filter((series) => !/^(db_client|v8js_gc|nodejs_|process_|target_info|mlops_backend_metrics_series)/.test(series));

describe("with an OTLP endpoint", () => {
  test.each(["http/protobuf", "http/json"])(
    "requests arrive as spans over %s, named by their routes",
    async (protocol) => {
      const { receiver, service } = await startTraced({ OTEL_EXPORTER_OTLP_PROTOCOL: protocol });
      await service.call("GET", "/datasets?limit=3&cursor=secret-cursor");
      await service.call("GET", "/training-runs/0190b6a0-0000-7000-8000-000000000000");
      await service.call("GET", "/api/nothing/secret-name");
      const list = await receiver.until((spans) => named(spans, "GET /api/ml/v1/datasets"));
      expect(list).toMatchObject({
        kind: 2,
        attributes: { "http.route": "/api/ml/v1/datasets", "http.request.method": "GET", "url.scheme": "http" },
        resource: { "service.name": "mlops-backend" },
      });
      const missing = await receiver.until((spans) => named(spans, "GET /api/ml/v1/training-runs/:id"));
      expect(missing.attributes["http.response.status_code"]).toBe(404);
      const unmatched = await receiver.until((spans) => named(spans, "GET"));
      expect(unmatched.attributes).not.toHaveProperty("http.route");
      // The handler's span is the request's child: Express is really patched.
      const handler = await receiver.until((spans) =>
        spans.find((span) => span.parentSpanId === list.spanId && span.scope.endsWith("instrumentation-express")),
      );
      expect(handler.traceId).toBe(list.traceId);
      if (service.databaseUrl !== "") {
        const statement = await receiver.until((spans) =>
          spans.find(({ scope }) => scope.endsWith("instrumentation-pg")),
        );
        expect(statement).toMatchObject({ kind: 3, attributes: { "db.system.name": "postgresql" } });
      }
      // And so is pino: the access line has the ids of its trace.
      const line = service.lines.map((text) => JSON.parse(text)).find(({ route }) => route === "/api/ml/v1/datasets");
      expect(line).toMatchObject({ trace_id: list.traceId, span_id: list.spanId });
      expect(JSON.stringify(receiver.spans)).not.toMatch(
        /secret|user_agent|url\.(path|query|full)|"client\.|"network\.peer/,
      );
      // What the caller writes into Host is not ours to send; the database's address is.
      expect(JSON.stringify(receiver.spans.filter(({ kind }) => kind !== 3))).not.toContain("127.0.0.1");
      expect(new Set(receiver.contentTypes).size).toBe(1);
      expect(receiver.contentTypes[0]).toBe(protocol === "http/json" ? "application/json" : "application/x-protobuf");
    },
  );

  test("health checks, scrapes and polls make no span; what runs in the background is the trace of a job", async () => {
    const { receiver, service } = await startTraced();
    await service.call("GET", "/api/health/live");
    await service.call("GET", "/api/health/ready?x=1");
    await service.call("GET", "/api/health");
    await service.call("GET", "/metrics");
    await service.call("GET", "/datasets");
    const list = await receiver.until((spans) => named(spans, "GET /api/ml/v1/datasets"));
    const others = receiver.spans.filter(
      ({ traceId, parentSpanId }) => traceId !== list.traceId && parentSpanId === "",
    );
    expect(others.filter(({ name }) => !/^process (maintenance|dataset-ttl)$/.test(name))).toEqual([]);
  });

  test("the caller's trace goes on, and a caller who does not sample is followed", async () => {
    const { receiver, service } = await startTraced();
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    await service.call("GET", "/datasets", undefined, {
      traceparent: `00-${"1".repeat(32)}-00f067aa0ba902b7-00`,
      baggage: "user=secret-user",
    });
    await service.call("GET", "/artifacts", undefined, {
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      baggage: "user=secret-user",
    });
    const span = await receiver.until((spans) => named(spans, "GET /api/ml/v1/artifacts"));
    expect(span).toMatchObject({ traceId, parentSpanId: "00f067aa0ba902b7" });
    expect(named(receiver.spans, "GET /api/ml/v1/datasets")).toBeUndefined();
    expect(JSON.stringify(receiver.spans)).not.toContain("secret");
  });

  test("the ratio decides how many are traced", async () => {
    const { receiver, service } = await startTraced({ OTEL_TRACES_SAMPLER_ARG: "0" });
    await service.call("GET", "/datasets");
    await service.call("GET", "/artifacts", undefined, { traceparent: `00-${"2".repeat(32)}-00f067aa0ba902b7-01` });
    await receiver.until((spans) => named(spans, "GET /api/ml/v1/artifacts"));
    expect(named(receiver.spans, "GET /api/ml/v1/datasets")).toBeUndefined();
  });

  test("metrics have the same families and series as without: nothing is measured twice", async () => {
    const traced = await startTraced();
    const plain = await startService();
    resources.push(() => plain.stop());
    const texts = [];
    for (const service of [traced.service, plain]) {
      const { json } = await service.upload(csv);
      await service.train(json.id);
      await service.call("GET", "/datasets/nonsense");
      await service.call("GET", "/api/nothing");
      // Twice: the first scrape measures itself for the second.
      await service.call("GET", "/metrics");
      texts.push((await service.call("GET", "/metrics")).text);
    }
    expect(families(texts[0]!).toSorted()).toEqual(families(texts[1]!).toSorted());
    expect(seriesOf(texts[0]!).toSorted()).toEqual(seriesOf(texts[1]!).toSorted());
    expect(new Set(seriesOf(texts[0]!)).size).toBe(seriesOf(texts[0]!).length);
  });
});

describe("an endpoint that is not there", () => {
  test("costs no request anything; what is lost is counted", async () => {
    const gone = await OtlpReceiver.start();
    await gone[Symbol.asyncDispose]();
    const service = await startService({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: gone.url, OTEL_BSP_SCHEDULE_DELAY: "50", OTEL_EXPORTER_OTLP_TIMEOUT: "500" },
    });
    resources.push(() => service.stop());
    const answers = await Promise.all(Array.from({ length: 50 }, () => service.call("GET", "/datasets")));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await expect
      .poll(() => service.metric("mlops_backend_telemetry_export_dropped_total", { signal: "traces" }), {
        timeout: 60_000,
      })
      .toBeGreaterThanOrEqual(50);
    expect(await service.halt()).toBe(0);
  });
});
