import { once } from "node:events";
import { createServer, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DomainError, errorCodes } from "../../../src/errors.ts";
import { problemHandler, statusOf, toDomainError } from "../../../src/http/problem.ts";
import { createLog } from "../../../src/log.ts";

const requestId = "01a20a3e-3be8-733e-aec6-a42d3a37a41c";
let url: string;
let stop: () => void;
let thrown: unknown;
beforeAll(async () => {
  const app = express();
  app.use((_request, response, next) => {
    response.locals.requestId = requestId;
    next();
  });
  app.get("/", () => {
    throw thrown;
  });
  app.use(problemHandler(createLog("silent")));
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  stop = () => {
    server.close();
    server.closeAllConnections();
  };
});
afterAll(() => stop?.());

test("the status of a published code stays what it is", () => {
  // Clients act on these: 4xx codes that ask for another thing to be done, and what may be tried again. A new code is added
  // here by whoever promises it; one that is here is not changed.
  expect(statusOf).toMatchObject({
    DATASET_EXISTS: 409,
    DATASET_IN_USE: 409,
    RUN_ALREADY_FINAL: 409,
    DATASET_NOT_FOUND: 404,
    RUN_NOT_FOUND: 404,
    ARTIFACT_NOT_FOUND: 404,
    INPUT_NOT_DESCRIBED: 404,
    EXPLANATION_UNAVAILABLE: 422,
    EXPORT_UNAVAILABLE: 422,
    NOT_FOUND: 404,
    METHOD_NOT_ALLOWED: 405,
    UNAUTHORIZED: 401,
    HOST_NOT_ALLOWED: 403,
    DATASET_TOO_LARGE: 413,
    BODY_TOO_LARGE: 413,
    NOT_CSV: 415,
    NOT_MULTIPART: 415,
    UNSUPPORTED_MEDIA_TYPE: 415,
    RANGE_NOT_SATISFIABLE: 416,
    IDEMPOTENCY_KEY_REUSED: 422,
    TOO_MANY_UPLOADS: 429,
    QUEUE_FULL: 429,
    UPLOAD_TIMEOUT: 408,
    REQUEST_TIMEOUT: 408,
    QUOTA_EXCEEDED: 507,
    DISK_FULL: 507,
    DATABASE_UNAVAILABLE: 503,
    STORAGE_UNAVAILABLE: 503,
    NOT_READY: 503,
    FILE_MISSING_IN_STORAGE: 500,
    INTERNAL_ERROR: 500,
  });
});

async function answerTo(error: Error) {
  thrown = error;
  const response = await fetch(url);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}

test.each(errorCodes)("%s is a problem whose body says the same status as its answer", async (code) => {
  const { status, headers, json } = await answerTo(new DomainError(code, "What to do."));
  expect(STATUS_CODES[status]).toBeTypeOf("string");
  expect(status).toBeGreaterThanOrEqual(400);
  expect(headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  expect(json).toEqual({
    type: `urn:mlops-backend:problem:${code.toLowerCase().replaceAll("_", "-")}`,
    title: expect.stringMatching(/^[A-Z][a-z ]+$/),
    status,
    detail: "What to do.",
    code,
    instance: `urn:uuid:${requestId}`,
  });
  if (status === 401) expect(headers.get("www-authenticate")).toMatch(/^Bearer realm=/);
});

test("each code has a type of its own", () => {
  const types = errorCodes.map((code) => code.toLowerCase());
  expect(new Set(types).size).toBe(errorCodes.length);
  expect(Object.keys(statusOf).sort()).toEqual([...errorCodes].sort());
});

test("Retry-After is whole seconds, rounded up, and fields are told one by one", async () => {
  const fields = [{ path: "rows.0.a", message: "must be a number" }];
  const { headers, json } = await answerTo(new DomainError("QUEUE_FULL", "Later.", { retryAfterSeconds: 0.2, fields }));
  expect(headers.get("retry-after")).toBe("1");
  expect(json.errors).toEqual(fields);
});

const secret = "c0ffee-secret";
// What a fault of a library brings along; the names are those that are looked at.
const oddWord = fc.oneof(
  fc.constantFrom("ENOSPC", "ECONNREFUSED", "57P01", "entity.parse.failed", "constructor", "__proto__", "toString"),
  fc.string(),
);
const anyError = fc
  .record({
    message: fc.tuple(fc.string(), fc.string()).map(([before, after]) => `${before}${secret}${after}`),
    code: fc.oneof(oddWord, fc.integer(), fc.constant(undefined)),
    type: fc.oneof(oddWord, fc.constant(undefined)),
    status: fc.constantFrom(undefined, 200, 404, 500),
    base: fc.constantFrom(Error, TypeError, URIError, RangeError),
  })
  .map(({ message, code, type, status, base }) =>
    Object.assign(new base(message), { code, type, status, body: secret, path: `/data/${secret}`, detail: secret }),
  );

test("whatever fails inside, the answer is a problem that gives nothing away", async () => {
  await fc.assert(
    fc.asyncProperty(anyError, async (error) => {
      const { status, headers, text, json } = await answerTo(error);
      expect(status).toBe(json.status);
      expect(errorCodes).toContain(json.code);
      expect(text + JSON.stringify([...headers])).not.toContain(secret);
      expect(text).not.toMatch(/\.ts|node_modules| at /);
    }),
    { numRuns: 300 },
  );
});

test("whatever is thrown, an error or not, becomes one of ours", () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (value) => {
      const fault = toDomainError(value);
      expect(fault).toBeInstanceOf(DomainError);
      expect([fault.code, fault.message]).not.toContain(value);
      expect(statusOf[fault.code]).toBe(500);
      expect(fault.cause).toBe(value);
    }),
  );
});

test.each([
  [Object.assign(new Error(), { code: "ENOSPC" }), "DISK_FULL"],
  [Object.assign(new Error(), { code: "EDQUOT" }), "DISK_FULL"],
  [Object.assign(new Error(), { code: "ECONNREFUSED" }), "DATABASE_UNAVAILABLE"],
  [Object.assign(new Error(), { code: "57P01" }), "DATABASE_UNAVAILABLE"],
  [Object.assign(new Error(), { code: "57014" }), "DATABASE_UNAVAILABLE"],
  [Object.assign(new Error(), { code: "25P03" }), "DATABASE_UNAVAILABLE"],
  [new Error("Connection terminated unexpectedly"), "DATABASE_UNAVAILABLE"],
  [Object.assign(new Error(), { code: "42P01" }), "INTERNAL_ERROR"],
  [Object.assign(new Error(), { type: "entity.too.large" }), "BODY_TOO_LARGE"],
  [new URIError(), "NOT_FOUND"],
  [new TypeError("x is not a function"), "INTERNAL_ERROR"],
])("%j is %s", (error, code) => {
  expect(toDomainError(error).code).toBe(code);
});
