import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningService, startService } from "../support/service.ts";

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const rowCount = 480;
const minuteOf = (row: number): number => (row * 487) % 1_440;
const two = (number: number): string => String(number).padStart(2, "0");
const iso = (row: number): string => `${two(Math.floor(minuteOf(row) / 60))}:${two(minuteOf(row) % 60)}:00`;
const short = (row: number): string => iso(row).replace(/^0/, "").slice(0, -3);
const halfDays = (row: number): string => {
  const hour = Math.floor(minuteOf(row) / 60);
  return `${hour % 12 || 12}:${two(minuteOf(row) % 60)} ${hour < 12 ? "AM" : "PM"}`;
};
/** Most in the afternoon. */
const visitors = (row: number): number => Math.round(50 - 40 * Math.cos((minuteOf(row) / 1_440) * 2 * Math.PI));
const shop = (timeOf: (row: number) => string): string =>
  `open,noise,visitors\n${Array.from({ length: rowCount }, (_, row) => `${timeOf(row)},${(row * 7919) % 13},${visitors(row)}\n`).join("")}`;

describe.each([
  ["of 24 hours", short, "14:30:00"],
  ["of 12 hours", halfDays, "2:30 PM"],
] as const)("times of a day without a date, %s", (name, written, form) => {
  let id: string;
  let run: Awaited<ReturnType<RunningService["train"]>>["json"];
  beforeAll(async () => {
    const sent = await service.upload(shop(written), { name: `times ${name}` });
    expect(sent.json.understood).toMatchObject({
      dateForms: [{ column: 1, form }],
      columns: [{ type: "time", missing: 0 }, { type: "number" }, { type: "number" }],
    });
    expect(sent.json.warnings).toEqual([]);
    id = sent.json.id;
    run = (await service.train(id, { mode: "heavy" })).json;
  });

  test("are shown as times, from the file and from its typed copy", async () => {
    const shown = async () =>
      (await service.call("GET", `/datasets/${id}/rows?limit=100`)).json.rows.map(([time]: [string]) => time);
    const times = Array.from({ length: 100 }, (_, row) => iso(row));
    expect(await shown()).toEqual(times);
    await expect
      .poll(async () => (await service.call("GET", `/datasets/${id}`)).json.typedBytes, { timeout: 60_000 })
      .toBeGreaterThan(0);
    expect(await shown()).toEqual(times);
  });

  test("have a profile", async () => {
    await expect
      .poll(async () => (await service.call("GET", `/datasets/${id}`)).json.profile, { timeout: 60_000 })
      .not.toBeNull();
    const { profile } = (await service.call("GET", `/datasets/${id}`)).json;
    const all = Array.from({ length: rowCount }, (_, row) => iso(row)).sort();
    const column = profile[0];
    expect(column).toMatchObject({ type: "time", min: all[0], max: all.at(-1), mean: null });
    expect(column.quantiles.p50).toMatch(/^1[12]:\d\d:\d\d$/);
    expect(column.histogram.binEdges[0]).toBe(all[0]);
    expect(column.histogram.counts.reduce((sum: number, count: number) => sum + count)).toBe(rowCount);
  });

  test("are learnt from, and said to be", () => {
    expect(run.metrics.r2).toBeGreaterThan(0.95);
    expect(run.columns[0]).toEqual({ name: "open", as: "time", missing: 0, imputed: 0 });
  });

  test("are predicted with as the table wrote them and by ISO 8601, in JSON and CSV alike", async () => {
    const row = 100;
    const asked = [written(row), iso(row), iso(row).slice(0, -3)];
    const path = `/artifacts/${run.artifactId}/predictions`;
    const inJson = await service.call("POST", path, { rows: asked.map((open) => ({ open, noise: 1 })) });
    const inCsv = await service.call("POST", path, `open,noise\n${asked.map((open) => `${open},1\n`).join("")}`, {
      "content-type": "text/csv",
    });
    const [first] = inJson.json.predictions;
    expect(Math.abs(first.prediction - visitors(row))).toBeLessThan(5);
    expect([inJson.json.predictions, inCsv.json.predictions]).toEqual([asked.map(() => first), asked.map(() => first)]);
    for (const none of ["soon", "24:00", "25:61", "2024-01-31", 1430, true]) {
      const { status, json } = await service.call("POST", path, { rows: [{ open: none, noise: 1 }] });
      expect([status, json.code]).toEqual([400, "PREDICTION_INPUT_INVALID"]);
      expect(json.detail).toContain(`column "open" must be a time as ${form}`);
    }
    const nested = await service.call("POST", path, { rows: [{ open: [iso(1)], noise: 1 }] });
    expect(nested.json.detail).toBe('Row 1: column "open" must be a time, not a list.');
  });

  test("are described, with an example that can be sent", async () => {
    const { json: artifact } = await service.call("GET", `/artifacts/${run.artifactId}`);
    const all = Array.from({ length: rowCount }, (_, row) => iso(row)).sort();
    expect(artifact.input.features[0]).toMatchObject({ name: "open", type: "time", from: expect.any(String) });
    expect(all).toContain(artifact.input.features[0].from);
    const { json: schema } = await service.call("GET", `/artifacts/${run.artifactId}/schema?of=row`);
    const { pattern, examples } = schema.properties.open;
    for (const example of [...examples, ...all]) expect(example).toMatch(new RegExp(pattern));
    for (const none of ["24:00", "25:23", "8:15:00", "2024-01-31"]) expect(none).not.toMatch(new RegExp(pattern));
    const answer = await service.call("POST", `/artifacts/${run.artifactId}/predictions`, {
      rows: [artifact.input.example],
    });
    expect([answer.status, artifact.input.example.open]).toEqual([200, examples[0]]);
  });
});

