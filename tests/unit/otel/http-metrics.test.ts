import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer, request as httpRequest, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { promisify } from "node:util";
import { type MeterProvider as ApiMeterProvider, metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultLatencyBounds } from "../../../otel/api/catalogue/metric-definition.ts";
import { useHttpRecorder } from "../../../otel/api/http-recorder.ts";
import { leaveUnmeasured } from "../../../otel/api/route-template.ts";
import { writeExposition } from "../../../otel/exposition/exposition.ts";
import { HttpAggregation } from "../../../otel/http/aggregation.ts";
import { HttpMetricsInstrumentation } from "../../../otel/http/instrumentation.ts";
import { meterHttpRecorder, sdkHttpRecorder } from "../../../otel/http/sdk-recorder.ts";
import { metricViews } from "../../../otel/metrics/views.ts";
import { watchClientErrors } from "../../../src/http/client-errors.ts";
import { requestsCutOff } from "../../../src/monitoring/metrics.ts";
import { expositionOptions } from "../../support/exposition-options.ts";
import { measuredApplication } from "./measured-application.ts";
import { converse } from "./raw-requests.ts";

let reader: PrometheusExporter;
let aggregation: HttpAggregation;
let instrumentation: HttpMetricsInstrumentation;
let server: Server;
let port: number;
let address: string;

