import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeText } from "../support/encode-text.ts";
import { parquetOf } from "../support/parquet-of.ts";
import { type RunningService, startService } from "../support/service.ts";
import { factsOf, lifeOf, things, writeThings } from "../support/things-table.ts";
import { workbookOf, xmlText, zipOf } from "../support/xlsx-file.ts";

let service: RunningService;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

describe("a table is the same in whatever file it comes", () => {
  let plain: ReturnType<typeof factsOf>;
  beforeAll(async () => {
    plain = factsOf(await lifeOf(service, writeThings({}), "plain file"));
  });
  const csv = writeThings({});
  const records = things.map(({ price, kg, label }) => ({
    price: price === "" ? null : Number(price),
    kg: Number(kg),
    label,
  }));
  const mixed = csv.replace("\n", "\r\n").replace(/(?<=3\.25,.*)\n/, "\r");

  test.each<[string, string | Buffer, object]>([
    [
      "UTF-16 as Excel's Unicode text",
      Buffer.from(`\uFEFF${writeThings({ delimiter: "\t" })}`, "utf16le"),
      { encoding: "utf-16le", delimiter: "\t" },
    ],
    ["UTF-16 with the other end first", Buffer.from(`\uFEFF${csv}`, "utf16le").swap16(), { encoding: "utf-16be" }],
    ["UTF-16 without a mark", Buffer.from(csv, "utf16le"), { encoding: "utf-16le" }],
    ["line ends of several kinds", mixed, { linesMended: true }],
    ["a last line of blanks and a Ctrl-Z", `${csv}   \n\u001a`, { linesMended: true }],
    ["a title and a comment", `Things and prices\n# of May, all of them\n\n${csv}`, { skippedLines: 3 }],
    ["blanks before quotes", csv.replaceAll(/,(cheap|dear|label)/g, ', "$1" '), { linesMended: false }],
    ["JSON lines", records.map((record) => JSON.stringify(record)).join("\n"), { format: "jsonl", delimiter: null }],
    ["a list in JSON", JSON.stringify(records, null, 2), { format: "json", delimiter: null }],
  ])("%s", async (name, content, understood) => {
    const life = await lifeOf(service, content, name, /JSON/.test(name) ? csv : content);
    const codes = life.uploaded.json.warnings.map(({ code }: { code: string }) => code);
    expect(codes.includes("LINES_MENDED")).toBe(life.uploaded.json.understood.linesMended);
    expect(codes.includes("LINES_LEFT_OUT")).toBe(life.uploaded.json.understood.skippedLines > 0);
    expect(life.uploaded.json.understood).toMatchObject({ decoded: null, ...understood });
    expect(life.uploaded.json.understood).toMatchObject(life.dataset.json.understood);
    expect(factsOf(life)).toEqual(plain);
    const sent = await fetch(`${service.url}/api/ml/v1/datasets/${life.dataset.json.id}/content`);
    expect(Buffer.from(await sent.arrayBuffer()).equals(Buffer.from(content))).toBe(true);
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ])("%s, whatever the file is named", async (kind, compress) => {
    const answer = await service.upload(compress(Buffer.from(csv)), { name: kind }, "things.csv");
    expect(answer.json).toMatchObject({ rows: 60, columns: 3, sizeBytes: csv.length });
  });

  test("an Excel workbook, of which a sheet is read", async () => {
    const cell = (value: string | number | null): string =>
      value === null
        ? "<c/>"
        : typeof value === "number"
          ? `<c><v>${value}</v></c>`
          : `<c t="inlineStr"><is><t>${xmlText(value)}</t></is></c>`;
    const sheet = [["price", "kg", "label"], ...records.map((record) => Object.values(record))];
    const things = sheet.map((cells) => `<row>${cells.map(cell).join("")}</row>`).join("");
    const notes = `<row>${cell("made by Anna")}</row>`;
    const content = workbookOf({
      sheets: [
        { name: "Notes", rows: notes, state: "hidden" },
        { name: "Things", rows: `<row>${cell("Things of May")}</row>${things}` },
        { name: "Other", rows: notes },
      ],
    });
    const life = await lifeOf(service, content, "workbook", csv);
    expect(life.uploaded.json.understood).toMatchObject({
      format: "xlsx",
      delimiter: null,
      sheet: "Things",
      otherSheets: ["Notes", "Other"],
      skippedLines: 1,
    });
    expect(life.uploaded.json.warnings).toContainEqual({
      code: "SHEETS_LEFT_OUT",
      message: expect.stringMatching(/«Things» is read, and not «Notes», «Other»/),
    });
    expect(life.uploaded.json.understood).toMatchObject(life.dataset.json.understood);
    expect(factsOf(life)).toEqual(plain);
    const named = await service.upload(content, { name: "named", sheet: "Other" });
    expect(named.json).toMatchObject({
      code: "TOO_FEW_COLUMNS",
      detail: expect.stringMatching(/one column.* sheet «Other»; there are also «Notes», «Things»/),
    });
    const unknown = await service.upload(content, { name: "unknown", sheet: "Thing" });
    expect(unknown.json).toMatchObject({ code: "FIELD_INVALID", detail: expect.stringContaining("Things") });
    const zip = await service.upload(zipOf([{ name: "a.txt", content: "a,b" }]));
    expect(zip.json).toMatchObject({ status: 415, code: "NOT_CSV", detail: expect.stringContaining("zip") });
    const noSheets = await service.upload(csv, { name: "no sheets", sheet: "Things" });
    expect(noSheets.json).toMatchObject({ code: "FIELD_INVALID" });
  });

  test("Parquet", async () => {
    const content = await parquetOf(csv);
    const life = await lifeOf(service, content, "parquet", csv);
    expect(life.uploaded.json.understood).toMatchObject({ format: "parquet", delimiter: null });
    expect(factsOf(life)).toEqual(plain);
    const alike = await parquetOf(csv.replace("price,kg", "xq,xz"));
    for (let at = alike.indexOf("xz"); at >= 0; at = alike.indexOf("xz", at + 1)) alike.write("XQ", at);
    const renamed = await service.upload(alike);
    expect(renamed.json).toMatchObject({
      code: "COLUMN_NAMES_INVALID",
      detail: expect.stringContaining("upper and lower case"),
    });
    const broken = await service.upload(content.subarray(0, content.length - 20));
    expect(broken.json).toMatchObject({ status: 415, code: "NOT_CSV", detail: expect.stringContaining("Parquet") });
  });
});

