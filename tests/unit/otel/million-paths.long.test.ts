import { channel } from "node:diagnostics_channel";
import { createServer, IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import express, { Router } from "express";
import { afterEach, beforeEach, expect, test } from "vitest";
import { defaultLatencyBounds } from "../../../otel/api/catalogue/metric-definition.ts";
import { attachRouteAccessor } from "../../../otel/api/route-template.ts";
import { writeExposition } from "../../../otel/exposition/exposition.ts";
import { HttpAggregation } from "../../../otel/http/aggregation.ts";
import { HttpMetricsInstrumentation } from "../../../otel/http/instrumentation.ts";
import { expositionOptions } from "../../support/exposition-options.ts";
import { seededRandom } from "../../support/seeded-random.ts";

const requests = 1_000_000;
const aTurn = 2_000;

let instrumentation: HttpMetricsInstrumentation;
let aggregation: HttpAggregation;
beforeEach(() => {
  aggregation = new HttpAggregation(defaultLatencyBounds);
  instrumentation = new HttpMetricsInstrumentation({ showsActive: true, recorderOf: () => aggregation });
});
afterEach(() => {
  instrumentation.disable();
});

/** As the service has it: routes below a prefix, cases told apart, nothing behind them. */
function application(): express.Express {
  const app = express();
  app.disable("x-powered-by");
  app.enable("case sensitive routing");
  attachRouteAccessor(app);
  const router = Router({ caseSensitive: true });
  router.get("/items/:id", (_request, response) => void response.end());
  router.all("/items/:id", (_request, response) => void response.status(405).end());
  app.use("/api/v1", router);
  app.use((_request, response) => void response.status(404).end());
  return app;
}

/** A connection that takes everything: a million over real ones would be minutes. */
class Sink extends Writable {
  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    done();
  }
}

function seriesNow(): Set<string> {
  const metrics = {
    resource: { attributes: {} },
    scopeMetrics: [{ scope: { name: "http" }, metrics: aggregation.collect() }],
  };
  const text = writeExposition(metrics as never, expositionOptions);
  const lines = text
    .split("\n")
    .filter((line) => line.startsWith("http_server_") || line.includes("http_requests_total{"));
  return new Set(lines.map((line) => line.slice(0, line.lastIndexOf(" "))));
}

test("a million requests to random paths leave the series as they were", async () => {
  const random = seededRandom(7);
  const word = (): string => Math.floor(random() * 2 ** 40).toString(36);
  const anyCase = (text: string): string =>
    text.replace(/./g, (letter) => (random() < 0.5 ? letter.toUpperCase() : letter));
  const shapes: readonly (() => [method: string, path: string])[] = [
    () => ["GET", `/${word()}/${word()}`],
    () => ["GET", `/api/v1/items/${word()}`],
    () => ["POST", `/api/v1/items/${word()}`],
    () => ["GET", `${anyCase("/api/v1")}/items/${word()}`],
    () => ["GET", `/api/v1/${anyCase("items")}/${word()}?${word()}=${word()}`],
    () => ["GET", `/api/v1//items/${word()}`],
    () => ["GET", `/%61pi/v1/items/%${word()}`],
    () => ["GET", `//${word()}//`],
    () => [word().toUpperCase(), `/api/v1/items/${word()}`],
    () => ["GET", `/api/v1/items/${word()}/${word()}`],
  ];
  const app = application();
  const server = createServer();
  const socket = new Socket();
  const sink = new Sink();
  const started = channel("http.server.request.start");
  const closed: ServerResponse[] = [];
  const send = (shape: (typeof shapes)[number]): void => {
    const request = new IncomingMessage(socket);
    [request.method, request.url] = shape();
    const response = new ServerResponse(request);
    response.assignSocket(sink as never);
    started.publish({ request, response, socket, server });
    app(request, response);
    response.detachSocket(sink as never);
    closed.push(response);
  };
  const closeAll = async (): Promise<void> => {
    // An answer has finished a turn after its end.
    await setImmediate();
    for (const response of closed.splice(0)) response.emit("close");
  };
  for (const shape of shapes) send(shape);
  await closeAll();
  const before = seriesNow();
  expect(before.size).toBeGreaterThan(50);

  for (let index = shapes.length; index < requests; index += 1) {
    send(shapes[index % shapes.length]!);
    if (index % aTurn === 0) await closeAll();
  }
  await closeAll();
  expect(seriesNow()).toEqual(before);
  const total = aggregation
    .collect()
    .find(({ descriptor }) => descriptor.name.endsWith("http.requests"))
    ?.dataPoints.reduce((sum, { value }) => sum + Number(value), 0);
  expect(total).toBe(requests);
  expect([...before].filter((line) => line.includes("otel_metric_overflow"))).toEqual([]);
}, 300_000);
