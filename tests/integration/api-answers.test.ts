import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { follow } from "../support/followed-run.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";

const csv = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

test.each([
  [
    "twice",
    [
      ["name", "x"],
      ["name", "y"],
    ],
  ],
  ["as a list", [["name[]", "x"]]],
  ["as an object", [["name[a]", "x"]]],
  ["as an object, the target", [["target[x]", "a"]]],
] as const)("a form field sent %s is refused as the sender's mistake", async (_how, fields) => {
  const rejections = () => service.metric("mlops_backend_dataset_upload_rejections_total", { reason: "FIELD_INVALID" });
  const before = await rejections();
  const form = new FormData();
  form.append("file", new Blob([csv]), "data.csv");
  for (const [name, value] of fields) form.append(name, value);
  const answer = await service.call("POST", "/datasets/upload", form);
  expect(answer.json).toMatchObject({ code: "FIELD_INVALID", status: 400 });
  expect(await rejections()).toBe(before + 1);
});

const wrongMethods = [
  ["GET", "/datasets/upload", "POST"],
  ["DELETE", "/datasets/upload", "POST"],
  ["GET", "/datasets/expired", "DELETE"],
  ["PUT", "/datasets/01a20a3e-3be8-733e-aec6-a42d3a37a41c", "GET, PATCH, DELETE, HEAD"],
  ["POST", "/api/health", "GET, HEAD"],
  ["POST", "/api/health/live", "GET, HEAD"],
  ["DELETE", "/api/health/ready", "GET, HEAD"],
  ["POST", "/metrics", "GET, HEAD"],
] as const;

test.each(wrongMethods)("%s %s is told which methods there are", async (method, path, allow) => {
  const answer = await service.call(method, path);
  expect([answer.status, answer.json.code, answer.headers.get("allow")]).toEqual([405, "METHOD_NOT_ALLOWED", allow]);
});

test("however a path is spelt, its route label is a template or unmatched", async () => {
  const id = "01a20a3e-3be8-733e-aec6-a42d3a37a41c";
  const spellings = [
    `/API/ml/v1/datasets/${id}`,
    `/api/ML/V1/datasets/${id}`,
    `/api/ml/v1/DATASETS/${id}`,
    `/api/ml/v1//datasets/${id}`,
    `/api/ml/v1/datasets/${id}/`,
    `//api/ml/v1/datasets/${id}`,
    `/api//ml/v1/datasets/${id}`,
    `/api/ml/v1/./datasets/${id}`,
    `/%61pi/ml/v1/datasets/${id}`,
    `/api/ml/v1/datasets/%zz`,
    `/api/ml/v1;x=1/datasets/${id}`,
    "/API/health",
    "/METRICS",
  ];
  const { port } = new URL(service.url);
  for (const path of spellings) {
    // Not by fetch, which tidies a path up before it sends it.
    const request = httpRequest({ host: "127.0.0.1", port, path });
    const [response] = await once(request.end(), "response");
    response.resume();
    await once(response, "close");
  }
  const { text } = await service.call("GET", "/metrics");
  const routes = new Set([...text.matchAll(/http_route="([^"]*)"/g)].map(([, route = ""]) => route));
  expect(
    [...routes].filter(
      (route) =>
        route !== "unmatched" && !/^(\/(metrics)?$|\/api\/(ml\/v1\/[a-z/:-]+|health|docs|openapi))/.test(route),
    ),
  ).toEqual([]);
  expect([...routes].join("\n")).not.toMatch(/API|ML|DATASETS|\/\/|%|;|.\/$|METRICS|01a20a3e/m);
});

test("the files of the documentation page have one route label, whatever is asked for beside them", async () => {
  const page = await (await fetch(`${service.url}/api/docs`)).text();
  const linked = [...page.matchAll(/(?:href|src)="(docs\/[^"]+)"/g)].map(([, path = ""]) => `/api/${path}`);
  const files = linked.filter((path) => !path.endsWith("/initializer.js"));
  expect(files.length).toBeGreaterThan(2);
  const counted = (labels: Record<string, string>): Promise<number> =>
    service.metric("http_server_request_duration_seconds_count", labels);
  const found = { http_route: "/api/docs/:file", http_response_status_code: "200" };
  const before = await counted({ http_route: "unmatched" });
  for (const path of linked) expect((await fetch(`${service.url}${path}`)).status, path).toBe(200);
  expect((await fetch(`${service.url}/api/docs/no-such-file.css`)).status).toBe(404);
  await eventually(async () => (await counted(found)) === files.length);
  await eventually(async () => (await counted({ ...found, http_response_status_code: "404" })) === 1);
  expect(await counted({ http_route: "unmatched" })).toBe(before);
  expect((await service.call("GET", "/metrics")).text).not.toMatch(/http_route="[^"]*(no-such-file|swagger)/);
});