// The SDK's instruments are the reference; the service itself uses the aggregation.
describe.each(["aggregation", "SDK"] as const)("recorded by the %s", (recorder) => {
  beforeEach(async () => {
    metrics.disable();
    reader = new PrometheusExporter({ preventServerStart: true });
    const provider = new MeterProvider({ readers: [reader], views: metricViews(defaultLatencyBounds) });
    metrics.setGlobalMeterProvider(provider as ApiMeterProvider);
    aggregation = new HttpAggregation(defaultLatencyBounds);
    const used = recorder === "aggregation" ? aggregation : sdkHttpRecorder;
    // For what Node answers in our place.
    useHttpRecorder(used);
    instrumentation = new HttpMetricsInstrumentation({ showsActive: true, recorderOf: () => used });
    server = createServer({ connectionsCheckingInterval: 50 }, measuredApplication());
    server.listen(0, "127.0.0.1");
    watchClientErrors(server);
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
    address = `http://127.0.0.1:${port}`;
  });

  afterEach(async () => {
    instrumentation.disable();
    useHttpRecorder(undefined);
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  async function samples(): Promise<string[]> {
    const { resourceMetrics } = await reader.collect();
    resourceMetrics.scopeMetrics.push({ scope: { name: "http" }, metrics: aggregation.collect() });
    const text = writeExposition(resourceMetrics, { ...expositionOptions, role: "worker" });
    return text.split("\n");
  }

  const counted = (method: string, route: string, status: string, error = "") =>
    `http_server_request_duration_seconds_count{http_request_method="${method}",url_scheme="http",http_route="${route}",http_response_status_code="${status}",error_type="${error}"} 1`;

  // The response's end reaches the client before the server's close event.
  async function expectSample(line: string): Promise<string[]> {
    await expect.poll(samples).toContain(line);
    return samples();
  }

  test("a route in a mounted router is named by its full template", async () => {
    await fetch(`${address}/api/v1/items/forty-two?secret=1`);
    const lines = await expectSample(counted("GET", "/api/v1/items/:id", "200"));
    expect(lines.join("\n")).not.toMatch(/forty|secret/);
    expect(lines).toContain('mlops_backend_http_requests_total{http_route="/api/v1/items/:id",outcome="ok"} 1');
    expect(lines).toContain('http_server_active_requests{http_request_method="GET",url_scheme="http"} 0');
  });

  test("a fault that a root error handler answers keeps its route and is a server error", async () => {
    await fetch(`${address}/api/v1/broken/7`);
    const lines = await expectSample(counted("GET", "/api/v1/broken/:id", "500", "500"));
    expect(lines).toContain(
      'mlops_backend_http_requests_total{http_route="/api/v1/broken/:id",outcome="server_error"} 1',
    );
  });

  test("a path without a route is unmatched, and an invented method is _OTHER", async () => {
    await fetch(`${address}/wp-login.php`);
    await fetch(`${address}/nothing`, { method: "PROPFIND" });
    await expectSample(counted("GET", "unmatched", "404"));
    await expectSample(counted("_OTHER", "unmatched", "404"));
  });

  test("bodies are counted without chunk framing, and HEAD has none", async () => {
    await (await fetch(`${address}/api/v1/stream`)).text();
    await fetch(`${address}/api/v1/items/1`, { method: "HEAD" });
    await fetch(`${address}/api/v1/items`, { method: "POST", body: "z".repeat(5000) });
    const sum = (what: string, method: string, route: string, bytes: number) =>
      `http_server_${what}_body_size_bytes_sum{http_request_method="${method}",url_scheme="http",http_route="/api/v1/${route}"} ${bytes}`;
    await expectSample(sum("response", "GET", "stream", 1000));
    await expectSample(sum("response", "HEAD", "items/:id", 0));
    await expectSample(sum("request", "POST", "items", 5000));
    await expectSample(sum("response", "POST", "items", 4));
  });

  test("an upload that the client breaks off has no status and counts as aborted", async () => {
    const upload = httpRequest(`${address}/api/v1/items`, { method: "POST", headers: { "Content-Length": 100_000 } });
    upload.on("error", () => {});
    upload.write("x".repeat(1000));
    await expect.poll(samples).toContain('http_server_active_requests{http_request_method="POST",url_scheme="http"} 1');
    upload.destroy();
    const lines = await expectSample(counted("POST", "/api/v1/items", "", "client_closed"));
    expect(lines).toContain('mlops_backend_http_requests_total{http_route="/api/v1/items",outcome="aborted"} 1');
  });

  test("a stream counts once, when it closes", async () => {
    const stop = new AbortController();
    const response = await fetch(`${address}/api/v1/endless`, { signal: stop.signal });
    await response.body?.getReader().read();
    expect((await samples()).join("\n")).not.toContain("/api/v1/endless");
    stop.abort();
    await expectSample(counted("GET", "/api/v1/endless", "", "client_closed"));
  });

  test("a malformed request is answered 400 and counted as parse_error", async () => {
    const socket = connect(port, "127.0.0.1");
    socket.end("NOT HTTP\r\n\r\n");
    const [chunk] = (await once(socket, "data")) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 400 /);
    await expectSample(counted("_OTHER", "unmatched", "400", "parse_error"));
  });

  const available = (route: string, outcome: string) =>
    `mlops_backend_http_requests_total{http_route="${route}",outcome="${outcome}"} 1`;

  const good = "GET /api/v1/items/1 HTTP/1.1\r\nHost: x\r\n\r\n";

  test("a malformed request behind a good one is counted too", async () => {
    const said = await converse(port, { send: good }, { send: "NOT HTTP\r\n\r\n", after: /"ok":true/ });
    expect(said).toContain("HTTP/1.1 400 Bad Request");
    await expectSample(counted("GET", "/api/v1/items/:id", "200"));
    await expectSample(counted("_OTHER", "unmatched", "400", "parse_error"));
  });

  /** Where that is what is looked at; a busy machine would lose other requests by it. */
  const giveUpSoon = (): void => {
    server.headersTimeout = 300;
    server.requestTimeout = 400;
  };

  test("headers that do not end are a time-out, also behind a good request", async () => {
    giveUpSoon();
    const said = await converse(port, { send: good }, { send: "GET / HTTP/1.1\r\n", after: /"ok":true/ });
    expect(said).toContain("HTTP/1.1 408 Request Timeout");
    await expectSample(counted("_OTHER", "unmatched", "408", "timeout"));
    await expectSample(available("unmatched", "server_error"));
  });

  test("a connection that sends nothing is no request", async () => {
    giveUpSoon();
    expect(await converse(port)).toContain("HTTP/1.1 408 Request Timeout");
    expect((await samples()).join("\n")).not.toContain('http_route="unmatched"');
  });

  test("a body that does not come is answered 408, and counted with it", async () => {
    giveUpSoon();
    const said = await converse(port, {
      send: "POST /api/v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab",
    });
    expect(said).toContain("HTTP/1.1 408 Request Timeout");
    await expectSample(counted("POST", "/api/v1/items", "408", "timeout"));
    expect((await samples()).join("\n")).not.toContain('http_route="unmatched"');
  });

  test("a damaged body is answered 400, and counted with it as the client's", async () => {
    const chunked = "Transfer-Encoding: chunked\r\n\r\nzz\r\n";
    expect(await converse(port, { send: `POST /api/v1/items HTTP/1.1\r\nHost: x\r\n${chunked}` })).toContain(
      "HTTP/1.1 400",
    );
    await expectSample(counted("POST", "/api/v1/items", "400", "parse_error"));
    await expectSample(available("/api/v1/items", "client_error"));
  });

  test("CONNECT is answered and counted, though Node begins no request for it", async () => {
    const said = await converse(port, { send: "CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n" });
    expect(said).toContain("HTTP/1.1 405 Method Not Allowed");
    await expectSample(counted("CONNECT", "unmatched", "405"));
  });

  test.each([
    ["CONNECT", "CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n", counted("CONNECT", "unmatched", "405")],
    [
      "a body that does not come",
      "POST /api/v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab",
      counted("POST", "/api/v1/items", "408", "timeout"),
    ],
    ["rubbish", "NOT HTTP\r\n\r\n", counted("_OTHER", "unmatched", "400", "parse_error")],
  ])("%s leaves no connection behind, though its client never closes", async (_what, sent, line) => {
    giveUpSoon();
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => {});
    socket.write(sent);
    socket.resume();
    await once(socket, "end");
    await expectSample(line);
    const connections = promisify(server.getConnections.bind(server));
    await expect.poll(() => connections()).toBe(0);
    socket.destroy();
  });

  test("what we break off is a fault of ours, not of the client", async () => {
    await expect(fetch(`${address}/api/v1/half`).then((response) => response.text())).rejects.toThrow();
    await expectSample(counted("GET", "/api/v1/half", "", "other"));
    await expectSample(available("/api/v1/half", "server_error"));
  });

  test("what is cut off when the time to stop is over, too", async () => {
    const answer = await fetch(`${address}/api/v1/endless`);
    requestsCutOff(server);
    server.closeAllConnections();
    await expect(answer.text()).rejects.toThrow();
    await expectSample(counted("GET", "/api/v1/endless", "", "other"));
  });

  const sentBytes = async (route: string): Promise<number> => {
    const sum = `http_server_response_body_size_bytes_sum{http_request_method="GET",url_scheme="http",http_route="/api/v1/${route}"} `;
    const find = async () => (await samples()).find((sample) => sample.startsWith(sum));
    await expect.poll(find).toBeDefined();
    return Number((await find())?.slice(sum.length));
  };

  test.each(["large", "one-piece"])("of an answer broken off, %s, only what was sent counts", async (route) => {
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET /api/v1/${route} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(socket, "data");
    socket.pause();
    socket.resetAndDestroy();
    // What lies in the buffers of both ends of the connection was sent; the rest was not.
    expect(await sentBytes(route)).toBeLessThan(20_000_000);
  });

  test("a whole answer counts whole, and what is written after its end not at all", async () => {
    await (await fetch(`${address}/api/v1/large`)).arrayBuffer();
    expect(await sentBytes("large")).toBe(400 * 65_536);
    expect(await (await fetch(`${address}/api/v1/twice`)).text()).toBe("12345");
    expect(await sentBytes("twice")).toBe(5);
  });

  test("another spelling of the prefix is another path", async () => {
    await fetch(`${address}/API/v1/items/1`);
    await expectSample(counted("GET", "unmatched", "404"));
  });

  test("a server left unmeasured adds nothing", async () => {
    leaveUnmeasured(server);
    await fetch(`${address}/api/v1/items/1`);
    expect((await samples()).join("\n")).not.toContain("http_route=");
  });

  test("a message that makes no sense neither throws nor counts", async () => {
    expect(() => channel("http.server.request.start").publish({})).not.toThrow();
    expect((await samples()).join("\n")).not.toContain("http_route=");
  });
});

