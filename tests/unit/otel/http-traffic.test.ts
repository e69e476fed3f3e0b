import { once } from "node:events";
import { createReadStream, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGzip } from "node:zlib";
import { resourceFromAttributes } from "@opentelemetry/resources";
import express, { Router } from "express";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { catalogue } from "../../../otel/api/catalogue/catalogue.ts";
import { httpMethods } from "../../../otel/api/catalogue/http.ts";
import {
  defaultLatencyBounds,
  fromBoundedSource,
  type MetricDefinition,
} from "../../../otel/api/catalogue/metric-definition.ts";
import { familyName, labelName } from "../../../otel/api/catalogue/metric-names.ts";
import { useHttpRecorder } from "../../../otel/api/http-recorder.ts";
import { attachRouteAccessor } from "../../../otel/api/route-template.ts";
import { writeExposition } from "../../../otel/exposition/exposition.ts";
import { HttpAggregation } from "../../../otel/http/aggregation.ts";
import { HttpMetricsInstrumentation } from "../../../otel/http/instrumentation.ts";
import { watchClientErrors } from "../../../src/http/client-errors.ts";
import { methodNotAllowed } from "../../../src/http/method-not-allowed.ts";
import { expositionOptions } from "../../support/exposition-options.ts";
import { type ParsedFamily, parseExposition } from "../../support/parse-exposition.ts";
import { breakOff, breakOffPipelined, sendInTurn, sendRaw } from "./raw-requests.ts";

/** The routes and the methods that each takes; of `unmatched` any. */
const methodsOf: Readonly<Record<string, readonly string[]>> = {
  "/api/items/:id": ["GET", "HEAD"],
  "/api/fails/:id": ["GET", "HEAD"],
  "/api/items": ["POST"],
  "/api/file": ["GET", "HEAD"],
  "/api/packed": ["GET", "HEAD"],
  "/api/endless": ["GET", "HEAD"],
  "/api/ending": ["GET", "HEAD"],
  unmatched: httpMethods,
};
const fileBytes = 200_000;
/** For hanging, not for measuring. */

let aggregation: HttpAggregation;
let instrumentation: HttpMetricsInstrumentation | undefined;
let server: ReturnType<express.Express["listen"]>;
let folder: string;
let port: number;

