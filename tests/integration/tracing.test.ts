import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { promisify } from "node:util";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace";
import { afterEach, describe, expect, test } from "vitest";
import { OtlpReceiver, type ReceivedSpan } from "../support/otlp-receiver.ts";
import { eventually, startService } from "../support/service.ts";
import { startTraced as startTracedService } from "../support/traced-service.ts";

const csv = `a,b,target\n${Array.from({ length: 60 }, (_, row) => `${row},${row % 7},${row % 2 ? "x" : "y"}`).join("\n")}\n`;
const root = new URL("../..", import.meta.url).pathname;
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
      const line = await eventually(async () =>
        service.lines.map((text) => JSON.parse(text)).find(({ route }) => route === "/api/ml/v1/datasets"),
      );
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
    await fetch(`${service.url}/metrics/`);
    await fetch(`${service.url}/api/health/`);
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
      tracestate: "caller=secret-state",
      baggage: "user=secret-user",
    });
    const span = await receiver.until((spans) => named(spans, "GET /api/ml/v1/artifacts"));
    expect(span).toMatchObject({ traceId, parentSpanId: "00f067aa0ba902b7" });
    expect(receiver.spans.flatMap(({ traceStates }) => traceStates)).toEqual([]);
    expect(named(receiver.spans, "GET /api/ml/v1/datasets")).toBeUndefined();
    expect(JSON.stringify(receiver.spans)).not.toContain("secret");
  });

  test("the ratio decides how many are traced", async () => {
    const { receiver, service } = await startTraced({ OTEL_TRACES_SAMPLER_ARG: "0" });
    const untraced = await service.call("GET", "/datasets");
    expect(untraced.headers.get("x-trace-id")).toBeNull();
    await service.call("GET", "/artifacts", undefined, { traceparent: `00-${"2".repeat(32)}-00f067aa0ba902b7-01` });
    await receiver.until((spans) => named(spans, "GET /api/ml/v1/artifacts"));
    expect(named(receiver.spans, "GET /api/ml/v1/datasets")).toBeUndefined();
  });

  test("a request that the ratio leaves out has no trace to quote, and none of its steps begins one", async () => {
    const { receiver, service } = await startTraced({ OTEL_TRACES_SAMPLER_ARG: "0.5" });
    const answers = [];
    for (let request = 0; request < 40; request += 1) answers.push(await service.upload("a,b\n1,2\n3\n"));
    const quoted = answers.map(({ headers }) => headers.get("x-trace-id"));
    expect(answers.map(({ json }) => json.traceId ?? null)).toEqual(quoted);
    const kept = quoted.filter((id) => id !== null);
    // 40 throws of a coin: fewer than 5 of a side is one in ten million.
    expect(Math.min(kept.length, 40 - kept.length)).toBeGreaterThanOrEqual(5);
    await receiver.until((spans) => spans.filter(({ kind }) => kind === 2).length >= kept.length);
    const roots = receiver.spans.filter(({ parentSpanId }) => parentSpanId === "");
    expect(roots.filter(({ kind }) => kind === 2).map(({ traceId }) => traceId)).toEqual(kept);
    expect(roots.filter(({ kind }) => kind !== 2 && kind !== 5)).toEqual([]);
    // As whoever samples by the trace id decides, too: another service, or a collector.
    const byRatio = new TraceIdRatioBasedSampler(0.5);
    for (const traceId of kept) expect(byRatio.shouldSample(ROOT_CONTEXT, traceId!).decision).toBe(2);
  });

  test("at ratio 0 the training of a traced request is kept, and no other", async () => {
    const { receiver, service } = await startTraced({ OTEL_TRACES_SAMPLER_ARG: "0" });
    const dataset = await service.upload(csv);
    const submit = (flags: string) =>
      service.call(
        "POST",
        "/training-runs",
        { datasetId: dataset.json.id, mode: "light" },
        { traceparent: `00-${"3".repeat(32)}-00f067aa0ba902b7-${flags}` },
      );
    const [, traced] = [await submit("00"), await submit("01")];
    const process = await receiver.until((spans) => named(spans, "process training"));
    expect(process.attributes["mlops.training.run.id"]).toBe(traced.json.id);
    expect(process.links.map(({ traceId }) => traceId)).toEqual(["3".repeat(32)]);
    await service.waitForRun(traced.json.id);
    expect(await service.halt()).toBe(0);
    expect(receiver.spans.filter(({ name }) => name === "process training")).toHaveLength(1);
  });

  test.each([
    ["always_on", "00", true],
    ["always_off", "01", false],
  ])("%s asks no caller", async (sampler, flags, isTraced) => {
    const { receiver, service } = await startTraced({ OTEL_TRACES_SAMPLER: sampler });
    const traceId = "4".repeat(32);
    await service.call("GET", "/datasets", undefined, { traceparent: `00-${traceId}-00f067aa0ba902b7-${flags}` });
    expect(await service.halt()).toBe(0);
    expect(receiver.spans.some((span) => span.traceId === traceId)).toBe(isTraced);
    if (!isTraced) expect(receiver.spans).toEqual([]);
  });

  test("the trace goes on to whom a request calls; baggage is in no span", async () => {
    const receiver = await OtlpReceiver.start();
    resources.push(() => receiver[Symbol.asyncDispose]());
    const script = `
      import { createServer } from "node:http";
      const called = createServer((request, response) => response.end(JSON.stringify(request.headers)));
      called.listen(0, "127.0.0.1", () => {
        const address = \`http://127.0.0.1:\${called.address().port}/secret-path?secret-query\`;
        const calling = createServer(async (_, response) => response.end(await (await fetch(address)).text()));
        calling.listen(0, "127.0.0.1", () => console.log(calling.address().port));
      });`;
    const child = spawn(process.execPath, ["--import", "./otel/register", "--input-type=module", "-e", script], {
      cwd: root,
      env: { PATH: process.env.PATH, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: "50" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    resources.push(async () => {
      child.kill();
      await once(child, "exit");
    });
    const [port] = await once(child.stdout, "data");
    const traceId = "5".repeat(32);
    const answer = await fetch(`http://127.0.0.1:${String(port).trim()}/`, {
      headers: {
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
        tracestate: "caller=state",
        baggage: "user=secret-user",
      },
    });
    const { traceparent, tracestate } = (await answer.json()) as { traceparent: string; tracestate: string };
    expect(tracestate).toBe("caller=state");
    const call = await receiver.until((spans) => spans.find(({ scope }) => scope.endsWith("instrumentation-undici")));
    expect(traceparent).toBe(`00-${traceId}-${call.spanId}-01`);
    expect(call).toMatchObject({ kind: 3, traceId, attributes: { "server.address": "127.0.0.1" } });
    const request = await receiver.until((spans) => spans.find(({ spanId }) => spanId === call.parentSpanId));
    expect(request).toMatchObject({ kind: 2, traceId, parentSpanId: "00f067aa0ba902b7" });
    expect(JSON.stringify(receiver.spans)).not.toContain("secret");
  });

  test("a request that ended without an answer says why as the metrics do", async () => {
    const { receiver, service } = await startTraced();
    const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
    const path = "/api/ml/v1/datasets/upload";
    const type = "Content-Type: multipart/form-data; boundary=x";
    socket.end(`POST ${path} HTTP/1.1\r\nHost: localhost\r\n${type}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`);
    socket.resume();
    await once(socket, "close");
    const span = await receiver.until((spans) => named(spans, `POST ${path}`));
    expect(span.attributes["error.type"]).toBe("parse_error");
    const labels = { http_route: path, error_type: "parse_error", http_response_status_code: "400" };
    expect(await service.metric("http_server_request_duration_seconds_count", labels)).toBe(1);
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

test("without an endpoint nothing of traces and log export is loaded", async () => {
  const loadedWith = async (env: Record<string, string>): Promise<string[]> => {
    const recording = `import { registerHooks } from "node:module";
      globalThis.loaded = [];
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        ...["--import", `data:text/javascript,${encodeURIComponent(recording)}`, "--import", "./otel/register"],
        ...["-e", "process.stdout.write(JSON.stringify(loaded), () => process.exit())"],
      ],
      { cwd: root, env: { PATH: process.env.PATH, ...env }, maxBuffer: 2 ** 24 },
    );
    const ofTraces =
      /sdk-node|sdk-trace|sdk-logs|exporter-(trace|logs)|import-in-the-middle\/register-hooks|instrumentation-(?!runtime)\w+\//;
    return (JSON.parse(stdout) as string[]).filter((url) => ofTraces.test(url));
  };
  expect(await loadedWith({})).toEqual([]);
  const all = await loadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
  for (const part of ["sdk-node", "sdk-logs", "instrumentation-http"])
    expect(all.some((url) => url.includes(`/${part}/`))).toBe(true);
});

test("with metrics switched off, traces and log lines go on; with the SDK switched off nothing is sent", async () => {
  const { receiver, service } = await startTraced({ PROMETHEUS__ENABLED: "false" });
  expect((await service.call("GET", "/metrics")).status).toBe(404);
  const { headers } = await service.call("GET", "/datasets");
  const list = await receiver.until((spans) => named(spans, "GET /api/ml/v1/datasets"));
  expect(list.traceId).toBe(headers.get("x-trace-id"));
  await eventually(async () =>
    receiver.logs.some(({ body, traceId }) => body === "request" && traceId === list.traceId),
  );
  expect(await service.halt()).toBe(0);

  const off = await startTraced({ OTEL_SDK_DISABLED: "true" });
  expect((await off.service.call("GET", "/metrics")).status).toBe(404);
  expect((await off.service.call("GET", "/datasets")).headers.get("x-trace-id")).toBeNull();
  expect(await off.service.halt()).toBe(0);
  expect(off.receiver.contentTypes).toEqual([]);
});
