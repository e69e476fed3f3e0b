import { connect } from "node:net";
import { text as readAll } from "node:stream/consumers";
import { expect, test } from "vitest";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { parseExposition } from "../support/parse-exposition.ts";
import { type RunningService, startService } from "../support/service.ts";
import { startTraced } from "../support/traced-service.ts";

const secrets = {
  email: "ada.lovelace@example.org",
  token: "sk-live-4f9a8b7c6d5e",
  fileName: "salaries-of-the-board.csv",
  column: "passport_number",
  value: "P-7781234-X",
  uuid: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
  agent: "curl-of-eve/6.6",
  host: "intranet.lovelace.example",
  spanId: "00f067aa0ba902b7",
};
const { email, token, fileName, column, value, uuid, agent, host, spanId } = secrets;
/** Of the caller, too; an exemplar has it, and nothing else. */
const traceId = "0af7651916cd43dd8448eb211c80319c";
const header = {
  "user-agent": agent,
  authorization: `Bearer ${token}`,
  "x-request-id": uuid,
  "x-mail": email,
  "x-forwarded-for": email,
  "x-forwarded-host": host,
  cookie: `session=${token}`,
  traceparent: `00-${traceId}-${spanId}-01`,
  tracestate: `eve=${token}`,
  baggage: `user=${value},token=${token}`,
};
const headerLines = Object.entries({ host, ...header, connection: "close" })
  .map(([name, each]) => `${name}: ${each}\r\n`)
  .join("");

/** Sends a request that no HTTP client would, and gives the status that it got. */
async function raw({ url }: RunningService, requestLine: string): Promise<number> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write(`${requestLine}\r\n${headerLines}\r\n`);
  return Number((await readAll(socket)).split(" ")[1]);
}

/** Knocks at every door with secrets in hand; gives the ids of what was made. */
async function knockEverywhere(service: RunningService): Promise<string[]> {
  const send = async (method: string, path: string, body?: unknown, more = {}) =>
    service.call(method, path, body, { ...header, ...more });
  const csv = `${column},n,target\n${Array.from({ length: 20 }, (_, n) => `${value}${n % 3},${n},${n % 2}`).join("\n")}\n`;
  const uploaded = await service.upload(csv, { name: email, target: "target" }, fileName, header);
  expect(uploaded.status).toBe(201);
  const { id } = uploaded.json;
  await service.upload("not a csv", { name: email }, fileName, header);
  await service.upload(csv, { name: token, target: column.toUpperCase() }, fileName, header);

  const form = new FormData();
  form.append("file", new Blob([csv]), fileName);
  form.append("target", "target");
  expect((await send("POST", "/datasets/inspect", form)).status).toBe(200);

  const request = { datasetId: id, mode: "light" };
  const submitted = await send("POST", "/training-runs", request, { "idempotency-key": token });
  expect(submitted.status).toBe(202);
  const again = { "idempotency-key": token };
  expect((await send("POST", "/training-runs", { ...request, mode: "heavy" }, again)).status).toBe(422);
  expect((await send("POST", "/training-runs", request, { "idempotency-key": `a ${email}` })).status).toBe(400);
  const { json: run } = await service.waitForRun(submitted.json.id);
  expect(run.status).toBe("succeeded");
  const artifact = `/artifacts/${run.artifactId}`;
  expect((await send("POST", `${artifact}/predictions`, { rows: [{ [column]: value, n: 1 }] })).status).toBe(200);
  await send("POST", `${artifact}/predictions`, { rows: [{ [column]: value, n: email }] });

  // Used by a run: a version of it is made.
  const version = await send("PATCH", `/datasets/${id}?x=${token}`, { types: { n: "text" }, leftOut: [column] });
  expect(version.status).toBe(201);
  await send("PATCH", `/datasets/${id}`, { target: email, types: { [value]: "text" } });

  const noise = await service.upload(noiseCsv(), { name: value }, fileName, header);
  const slow = await send("POST", "/training-runs", { datasetId: noise.json.id, ...endless });
  expect((await send("POST", `/training-runs/${slow.json.id}/cancel?reason=${token}`)).status).toBeLessThan(300);
  await service.waitForRun(slow.json.id);
  await send("POST", `/training-runs/${uuid}/cancel`, { reason: email });

  for (const path of [
    `/datasets/${uuid}`,
    `/datasets/${encodeURIComponent(email)}`,
    `/datasets?cursor=${token}&limit=${email}`,
    `/datasets/${id}?x=${token}`,
    `/datasets/${id}/content`,
    `/datasets/${id}/rows?limit=5&x=${token}`,
    `/datasets/${id}/rows?offset=${email}`,
    `/training-runs?datasetId=${uuid}&status=${value}`,
    `/training-runs/compare?ids=${run.id},${email}`,
    `/training-runs/compare?ids=${run.id},${slow.json.id}&x=${token}`,
    `/training-runs/${run.id}`,
    `/training-runs/${run.id}/events`,
    `/training-runs/${uuid}/events`,
    `/artifacts?datasetId=${uuid}`,
    artifact,
    `${artifact}/content`,
    `${artifact}/content?format=onnx&x=${token}`,
    `${artifact}/schema?x=${token}`,
    `${artifact}/schema?of=${email}`,
    `/artifacts/${uuid}/schema`,
    `/artifacts/${uuid}/content`,
    `/metrics/trends?from=${email}&task=${token}`,
    `/metrics/trends?datasetId=${uuid}`,
    "/metrics/trends",
    `/metrics/summary?task=${value}`,
    "/metrics/summary",
    `/${fileName}`,
    `/datasets/${token}`,
    `/runs/${email}`,
    `/models/${uuid}`,
    `/assets/${fileName}`,
    `/api/${token}/${email}`,
    `/api/health?${token}`,
    `/api/health/live?${token}`,
    `/api/health/ready?${token}`,
    `/api/docs?${token}`,
    `/api/openapi.json?${token}`,
  ])
    await send("GET", path, undefined, { "last-event-id": token });
  await send("POST", "/training-runs", { datasetId: uuid, mode: email, [token]: value });
  await send("POST", "/training-runs", `{"broken ${email}`, { "content-type": "application/json" });
  await send("POST", "/training-runs", `{"broken ${email}`, { "content-type": `text/${value}` });
  await send("PATCH", artifact, { pinned: email });
  await send("PATCH", artifact, { pinned: false });
  expect((await send("DELETE", `${artifact}?reason=${email}`)).status).toBeLessThan(300);
  await send("DELETE", `/artifacts/${uuid}`);
  expect((await send("DELETE", `/datasets/expired?olderThan=${token}`)).status).toBeLessThan(500);
  await send("DELETE", `/datasets/${id}`, undefined, { "x-http-method-override": value });

  // What fetch would not send: a Host, and request lines that make no sense.
  expect(await raw(service, `GET /api/ml/v1/datasets?q=${token} HTTP/1.1`)).toBe(403);
  expect(await raw(service, `PROPFIND /api/ml/v1/datasets/${token} HTTP/1.1`)).toBe(405);
  for (const line of [
    `${token} /api/ml/v1/datasets HTTP/1.1`,
    `GET /${token} HTTP/${email}`,
    `GET ${email} ${token}`,
    token,
  ])
    expect(await raw(service, line)).toBe(400);
  await raw(service, `GET http://${host}/${token} HTTP/1.1`);
  await raw(service, `CONNECT ${host}:443 HTTP/1.1`);
  await raw(service, `GET /metrics?token=${token} HTTP/1.1`);
  return [id, version.json.id, noise.json.id, run.id, slow.json.id, run.artifactId];
}

