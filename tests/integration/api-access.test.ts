import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningService, serviceEnvironment, startService } from "../support/service.ts";

const csv = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";
const hash = (key: string) => createHash("sha256").update(key).digest("hex");
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe("with API keys", () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await startService({
      env: { API_KEYS: `anna:${hash("key-a")},ben:${hash("key-b")}`, METRICS_BEARER_TOKEN: "scrape" },
    });
  });
  afterAll(() => service?.stop());

  test("no key or a wrong one is 401, each owner sees only their own", async () => {
    expect((await service.call("GET", "/datasets")).json).toMatchObject({ code: "UNAUTHORIZED", status: 401 });
    const { text } = await service.call("GET", "/metrics", undefined, bearer("scrape"));
    expect(text).toContain(
      'mlops_backend_http_requests_total{http_route="/api/ml/v1/datasets",outcome="client_error"} 1\n',
    );
    expect(
      (await service.call("GET", "/datasets", undefined, bearer("nope"))).headers.get("www-authenticate"),
    ).toContain("Bearer");
    // Or wrong methods without a key would fill each route's series with 401.
    expect((await service.call("PUT", "/datasets")).json.code).toBe("METHOD_NOT_ALLOWED");
    const mine = await service.upload(csv, {}, "a.csv", bearer("key-a"));
    expect(mine.status).toBe(201);
    expect((await service.call("GET", `/datasets/${mine.json.id}`, undefined, bearer("key-a"))).status).toBe(200);
    expect((await service.call("GET", `/datasets/${mine.json.id}`, undefined, bearer("key-b"))).json.code).toBe(
      "DATASET_NOT_FOUND",
    );
    const correction = { target: "a" };
    for (const [key, code] of [
      ["key-b", "DATASET_NOT_FOUND"],
      ["nope", "UNAUTHORIZED"],
    ] as const)
      expect((await service.call("PATCH", `/datasets/${mine.json.id}`, correction, bearer(key))).json.code).toBe(code);
    const seen = (await service.call("GET", `/datasets/${mine.json.id}`, undefined, bearer("key-a"))).json;
    expect([seen.target, seen.said]).toEqual(["label", {}]);
    expect((await service.call("DELETE", `/datasets/${mine.json.id}`, undefined, bearer("key-b"))).status).toBe(404);
    const run = await service.call(
      "POST",
      "/training-runs",
      { datasetId: mine.json.id, mode: "light" },
      bearer("key-b"),
    );
    expect(run.json.code).toBe("DATASET_NOT_FOUND");
    expect((await service.call("GET", "/datasets", undefined, bearer("key-b"))).json.items).toEqual([]);
  });

  test("health is open, /metrics has a token of its own", async () => {
    expect((await service.call("GET", "/api/health/ready")).json).toEqual({ status: "ready", failing: [] });
    expect((await service.call("GET", "/api/health/live")).status).toBe(200);
    expect((await service.call("GET", "/metrics")).status).toBe(401);
    expect((await service.call("GET", "/metrics", undefined, bearer("key-a"))).status).toBe(401);
    expect((await service.call("GET", "/metrics", undefined, bearer("scrape"))).status).toBe(200);
  });
});