test("with another MeterProvider it counts in its instruments, and not while it is disabled", async () => {
  const own = new PrometheusExporter({ preventServerStart: true });
  const alone = new HttpMetricsInstrumentation({ showsActive: true, recorderOf: meterHttpRecorder });
  alone.setMeterProvider(new MeterProvider({ readers: [own] }) as ApiMeterProvider);
  const simple = createServer(measuredApplication()).listen(0, "127.0.0.1");
  await once(simple, "listening");
  const counts = async () => {
    const { resourceMetrics } = await own.collect();
    const all = resourceMetrics.scopeMetrics.flatMap(({ metrics: ofScope }) => ofScope);
    const duration = all.find(({ descriptor }) => descriptor.name === "http.server.request.duration");
    return duration?.dataPoints.map(({ attributes, value }) => [
      attributes["http.route"],
      (value as { count: number }).count,
    ]);
  };
  const get = async (): Promise<void> => {
    await (await fetch(`http://127.0.0.1:${(simple.address() as AddressInfo).port}/api/v1/items/1`)).text();
  };
  try {
    await get();
    await expect.poll(counts).toEqual([["/api/v1/items/:id", 1]]);
    alone.disable();
    await get();
    alone.enable();
    await get();
    await expect.poll(counts).toEqual([["/api/v1/items/:id", 2]]);
  } finally {
    alone.disable();
    simple.closeAllConnections();
    simple.close();
  }
});