function application(file: string): express.Express {
  const app = express();
  // As src/http/app.ts has it.
  app.enable("case sensitive routing");
  attachRouteAccessor(app);
  const router = Router({ caseSensitive: true });
  router.get("/items/:id", (request, response) => void response.json({ id: request.params.id }));
  router.get("/fails/:id", (_request, _response, next) => next(new Error("fails")));
  router.post("/items", (request, response) => {
    request.resume().on("end", () => response.status(201).json({ ok: true }));
  });
  router.get("/file", (_request, response) => void response.sendFile(file));
  router.get("/packed", (_request, response) => {
    response.setHeader("Content-Encoding", "gzip");
    createReadStream(file).pipe(createGzip()).pipe(response);
  });
  router.get("/endless", (_request, response) => void response.type("text/event-stream").write(": hello\n\n"));
  router.get("/ending", (_request, response) => {
    response.type("text/event-stream").write("data: 1\n\n");
    setTimeout(() => response.end("data: 2\n\n"), 5);
  });
  router.all("/items/:id", methodNotAllowed(["get"]));
  app.use("/api", router);
  app.use((error: Error, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
    response.status("code" in error ? 405 : 500).json({});
  });
  return app;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "http-traffic-"));
  const file = join(folder, "file.csv");
  writeFileSync(file, "x".repeat(fileBytes));
  server = application(file).listen(0, "127.0.0.1");
  watchClientErrors(server);
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});
/** From here on nothing has been counted. */
function measureAnew(): void {
  instrumentation?.disable();
  aggregation = new HttpAggregation(defaultLatencyBounds);
  // For what Node answers in our place.
  useHttpRecorder(aggregation);
  const counting = aggregation;
  instrumentation = new HttpMetricsInstrumentation({ showsActive: true, recorderOf: () => counting });
}
beforeEach(measureAnew);
afterAll(async () => {
  instrumentation?.disable();
  useHttpRecorder(undefined);
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

interface Point {
  readonly attributes: Record<string, string>;
  readonly value: number | { readonly count: number; readonly sum: number };
}
function points(name: string): Point[] {
  const metric = aggregation.collect().find(({ descriptor }) => descriptor.name === name);
  return (metric?.dataPoints ?? []) as unknown as Point[];
}
const counted = (name: string): number =>
  points(name).reduce((sum, { value }) => sum + (typeof value === "number" ? value : value.count), 0);
const duration = "http.server.request.duration";
const summed = (name: string, route: string): number =>
  points(name)
    .filter(({ attributes }) => attributes["http.route"] === route)
    .reduce((sum, { value }) => sum + (value as { sum: number }).sum, 0);

const httpDefinitions = new Map<string, MetricDefinition>(
  Object.values(catalogue)
    .filter(({ name }) => name.startsWith("http.") || name.startsWith("mlops.backend.http."))
    .map((definition) => [familyName(definition), definition]),
);

/** The HTTP metrics as a scrape would show them. */
function exposed(): ParsedFamily[] {
  const scopeMetrics = [{ scope: { name: "http" }, metrics: aggregation.collect() }];
  const text = writeExposition({ resource: resourceFromAttributes({}), scopeMetrics }, expositionOptions);
  return parseExposition(Buffer.from(text), "text").filter(({ name }) => /^(?:mlops_backend_)?http_/.test(name));
}

/** Labels of the HTTP metrics that the catalogue does not know, or whose value is not of their set. */
function strayLabels(): string[] {
  return exposed().flatMap(({ name, type, samples }) => {
    const definition = httpDefinitions.get(type === "counter" ? name.replace(/_total$/, "") : name);
    if (definition === undefined) return [`${name} is not in the catalogue`];
    const sets = new Map(Object.entries(definition.attributes).map(([key, values]) => [labelName(key), values]));
    return samples.flatMap((sample) => {
      const labels = [...sample.labels].filter(([label]) => label !== "le");
      const missing = [...sets.keys()].filter((label) => !sample.labels.has(label));
      const stray = labels.filter(([label, value]) => {
        const values = sets.get(label);
        return !(values === fromBoundedSource ? Object.keys(methodsOf) : (values ?? [])).includes(value);
      });
      return [
        ...missing.map((label) => `${name} without ${label}`),
        ...stray.map((pair) => `${name} ${pair.join("=")}`),
      ];
    });
  });
}

async function get(path: string, options: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, options);
  const bytes = (await response.arrayBuffer()).byteLength;
  return { status: response.status, bytes, headers: response.headers };
}

/** Each sends some requests; it says how many the server must have counted. */
const traffic: Record<string, { readonly requests: number; send(): Promise<unknown> }> = {
  get: { requests: 1, send: () => get("/api/items/1?token=secret") },
  head: { requests: 1, send: () => get("/api/items/1", { method: "HEAD" }) },
  options: { requests: 1, send: () => get("/api/items", { method: "OPTIONS" }) },
  post: { requests: 1, send: () => get("/api/items", { method: "POST", body: "{}" }) },
  "next(err)": { requests: 1, send: () => get("/api/fails/2") },
  unmatched: { requests: 1, send: () => get("/wp-login.php") },
  "wrong method": { requests: 1, send: () => get("/api/file", { method: "DELETE" }) },
  "invented method": { requests: 1, send: () => sendRaw(port, "PROPFIND /api/items/1 HTTP/1.1\r\nHost: x\r\n\r\n", 1) },
  range: { requests: 1, send: () => get("/api/file", { headers: { range: "bytes=0-99" } }) },
  compressed: { requests: 1, send: () => get("/api/packed") },
  pipelined: {
    requests: 3,
    send: () =>
      sendRaw(
        port,
        "GET /api/items/1 HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\nGET /api/fails/1 HTTP/1.1\r\nHost: x\r\n\r\n",
        3,
      ),
  },
  "wrong method of a known path": { requests: 1, send: () => get("/api/items/1", { method: "PUT" }) },
  "another case": {
    requests: 3,
    send: () => Promise.all(["/API/items/1", "/api/Items/1", "/api/FILE"].map((path) => get(path))),
  },
  unchanged: {
    requests: 1,
    // Else fetch asks past every cache, and there is no 304.
    send: () => get("/api/file", { headers: { "if-none-match": "*", "cache-control": "max-age=0" } }),
  },
  "stream ended": { requests: 1, send: () => get("/api/ending") },
  "pipelined, then broken off": { requests: 3, send: () => breakOffPipelined(port) },
  "malformed behind a good one": {
    requests: 2,
    send: () => sendInTurn(port, "GET /api/items/1 HTTP/1.1\r\nHost: x\r\n\r\n", "GARBAGE\r\n\r\n"),
  },
  malformed: { requests: 1, send: () => sendRaw(port, "GARBAGE\r\n\r\n", 1) },
  "upload broken off": { requests: 1, send: () => breakOff(server, "/api/items", "POST") },
  "stream broken off": { requests: 1, send: () => breakOff(server, "/api/endless", "GET") },
};

const isOfActive = (name: string): boolean => name === "http_server_active_requests";

test("after any mix of requests each is counted once, none is active, and every label is from its set", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...Object.keys(traffic)), { minLength: 1, maxLength: 12 }),
      async (names) => {
        measureAnew();
        await Promise.all(names.map((name) => traffic[name]!.send()));
        const sent = names.reduce((sum, name) => sum + traffic[name]!.requests, 0);
        await expect.poll(() => counted(duration)).toBe(sent);
        expect(counted("mlops.backend.http.requests")).toBe(sent);
        expect(counted("http.server.request.body.size")).toBe(sent);
        expect(counted("http.server.response.body.size")).toBe(sent);
        expect(counted("http.server.active_requests")).toBe(0);
        // What Node answers in our place never was a request in hand.
        const hasBegun = names.some((name) => name !== "malformed");
        expect(
          exposed()
            .map(({ name }) => name.replace(/_total$/, ""))
            .toSorted(),
        ).toEqual([...httpDefinitions.keys()].filter((name) => hasBegun || !isOfActive(name)).toSorted());
        expect(strayLabels()).toEqual([]);
        // A stranger may not fill every route with every method.
        const pairs = points(duration).map(({ attributes }) => attributes);
        expect(pairs.filter((pair) => !methodsOf[pair["http.route"]!]?.includes(pair["http.request.method"]!))).toEqual(
          [],
        );
      },
    ),
    // Chance leaves some kind out now and then.
    { numRuns: 25, examples: [[Object.keys(traffic)], [["malformed"]]] },
  );
});