test("wrong methods have one route label for all paths; the log says which path it was", async () => {
  const counted = (labels: Record<string, string> = {}): Promise<number> =>
    service.metric("http_server_request_duration_seconds_count", { http_response_status_code: "405", ...labels });
  const before = await counted();
  for (const [method, path] of wrongMethods) await service.call(method, path);
  await eventually(async () => (await counted()) === before + wrongMethods.length);
  expect(await counted({ http_route: "unmatched" })).toBe(await counted());
  const logged = () => service.lines.map((line) => JSON.parse(line)).filter(({ status }) => status === 405);
  const wanted = { method: "DELETE", route: "/api/ml/v1/datasets/upload" };
  await eventually(async () =>
    logged().some(({ method, route }) => method === wanted.method && route === wanted.route),
  );
});

test("the document says what keys, cursors and forms are, and how large a body may be", async () => {
  const { paths } = (await service.call("GET", "/api/openapi.json")).json;
  const submit = paths["/api/ml/v1/training-runs"].post;
  expect(submit.responses["413"].description).toContain("BODY_TOO_LARGE");
  expect(submit.parameters[0].schema.pattern).toBe("^[\\x21-\\x7e]{1,255}$");
  const { json } = await service.upload(csv, { name: "page" });
  await service.upload(csv, { name: "page 2" });
  const { nextCursor } = (await service.call("GET", "/datasets?limit=1")).json;
  const cursor = paths["/api/ml/v1/datasets"].get.parameters.find(({ name }: { name: string }) => name === "cursor");
  expect(nextCursor).toMatch(new RegExp(cursor.schema.pattern));
  const form = paths["/api/ml/v1/datasets/upload"].post.requestBody.content["multipart/form-data"];
  expect([json.name, form.schema.additionalProperties]).toEqual(["page", false]);
});

test("of very many faults the first are named, and how many more there are", async () => {
  const unknown = Object.fromEntries(Array.from({ length: 900 }, (_, place) => [`unknown${place}`, 1]));
  const features = Array.from({ length: 5_000 }, () => 1);
  for (const [body, last] of [
    [unknown, expect.stringMatching(/^Unrecognized keys: "unknown0".* …$/)],
    [{ features }, expect.stringMatching(/^and \d{4} more$/)],
  ] as const) {
    const response = await fetch(`${service.url}/api/ml/v1/training-runs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    expect(response.status, text.slice(0, 400)).toBe(400);
    expect(text.length).toBeLessThan(4_096);
    expect(JSON.parse(text).errors.at(-1).message).toEqual(last);
  }
});

test("who saw a dataset before its profile was made is not told that nothing changed", async () => {
  const { json, headers } = await service.upload(csv, { name: "to profile" });
  const path = `/datasets/${json.id}`;
  const profiled = await eventually(async () => {
    const answer = await service.call("GET", path);
    return answer.json.profile === null ? undefined : answer;
  });
  // Not by fetch: it adds «Cache-Control: no-cache», to which the answer is always whole.
  const ifNoneMatch = async (etag: string | null): Promise<number> => {
    const request = httpRequest(`${service.url}/api/ml/v1${path}`, { headers: { "if-none-match": etag ?? "" } }).end();
    const [response] = await once(request, "response");
    response.resume();
    return response.statusCode;
  };
  expect(await ifNoneMatch(headers.get("etag"))).toBe(200);
  expect(await ifNoneMatch(profiled.headers.get("etag"))).toBe(304);
  const { json: document } = await service.call("GET", "/api/openapi.json");
  expect(document.paths["/api/ml/v1/datasets/{id}"].get.responses).toHaveProperty("304");
});

test("a range whose end is before its start is none, and units are read in any case", async () => {
  const { json } = await service.upload(csv, { name: "ranges" });
  const rangeOf = (range: string) => service.call("GET", `/datasets/${json.id}/content`, undefined, { range });
  const whole = await rangeOf("bytes=5-2");
  expect([whole.status, whole.text]).toEqual([200, csv]);
  const part = await rangeOf("Bytes=2-4");
  expect([part.status, part.text]).toEqual([206, csv.slice(2, 5)]);
});

test("the events of a run that waits tell its place, and HEAD ends while the run lives", async () => {
  // No worker: the run stays queued.
  const waiting = await startService({ env: { SERVICE_ROLE: "api" } });
  try {
    const { json: dataset } = await waiting.upload(csv);
    const { json: run } = await waiting.call("POST", "/training-runs", { datasetId: dataset.id, mode: "light" });
    const path = `/training-runs/${run.id}`;
    expect((await waiting.call("GET", path)).json.queuePosition).toBe(1);

    // A part of an event may come before the rest of it.
    const followed = await follow(waiting, run.id);
    const data = await eventually(async () => /^event: status\ndata: (.*)\n\n/m.exec(followed.text)?.[1]);
    expect(JSON.parse(data)).toMatchObject({ status: "queued", queuePosition: 1 });

    const head = await fetch(`${waiting.url}/api/ml/v1${path}/events`, {
      method: "HEAD",
      signal: AbortSignal.timeout(300_000),
    });
    expect([head.status, head.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    // Counted when it ends; fetch has the headers before.
    await eventually(
      async () =>
        (await waiting.metric("http_server_request_duration_seconds_count", {
          http_request_method: "HEAD",
          http_response_status_code: "200",
        })) === 1,
    );
  } finally {
    await waiting.stop();
  }
});
