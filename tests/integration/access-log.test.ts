import { type ClientRequest, request } from "node:http";
import { expect, test } from "vitest";
import { eventually, type RunningService, withService } from "../support/service.ts";

const csv = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";

// biome-ignore lint/suspicious/noExplicitAny: whatever was logged; expectations say what it should be
const entries = (service: RunningService): any[] => service.lines.map((line) => JSON.parse(line));

/** The access line of the request with that id. */
const lineOf = (service: RunningService, id: string | null) =>
  eventually(async () => entries(service).find(({ msg, request_id }) => msg === "request" && request_id === id));

test("a request is one line: method, template, status, duration, bytes, and its code when it failed", () =>
  withService({}, async (service) => {
    const uploaded = await service.upload(csv, { name: "a name that is nobody's business" });
    const content = await service.call("GET", `/datasets/${uploaded.json.id}/content`);
    const unknown = await service.call("GET", "/datasets/01a20a3e-3be8-733e-aec6-a42d3a37a41c");
    const nowhere = await fetch(`${service.url}/wp-login.php`);
    const docs = await fetch(`${service.url}/api/openapi.json`);
    const head = await fetch(`${service.url}/api/openapi.json`, { method: "HEAD" });
    const expected = [
      [uploaded, { method: "POST", route: "/api/ml/v1/datasets/upload", status: 201, bytes: uploaded.text.length }],
      [content, { method: "GET", route: "/api/ml/v1/datasets/:id/content", status: 200, bytes: csv.length }],
      [unknown, { method: "GET", route: "/api/ml/v1/datasets/:id", status: 404, code: "DATASET_NOT_FOUND" }],
      [nowhere, { method: "GET", route: "unmatched", status: 404, code: "NOT_FOUND" }],
      [docs, { method: "GET", route: "/api/openapi.json", status: 200, bytes: (await docs.arrayBuffer()).byteLength }],
      [head, { method: "HEAD", route: "/api/openapi.json", status: 200, bytes: 0 }],
    ] as const;
    for (const [{ headers }, line] of expected) {
      const found = await lineOf(service, headers.get("x-request-id"));
      expect(found).toMatchObject({ level: "info", durationSeconds: expect.any(Number), ...line });
      expect(Date.parse(found.time)).toBeGreaterThan(0);
    }

    for (const path of ["/metrics", "/api/health", "/api/health/live", "/api/health/ready"])
      expect((await fetch(`${service.url}${path}`)).status).toBe(200);
    const { headers } = await service.call("GET", "/datasets");
    await lineOf(service, headers.get("x-request-id"));
    expect(entries(service).filter(({ msg }) => msg === "request")).toHaveLength(expected.length + 1);
    expect(service.lines.join("\n")).not.toMatch(/business|wp-login/);

    const run = await service.train(uploaded.json.id);
    const ofRun = await eventually(async () => {
      const lines = entries(service).filter(({ msg, run_id }) => run_id === run.json.id && msg !== "request");
      return lines.length >= 2 ? lines : undefined;
    });
    expect(ofRun).toMatchObject([
      { msg: "training: an attempt begins", mode: "light", attempt: 1 },
      // Three rows are too few to learn from, so its code is told as well.
      { msg: "training: a run ended", outcome: "failed", attempt: 1, code: run.json.error.code },
    ]);
  }));

/** Begins an upload and never ends it. */
function beginUpload(service: RunningService): ClientRequest {
  const upload = request(`${service.url}/api/ml/v1/datasets/upload`, {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=b", "content-length": "1000000" },
  });
  upload.on("error", () => {});
  upload.write('--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\na,b\n');
  return upload;
}

test("a request without a whole answer has no status, and says whose doing that was", () =>
  withService({}, async (service) => {
    const unfinished = (fault: string) =>
      eventually(async () => entries(service).find(({ msg, error_type }) => msg === "request" && error_type === fault));
    const isReceived = (count: number) =>
      eventually(
        async () => (await service.metric("http_server_active_requests", { http_request_method: "POST" })) === count,
      );
    const broken = beginUpload(service);
    await isReceived(1);
    broken.destroy();
    const line = await unfinished("client_closed");
    expect(line).toMatchObject({ method: "POST", route: "/api/ml/v1/datasets/upload", request_id: expect.any(String) });
    expect(line).not.toHaveProperty("status");

    beginUpload(service);
    await isReceived(1);
    await service.halt();
    expect(await unfinished("other")).not.toHaveProperty("status");
    expect(entries(service).filter(({ error_type }) => error_type !== undefined)).toHaveLength(2);
  }));

test("without metrics the bytes are those of Content-Length", () =>
  withService({ OTEL_SDK_DISABLED: "true", LOG_LEVEL: "info" }, async (service) => {
    const { headers, text } = await service.call("GET", "/datasets");
    expect(await lineOf(service, headers.get("x-request-id"))).toMatchObject({ bytes: text.length });
  }));