describe("without API keys", () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await startService({
      env: { CORS__ALLOW_ORIGINS: "https://app.example", PORT: "9999", DATASET_TTL_DAYS: "" },
    });
  });
  afterAll(() => service?.stop());

  test("what a platform has set by itself and looks meant is told in one line, and an empty value is none", () => {
    const told = service.lines.map((line) => JSON.parse(line)).filter(({ msg }) => /not read/.test(msg));
    expect(told.map(({ level, msg }) => [level, msg])).toEqual([
      ["warn", "not read, though it looks meant: PORT (SERVICE_PORT?)"],
    ]);
  });

  const rawCall = async (headers: Record<string, string>): Promise<number> => {
    const request = httpRequest(`${service.url}/api/ml/v1/datasets`, { headers, setHost: false });
    request.end();
    const [response] = await once(request, "response");
    response.resume();
    return response.statusCode;
  };

  test("a foreign Host or Origin is refused, since any page could post here", async () => {
    expect(await rawCall({ host: "evil.example" })).toBe(403);
    expect(await rawCall({ host: "localhost:1", origin: "https://evil.example" })).toBe(403);
    expect(await rawCall({ host: "localhost:1", origin: "null" })).toBe(403);
    expect(await rawCall({ host: "localhost:1", origin: "http://localhost:3000" })).toBe(200);
    expect(await rawCall({ host: "[::1]:8000" })).toBe(200);
  });

  test("every answer has security headers and a request id", async () => {
    const { headers } = await service.call("GET", "/datasets");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-powered-by")).toBeNull();
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    const problem = await service.call("GET", "/datasets/nope");
    expect(problem.json.instance).toBe(`urn:uuid:${problem.headers.get("x-request-id")}`);
  });

  test("the OpenAPI document holds exactly the calls that answer", async () => {
    const document = (await service.call("GET", "/api/openapi.json")).json;
    expect(document.openapi).toBe("3.1.0");
    const operations = Object.entries<Record<string, unknown>>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace("/api/ml/v1", "")}`),
    );
    expect(operations.sort()).toEqual(
      [
        "POST /datasets/upload",
        "POST /datasets/inspect",
        "GET /datasets",
        "GET /datasets/{id}",
        "GET /datasets/{id}/content",
        "GET /datasets/{id}/rows",
        "PATCH /datasets/{id}",
        "DELETE /datasets/{id}",
        "DELETE /datasets/expired",
        "POST /training-runs",
        "GET /training-runs",
        "GET /training-runs/compare",
        "GET /training-runs/{id}",
        "GET /training-runs/{id}/events",
        "POST /training-runs/{id}/cancel",
        "GET /artifacts",
        "GET /artifacts/{id}",
        "GET /artifacts/{id}/content",
        "GET /artifacts/{id}/schema",
        "DELETE /artifacts/{id}",
        "PATCH /artifacts/{id}",
        "POST /artifacts/{id}/predictions",
        "GET /metrics/trends",
        "GET /metrics/summary",
      ].sort(),
    );
    for (const operation of operations) {
      const [method = "", path = ""] = operation.split(" ");
      const answer = await service.call(method, path.replace("{id}", "01a20a3e-3be8-733e-aec6-a42d3a37a41c"));
      // Known to the router: neither «no such path» nor «no such method».
      expect(["NOT_FOUND", "METHOD_NOT_ALLOWED"]).not.toContain(answer.json?.code);
    }
  });
});

describe("at start", () => {
  const service = ["--import", "./otel/register", "src/main.ts"];
  const startWith = async (
    env: Record<string, string>,
    program = service,
  ): Promise<{ code: number | null; stderr: string }> => {
    const child = spawn(process.execPath, program, {
      env: serviceEnvironment({ dataDir: "/nonexistent/never-made", databaseUrl: "" }, env),
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += String(chunk);
    });
    const [code] = await once(child, "close");
    return { code: code as number, stderr };
  };

  test("everything wrong with the environment is named at once, and no secret", async () => {
    const { code, stderr } = await startWith({
      SERVICE_PORT: "many",
      MAX_EMPTY_RATIO: "2",
      API_KEYS: "anna:secret-not-a-hash",
      AUTH__NONSENSE: "1",
      PROMETHEUS__LATENCY_BUCKETS: "[1,0.1]",
    });
    expect(code).toBe(2);
    for (const name of ["SERVICE_PORT", "MAX_EMPTY_RATIO", "API_KEYS", "AUTH__NONSENSE", "PROMETHEUS__LATENCY_BUCKETS"])
      expect(stderr).toContain(name);
    expect(stderr).not.toContain("secret-not-a-hash");
  });

  test.each([
    ["the service", service],
    ["migrate", ["src/commands/migrate.ts"]],
    ["database:move", ["src/commands/move-database.ts", "--to", "postgres"]],
    ["storage:copy", ["src/commands/copy-files.ts", "--to", "s3"]],
  ])("misspelt settings are refused by %s, with those that were meant and everything else", async (_name, program) => {
    const misspelt = { TRAINING_CONCURENCY: "2", DATASET_TTL_DAY: "30", MAX_UPLOAD_BYTES: "1", PORT: "9999" };
    const { code, stderr } = await startWith({ ...misspelt, MAX_EMPTY_RATIO: "2", S3__BUCKET: "b" }, program);
    expect([code, ...stderr.split("\n").map((line) => line.trim())]).toEqual([
      2,
      "The configuration is not usable:",
      "- MAX_EMPTY_RATIO must be a number from 0 to 1",
      "- TRAINING_CONCURENCY is not a setting of this service: is TRAINING_CONCURRENCY meant?",
      "- DATASET_TTL_DAY is not a setting of this service: is DATASET_TTL_DAYS meant?",
      "- MAX_UPLOAD_BYTES is not a setting of this service: is MAX_CSV_UPLOAD_BYTES meant?",
      "",
    ]);
  });

  test("a wide bind without keys and a worker on the embedded database are refused", async () => {
    expect((await startWith({ SERVICE_HOST: "0.0.0.0" })).stderr).toContain("API_KEYS");
    expect((await startWith({ SERVICE_ROLE: "worker" })).stderr).toContain("DATABASE_URL");
  });
});
