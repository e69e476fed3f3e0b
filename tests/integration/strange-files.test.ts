import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningService, startService } from "../support/service.ts";
import { workbookOf } from "../support/xlsx-file.ts";

let service: RunningService;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

/** A Parquet of 160 KB whose schema is nested 20,000 deep, compressed by gzip: DuckDB ends the process that describes it. */
const deepParquet = Buffer.from(
  [
    "H4sIAAAAAAACA+3GoQ2DQAAF0M9p7DW9BNsBEB2ADQgb4Gsa1kF1TgSwQQd46r15WsaapJZ2/PbunWe31ZLblSRJkiRJkiRJkiRJ",
    "kiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJ",
    "kiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJ",
    "kiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiRJkiT/sJbX",
    "tU8eaX2Gb8k8LeMJNT5WdSxxAgA=",
  ].join(""),
  "base64",
);
const table = `a,b,label\n${Array.from({ length: 30 }, (_, row) => `${row},${row % 7},${row % 2 === 0 ? "x" : "y"}`).join("\n")}\n`;
const temporaryFiles = () => readdir(join(service.dataDir, "files", "tmp"));

test("a file that breaks its reader is refused, and the service goes on", async () => {
  const refused = await service.upload(deepParquet, { name: "deep" });
  expect([400, 413, 415]).toContain(refused.status);
  await expect.poll(() => temporaryFiles()).toEqual([]);
  expect((await service.upload(table, { name: "after it" })).status).toBe(201);
});

const cell = (text: string) => `<c t="inlineStr"><is><t>${text}</t></is></c>`;
const sheet = (name: string, value: string) =>
  workbookOf({
    sheets: [
      {
        name: "Sheet",
        rows: `<row>${cell(name)}${cell("label")}</row>${`<row>${cell(value)}${cell("x")}</row><row>${cell("2")}${cell("y")}</row>`.repeat(5)}`,
      },
    ],
  });

test.each<[string, string | Buffer]>([
  ["a name in UTF-16", Buffer.from("\uFEFFa\u0000,label\n1,x\n2,y\n", "utf16le")],
  ["a cell in UTF-16", Buffer.from("\uFEFFa,label\n1,x\u0000\n2,y\n", "utf16le")],
  ["a name in Excel", sheet("a_x0000_", "1")],
  ["a cell in Excel", sheet("a", "1_x0000_")],
  ["a key in JSON", '{"a\\u0000b":1,"label":"x"}\n{"a\\u0000b":2,"label":"y"}\n'],
  ["a text in JSON", '{"a":1,"label":"x\\u0000"}\n{"a":2,"label":"y"}\n'],
])("a NUL character in %s is refused", async (_where, content) => {
  const { json } = await service.upload(content);
  expect([json.status, json.code]).toEqual([400, expect.stringMatching(/^(NUL_BYTES|COLUMN_NAMES_INVALID)$/)]);
  await expect.poll(() => temporaryFiles()).toEqual([]);
});

test("a workbook whose sheets have endless names is refused", async () => {
  const rows = `<row>${cell("a")}${cell("label")}</row>`;
  const { json } = await service.upload(workbookOf({ sheets: [{ name: "S".repeat(5_000), rows }] }));
  expect(json).toMatchObject({ status: 415, code: "NOT_CSV" });
});

test("JSON that was taken can be looked at and trained on with any target", async () => {
  const names = Array.from({ length: 300 }, (_, place) => `c${place}`);
  const lines = Array.from({ length: 1_500 }, (_, row) =>
    JSON.stringify(Object.fromEntries(names.map((name, place) => [name, (row * (place + 3)) % 5]))),
  );
  const { json } = await service.upload(lines.join("\n"), { name: "wide JSON" });
  const page = await service.call("GET", `/datasets/${json.id}/rows?offset=1499`);
  expect(page.json).toMatchObject({ total: 1_500, firstRow: 1_500 });
  expect(page.json.rows[0]).toHaveLength(300);
  const run = await service.call("POST", "/training-runs", { datasetId: json.id, mode: "light", target: "c7" });
  expect(run.status).toBe(202);
});

test("the same content again shows examples of the reading that was kept", async () => {
  const pair = (left: string, right: string) => `<row>${cell(left)}${cell(right)}</row>`;
  const content = workbookOf({
    sheets: [
      { name: "One", rows: pair("a", "target") + (pair("p", "x") + pair("q", "y")).repeat(5) },
      { name: "Two", rows: pair("b", "target") + (pair("r", "u") + pair("s", "v")).repeat(5) },
    ],
  });
  const first = await service.upload(content, { name: "two sheets", sheet: "Two" });
  expect(first.json.understood.columns[0]).toMatchObject({ name: "b", examples: ["r", "s"] });
  const again = await service.upload(content, { name: "two sheets" });
  expect(again.json.id).toBe(first.json.id);
  expect(again.json.understood).toEqual(first.json.understood);
});