describe("letters of another code page", () => {
  const table = `город;цена;метка\n${Array.from({ length: 40 }, (_, row) => `${row % 2 === 0 ? "Москва" : "Нижний Новгород"};${row},5;${row % 3 === 0 ? "да" : "нет"}`).join("\n")}\n`;

  test.each(["windows-1251", "koi8-r"])(
    "%s is found, read, and told with the first line that depends on it",
    async (encoding) => {
      const { json } = await service.upload(encodeText(table, encoding), { name: encoding });
      expect(json).toMatchObject({
        target: "метка",
        rows: 40,
        understood: { encoding, decimal: ",", decoded: { line: 1, text: "город;цена;метка" } },
      });
      expect(json.warnings).toContainEqual(
        expect.objectContaining({ code: "ENCODING_GUESSED", line: 1, cell: "город;цена;метка" }),
      );
      const run = await service.train(json.id);
      expect(run.json).toMatchObject({ status: "succeeded" });
      const answer = await service.call("POST", `/artifacts/${run.json.artifactId}/predictions`, {
        rows: [{ город: "Москва", цена: 1.5 }],
      });
      expect(Object.keys(answer.json.predictions[0].probabilities).sort()).toEqual(["да", "нет"]);
    },
  );

  test("what the sender names is believed, and what can't be read by it is named by its line", async () => {
    const bytes = encodeText("a;b\nё;1\nю;2\n", "koi8-r");
    const named = await service.upload(bytes, { name: "named", encoding: "KOI8-R" });
    expect(named.json.understood).toMatchObject({ encoding: "koi8-r", decoded: { line: 2, text: "ё;1" } });
    expect(named.json.warnings.filter(({ code }: { code: string }) => code === "ENCODING_GUESSED")).toEqual([]);
    const wrong = await service.upload(bytes, { name: "wrong", encoding: "utf-8" });
    expect(wrong.json).toMatchObject({ code: "WRONG_ENCODING", detail: expect.stringContaining("line") });
    const unknown = await service.upload(bytes, { name: "unknown", encoding: "klingon" });
    expect(unknown.json).toMatchObject({ code: "FIELD_INVALID", detail: expect.stringContaining("klingon") });
  });
});

test("what is no table is named by its first bytes", async () => {
  const sent = ["<!DOCTYPE html><html>", "[[1,2],[3,4]]", Buffer.from("%PDF-1.7\n"), gzipSync(gzipSync("a,b\n"))];
  const answers = await Promise.all(sent.map((content) => service.upload(content)));
  expect(answers.map(({ json }) => [json.status, json.code])).toEqual(sent.map(() => [415, "NOT_CSV"]));
  expect(answers.map(({ json }) => /This is (?:an? )?(\S+)/.exec(json.detail)?.[1])).toEqual([
    "HTML",
    "JSON",
    "PDF.",
    "gzip",
  ]);
});

test("numbers are names of columns where the format says that they are names", async () => {
  const rows = Array.from({ length: 30 }, (_, row) => ({ 0: row, 1: row % 7, 2: row % 3 }));
  const { json } = await service.upload(JSON.stringify(rows));
  expect(json).toMatchObject({ rows: 30, columns: 3, target: "2" });
});