test("a body is what was sent of it: a range, compressed bytes, nothing with 304", async () => {
  const whole = await get("/api/file");
  const range = await get("/api/file", { headers: { range: "bytes=10-19" } });
  const etag = whole.headers.get("etag") ?? "";
  const unchanged = await get("/api/file", { headers: { "if-none-match": etag, "cache-control": "max-age=0" } });
  expect([whole.status, range.status, unchanged.status]).toEqual([200, 206, 304]);
  await expect.poll(() => counted(duration)).toBe(3);
  expect(summed("http.server.response.body.size", "/api/file")).toBe(fileBytes + 10);

  const packed = await sendRaw(port, "GET /api/packed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 1);
  expect(packed).toContain("gzip");
  await expect.poll(() => counted(duration)).toBe(4);
  const packedBytes = summed("http.server.response.body.size", "/api/packed");
  expect(packedBytes).toBeGreaterThan(0);
  expect(packedBytes).toBeLessThan(fileBytes / 10);
});

test("ten thousand invented paths leave the series as they were", async () => {
  await get("/not/there");
  await expect.poll(() => counted(duration)).toBe(1);
  const before = points(duration).length;
  for (let index = 0; index < 10_000; index += 500) {
    const requests = Array.from(
      { length: 500 },
      (_, n) => `GET /${index + n}/${Math.random()} HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    await sendRaw(port, requests.join(""), 500);
  }
  await expect.poll(() => counted(duration)).toBe(10_001);
  expect(points(duration)).toHaveLength(before);
});

test("disabled, it measures nothing; enabled again, it does", async () => {
  instrumentation?.disable();
  await get("/api/items/1");
  instrumentation?.enable();
  await get("/api/items/2");
  await expect.poll(() => counted(duration)).toBe(1);
});
