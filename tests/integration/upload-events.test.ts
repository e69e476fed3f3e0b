import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, type RunningService, startService } from "../support/service.ts";

let service: RunningService;
beforeAll(async () => {
  service = await startService({ env: { MAX_CSV_UPLOAD_BYTES: "2000000000" } });
});
afterAll(() => service?.stop());

const asEvents = { accept: "text/event-stream" };
const table = (salt: string, rows = 40) =>
  `id,zip,kg,label\n${Array.from({ length: rows }, (_, row) => `${salt}${row},${1000 + (row % 4)},${row % 7},${row % 2}\n`).join("")}`;

/** What the events of an answer say, in their order; the last is the answer itself. */
function toldBy({ text }: Answer) {
  const events = text.split("\n\n").filter((each) => each !== "");
  const told = events.map((each) => {
    const [, event = "", data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(each) ?? [];
    return { event, data: JSON.parse(data) };
  });
  expect(told.map(({ event }) => event)).toEqual([...told.slice(1).map(() => "progress"), "answer"]);
  return { progress: told.slice(0, -1).map(({ data }) => data), answer: told.at(-1)!.data };
}

test("who asks for events hears what the check is at, and at last the answer that would have come", async () => {
  const accepted = () => service.metric("mlops_backend_dataset_uploads_total", { outcome: "accepted" });
  const before = await accepted();
  const told = await service.upload(table("told"), { name: "told" }, "told.csv", asEvents);
  expect([told.status, told.headers.get("content-type")]).toEqual([202, "text/event-stream"]);
  const { progress, answer } = toldBy(told);
  expect(progress[0]).toMatchObject({ phase: expect.any(String), elapsedSeconds: expect.any(Number) });
  const { id } = answer.body;
  expect(answer).toMatchObject({
    status: 201,
    headers: { Location: id, ETag: expect.any(String) },
    body: { name: "told", rows: 40, target: "label" },
  });
  expect((await service.call("GET", `/datasets/${id}`)).json).toMatchObject({ id, name: "told" });
  const again = toldBy(await service.upload(table("told"), { name: "told" }, "told.csv", asEvents)).answer;
  expect([again.status, again.body.id]).toEqual([200, id]);
  expect(await accepted()).toBe(before + 1);
});

test("a large file is told by passes and how much each has read", async () => {
  // As large as this machine needs to take a while for it.
  for (let rows = 500_000; ; rows *= 2) {
    expect(rows).toBeLessThan(20_000_000);
    const { progress, answer } = toldBy(
      await service.upload(table("large", rows), { name: "large" }, "l.csv", asEvents),
    );
    expect(answer.status).toBe(201);
    const readings = progress.filter(({ phase }: { phase: string }) => phase === "reading");
    const within = readings.filter(({ percentage }: { percentage?: number }) => percentage! > 0 && percentage! < 100);
    if (within.length === 0) continue;
    const at = ({ pass, percentage }: { pass: number; percentage: number }) => pass * 1_000 + percentage;
    expect(within.map(at)).toEqual(within.map(at).toSorted((a: number, b: number) => a - b));
    expect(within.at(-1).elapsedSeconds).toBeGreaterThan(0);
    return;
  }
});

test("nothing is kept of a file whose sender goes away while it is checked", async () => {
  const leaving = new AbortController();
  const form = new FormData();
  form.append("file", new Blob([table("gone", 3_000_000)]), "gone.csv");
  const answer = await fetch(`${service.url}/api/ml/v1/datasets/upload`, {
    method: "POST",
    body: form,
    headers: asEvents,
    signal: leaving.signal,
  });
  await answer.body!.getReader().read();
  leaving.abort();
  await expect.poll(() => service.metric("mlops_backend_dataset_uploads_total", { outcome: "aborted" })).toBe(1);
  // A typed copy of another file may be in the making.
  await expect.poll(() => readdir(join(service.dataDir, "files", "tmp"))).toEqual([]);
  const { items } = (await service.call("GET", "/datasets?limit=100")).json;
  expect(items.map(({ name }: { name: string }) => name)).not.toContain("gone");
});

test("a fault of the file is the last event, one that is seen before the check an answer of its own", async () => {
  const { answer } = toldBy(await service.upload("a,b\n1,2\n1,2,3\n", { name: "ragged" }, "r.csv", asEvents));
  expect(answer).toMatchObject({
    status: 400,
    headers: { "Content-Type": "application/problem+json; charset=utf-8" },
    body: { code: "ROW_RAGGED", status: 400, instance: expect.stringMatching(/^urn:uuid:/) },
  });
  const early = await service.upload("%PDF-1.7", { name: "early" }, "e.csv", asEvents);
  expect([early.status, early.json.code]).toEqual([415, "NOT_CSV"]);
  expect(await service.metric("mlops_backend_dataset_upload_rejections_total", { reason: "ROW_RAGGED" })).toBe(1);
});

test("an inspection and a correction tell the same, and nobody else's answer changes", async () => {
  const form = new FormData();
  form.append("file", new Blob([table("seen")]), "seen.csv");
  const inspected = toldBy(await service.call("POST", "/datasets/inspect", form, asEvents)).answer;
  expect(inspected).toMatchObject({ status: 200, body: { rows: 40, target: "label" } });
  const { json } = await service.upload(table("mend"), { name: "mend" }, "m.csv", { accept: "application/json, */*" });
  const answered = await service.call("PATCH", `/datasets/${json.id}`, { types: { zip: "text" } }, asEvents);
  const { progress, answer } = toldBy(answered);
  expect(progress[0].phase).toEqual(expect.any(String));
  expect(answer).toMatchObject({ status: 200, headers: { Location: json.id }, body: { id: json.id, target: "label" } });
  expect((await service.call("PATCH", `/datasets/${json.id}`, { types: 7 }, asEvents)).status).toBe(400);
  // Who takes any text has not asked for events; with JSON behind them they are meant.
  for (const [accept, status] of [
    ["text/*", 200],
    ["text/html, text/*;q=0.5, */*;q=0.1", 200],
    ["application/json, text/event-stream", 200],
    ["text/event-stream, application/json", 202],
    ["text/event-stream; charset=utf-8", 202],
  ] as const) {
    const again = await service.upload(table("mend"), { name: "mend" }, "m.csv", { accept });
    expect([accept, again.status, again.headers.get("vary")]).toEqual([accept, status, "Origin, Accept"]);
  }
});

test("a fault of ours in the middle counts as one, and stands in the log", async () => {
  const { json } = await service.upload(table("lost"), { name: "lost" });
  await rm(join(service.dataDir, "files", "dataset", json.id));
  const failed = async () => service.metric("mlops_backend_http_requests_total", { outcome: "server_error" });
  const before = await failed();
  const { answer } = toldBy(await service.call("PATCH", `/datasets/${json.id}`, { target: "kg" }, asEvents));
  expect(answer).toMatchObject({ status: 500, body: { code: "FILE_MISSING_IN_STORAGE" } });
  await expect.poll(failed).toBe((before || 0) + 1);
  const told = (msg: string) => () =>
    service.lines
      .map((each) => JSON.parse(each))
      .find((line) => line.msg === msg && line.code === "FILE_MISSING_IN_STORAGE");
  await expect.poll(told("request failed")).toMatchObject({ level: "error" });
  await expect.poll(told("request")).toMatchObject({ status: 202, error_type: "other" });
});