test.each([
  ["Excel's hint", "sep=,\r\n"],
  ["a title", "Title,,\r\n"],
  ["a comment", "# made by us\r\n"],
])("%s that ends otherwise than the rows costs no row", async (name, above) => {
  const life = await lifeOf(service, above + writeThings({}), `ends otherwise: ${name}`);
  expect(life.uploaded.json.understood).toMatchObject({ linesMended: true, skippedLines: 1 });
});

test("a title and a last line of blanks in one short file are both left out", async () => {
  const { json } = await service.upload("Title\na,b,y\n1,2,x\n2,3,z\n3,4,x\n   \n", { name: "title and blanks" });
  expect(json).toMatchObject({ rows: 3, columns: 3, understood: { linesMended: true, skippedLines: 1 } });
});

test("a first row with a word for a missing value is a row all the same", async () => {
  const { json } = await service.upload("5.1,?,setosa\n4.9,3.0,setosa\n6.2,2.8,virginica\n6.3,2.9,virginica\n");
  expect(json).toMatchObject({ code: "HEADER_MISSING" });
});

test("rows without any value are no rows, in the profile, in rows and in training", async () => {
  const content = `${writeThings({ missing: "NA" }).replace("cheap\n", "cheap\n,,\n")},,\nNA,NA,\n`;
  const life = await lifeOf(service, content, "empty rows", writeThings({}));
  expect(life.uploaded.json.warnings).toContainEqual({
    code: "LINES_LEFT_OUT",
    message: expect.stringContaining("3 rows"),
  });
  const { json } = await service.call("GET", `/datasets/${life.dataset.json.id}/rows?limit=100`);
  expect([json.total, json.rows.length]).toEqual([60, 60]);
  expect(json.rows.every((cells: unknown[]) => cells.some((cell) => cell !== null))).toBe(true);
  const plain = await lifeOf(service, writeThings({}), "no empty rows");
  expect(factsOf(life)).toEqual(factsOf(plain));
});

test.each([
  ["a list of numbers", '[{"a":1},5]', "NOT_CSV", "Row 2"],
  ["a JSON that is cut", '{"a":1,"b":2}\n{"a":2,"b"', "NOT_CSV", "row 2"],
  ["a NUL in a text", '{"a":1,"b":"x\\u0000"}\n{"a":2,"b":"y"}\n', "NUL_BYTES", "NUL"],
])("JSON is refused by its row: %s", async (_what, content, code, words) => {
  const { json } = await service.upload(content);
  expect(json).toMatchObject({ code, detail: expect.stringContaining(words) });
});

test("what would be larger than a file may be, written as CSV, is refused", async () => {
  const long = JSON.stringify({ [`a${"k".repeat(2_000)}`]: 1, b: 2 });
  const key = (row: number) => `{"a${row}":1,"b":${row}}`;
  const wide = Array.from({ length: 1_900 }, (_, row) => key(row)).join("\n");
  const { json } = await service.upload(`${long}\n${`${wide}\n`.repeat(3)}`);
  expect(json).toMatchObject({ code: "DATASET_TOO_LARGE", status: 413 });
});

test.each([
  ["prices.tsv.gz", "prices"],
  ["Prices of May.TXT", "Prices of May"],
  ["prices.2026.tab", "prices.2026"],
  ["prices", "prices"],
])("a file named %s is read whatever its name ends in", async (fileName, name) => {
  const content = Buffer.from(writeThings({ delimiter: "\t" }));
  const answer = await service.upload(fileName.endsWith(".gz") ? gzipSync(content) : content, {}, fileName);
  expect(answer.json).toMatchObject({ name, rows: 60, columns: 3 });
});

test("accepted uploads are counted by what they were sent as, and no others", async () => {
  const counts = async (): Promise<number[]> =>
    Promise.all(
      ["csv", "json", "jsonl", "parquet", "xlsx"].map((format) =>
        service.metric("mlops_backend_dataset_upload_formats_total", { format }),
      ),
    );
  const before = await counts();
  const csv = "a,b\n1,x\n2,y\n3,x\n";
  const records = '{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n{"a":3,"b":"x"}\n';
  const row = (a: string, b: string) =>
    `<row>${[a, b].map((cell) => `<c t="inlineStr"><is><t>${cell}</t></is></c>`).join("")}</row>`;
  const sheet = { name: "Table", rows: [row("a", "b"), row("1", "x"), row("2", "y"), row("3", "x")].join("") };
  const list = `[${records.trim().replaceAll("\n", ",")}]`;
  for (const content of [csv, list, records, await parquetOf(csv), workbookOf({ sheets: [sheet] })])
    for (const status of [201, 200])
      expect((await service.upload(content, { name: "counted by format" }, "table.dat")).status).toBe(status);
  expect((await service.upload(csv, { name: "refused", target: "nope" })).status).toBe(400);
  expect(await counts()).toEqual(before.map((count) => count + 1));
});