/** Method and route of every call that the service's own document names. */
async function everyDoor(service: RunningService): Promise<string[]> {
  const { json } = await service.call("GET", "/api/openapi.json");
  return Object.entries<object>(json.paths).flatMap(([path, calls]) =>
    Object.keys(calls).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`),
  );
}

test.each(["without traces", "with traces"])("nothing that callers send is found in /metrics, %s", async (kind) => {
  await using running = new AsyncDisposableStack();
  const isTraced = kind === "with traces";
  const service = isTraced ? running.use(await startTraced()).service : await startService();
  if (!isTraced) running.defer(() => service.stop());
  const ids = await knockEverywhere(service);

  const { text } = await service.call("GET", "/metrics", undefined, {
    "x-prometheus-scrape-timeout-seconds": token,
  });
  const accept = { accept: "application/openmetrics-text; version=1.0.0" };
  const { text: openMetrics } = await service.call("GET", "/metrics", undefined, accept);
  expect(openMetrics).toMatch(/# EOF\n$/);
  // A new call of the API is knocked at here, or this fails.
  const counted = parseExposition(Buffer.from(text), "text")
    .flatMap(({ samples }) => samples)
    .filter(({ name }) => name === "http_server_request_duration_seconds_count")
    .map(({ labels }) => `${labels.get("http_request_method")} ${labels.get("http_route")}`);
  const doors = await everyDoor(service);
  expect(doors).toContain("DELETE /api/ml/v1/datasets/expired");
  expect(doors.filter((door) => !counted.includes(door))).toEqual([]);

  const exemplars = parseExposition(Buffer.from(openMetrics), "openmetrics")
    .flatMap(({ samples }) => samples)
    .flatMap(({ exemplar }) => exemplar ?? []);
  expect(exemplars.some(({ labels }) => labels.get("trace_id") === traceId)).toBe(isTraced);
  const withoutTraceIds = openMetrics.replaceAll(`# {trace_id="${traceId}",`, "# {");
  const parts = [...Object.values(secrets), ...ids, traceId, "lovelace", "7781234", "sk-live", "intranet"];
  for (const exposition of [text, withoutTraceIds]) {
    const told = exposition.toLowerCase();
    expect(parts.filter((part) => told.includes(part.toLowerCase()))).toEqual([]);
  }
});