test("lengths of time may be longer than a day, and have the latest rows held out by them", async () => {
  const took = (row: number): string => `${two(row)}:${two((row * 7) % 60)}:30.5`;
  const table = `took,size,cost\n${Array.from({ length: 120 }, (_, row) => `${took(row)},${row % 7},${row * 3 + (row % 7)}\n`).join("")}`;
  const sent = await service.upload(table, { name: "lengths" });
  expect(sent.json.understood.columns[0]).toMatchObject({ type: "time", examples: expect.arrayContaining([took(1)]) });
  const { json: page } = await service.call("GET", `/datasets/${sent.json.id}/rows?limit=100`);
  expect(page.rows.map(([cell]: [string]) => cell)).toEqual(Array.from({ length: 100 }, (_, row) => took(row)));
  const { json: run } = await service.train(sent.json.id, {
    mode: "light",
    parameters: { validation: { kind: "time", column: "took", share: 0.25 } },
  });
  expect(run.status).toBe("succeeded");
  expect(run.metrics.validation.from).toBe(took(90));
});

test("strays between them are told; scores, zones and both of two forms are text; and they are what their sender says", async () => {
  const stray = await service.upload(
    shop((row) => (row === 300 ? "noon" : short(row))),
    { name: "a stray" },
  );
  expect(stray.json.warnings).toMatchObject([
    {
      code: "DATES_AND_TEXT",
      column: "open",
      line: 302,
      cell: "noon",
      message: expect.stringContaining("no times as the others"),
    },
  ]);
  expect(stray.json.understood.columns[0]).toMatchObject({ type: "time", missing: 1 });
  for (const [place, written] of [
    (row: number) => `${25 + (row % 9)}:${two(row % 60)}`,
    (row: number) => `${iso(row)}Z`,
    (row: number) => (row % 2 ? short(row) : halfDays(row)),
    (row: number) => (row % 2 ? short(row) : `2024-01-${two(1 + (row % 28))}`),
  ].entries()) {
    const { json } = await service.upload(shop(written), { name: `none ${place}` });
    expect([place, json.understood.columns[0].type]).toEqual([place, "text"]);
  }
  const asText = await service.upload(shop(short), { name: "as text", types: JSON.stringify({ open: "text" }) });
  expect(asText.json.understood.columns[0].type).toBe("text");
  const asDate = await service.upload(shop(short), { name: "as date", types: JSON.stringify({ open: "date" }) });
  expect([asDate.status, asDate.json.code]).toEqual([400, "FIELD_INVALID"]);
  const corrected = await service.call("PATCH", `/datasets/${asText.json.id}`, { types: { open: "time" } });
  expect(corrected.json.understood.columns[0].type).toBe("time");
});

test.each([
  ["every third", (row: number) => row % 3 === 0],
  ["the first sixty", (row: number) => row < 60],
])("what is said to be times has other text as missing: %s", async (name, isClosed) => {
  const send = (type: string, timeOf: (row: number) => string) =>
    service.upload(
      shop((row) => (isClosed(row) ? "closed" : timeOf(row))),
      { name: `${type} but for ${name}`, types: JSON.stringify({ open: type }) },
    );
  const closed = Array.from({ length: rowCount }, (_, row) => row).filter(isClosed).length;
  for (const timeOf of [short, halfDays]) {
    const { json } = await send("time", timeOf);
    expect(json.understood?.columns[0]).toMatchObject({ type: "time", missing: closed });
    expect(json.warnings).toMatchObject([{ code: "DATES_AND_TEXT", column: "open", cell: "closed" }]);
    await service.call("DELETE", `/datasets/${json.id}`);
  }
});

test("what is said to be dates has other text as missing", async () => {
  const { json } = await service.upload(
    shop((row) => (row % 3 ? `2024-01-${two(1 + (row % 28))}` : "unknown")),
    { name: "said dates", types: JSON.stringify({ open: "date" }) },
  );
  expect(json.understood?.columns[0]).toMatchObject({ type: "date", missing: rowCount / 3 });
});

test("a target of times is told as it is spelled", async () => {
  const table = `noise,shift\n${Array.from({ length: 90 }, (_, row) => `${row % 3},${["6:00", "14:00", "22:00"][row % 3]}\n`).join("")}`;
  const sent = await service.upload(table, { name: "shifts", target: "shift" });
  expect(sent.json).toMatchObject({ task: "classification", understood: { columns: [{}, { type: "text" }] } });
  const { json: run } = await service.train(sent.json.id, { mode: "light" });
  const answer = await service.call("POST", `/artifacts/${run.artifactId}/predictions`, { rows: [{ noise: 1 }] });
  expect(answer.json.predictions[0].prediction).toBe("14:00");
});
