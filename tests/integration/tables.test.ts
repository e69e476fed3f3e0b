import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeText } from "../support/encode-text.ts";
import { parquetOf } from "../support/parquet-of.ts";
import { type Answer, eventually, type RunningService, startService } from "../support/service.ts";
import { workbookOf, xmlText, zipOf } from "../support/xlsx-file.ts";

let service: RunningService;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

/** Sixty things with a price, of which one in ten is not known, and a weight; who costs less than 25 is cheap. */
const rows = Array.from({ length: 60 }, (_, row) => {
  const price = 10 + ((row * 17) % 30) + 0.25;
  return {
    price: row % 10 === 3 ? "" : String(price),
    kg: String((row * 7) % 9),
    label: price < 25 ? "cheap" : "dear",
  };
});

interface Manner {
  /** How a number is written, by the place of its column. */
  readonly number?: (numeral: string, place: number) => string;
  readonly delimiter?: string;
  readonly decimal?: string;
  readonly before?: string;
  readonly missing?: string;
  readonly lineEnd?: string;
  /** A column without a name in front, as pandas and R write it. */
  readonly index?: (row: number) => string;
  /** A delimiter at the end of each line. */
  readonly isClosed?: boolean;
}

function write(manner: Manner): string {
  const { delimiter = ",", decimal = ".", before = "", missing = "", lineEnd = "\n", index, isClosed = false } = manner;
  const { number = (numeral: string) => numeral.replace(".", decimal) } = manner;
  const lines = rows.map(({ price, kg, label }) => [price === "" ? missing : number(price, 0), number(kg, 1), label]);
  const table = [["price", "kg", "label"], ...lines].map((cells, line) =>
    [...(index === undefined ? [] : [line === 0 ? "" : index(line - 1)]), ...cells, ...(isClosed ? [""] : [])].join(
      delimiter,
    ),
  );
  return before + table.map((line) => line + lineEnd).join("");
}

/** What the file of a manner is understood as, the model that is trained on it, and what that says of the file itself. */
async function lifeOf(content: string | Buffer, name: string, toPredict = content) {
  const uploaded = await service.upload(content, { name });
  expect(uploaded.json).toMatchObject({ target: "label", task: "classification", rows: 60, columns: 3 });
  const { id } = uploaded.json;
  const dataset = await eventually(async () => {
    const answer = await service.call("GET", `/datasets/${id}`);
    return answer.json.profile !== null && answer;
  });
  const run = await service.train(id, { mode: "heavy", parameters: { rounds: 20 } });
  expect(run.json).toMatchObject({ status: "succeeded" });
  const predictions = await service.call("POST", `/artifacts/${run.json.artifactId}/predictions`, toPredict, {
    "content-type": "text/csv",
  });
  return { uploaded, dataset, run, predictions };
}

const facts = ({ dataset, run, predictions }: Record<"dataset" | "run" | "predictions", Answer>) => ({
  columns: dataset.json.profile.map(({ name, type, nullRatio, distinct, mean }: Record<string, unknown>) => ({
    name,
    type,
    nullRatio,
    distinct,
    mean,
  })),
  metrics: run.json.metrics,
  predictions: predictions.json.predictions,
});

describe("a table is the same, however it is written", () => {
  let plain: ReturnType<typeof facts>;
  beforeAll(async () => {
    plain = facts(await lifeOf(write({}), "plain"));
    expect(plain.columns.map(({ type }: { type: string }) => type)).toEqual(["number", "number", "text"]);
    expect(plain.metrics.accuracy).toBe(1);
    expect(plain.predictions).toHaveLength(60);
  });

  test.each<[string, Manner, object]>([
    ["semicolons", { delimiter: ";" }, { delimiter: ";", decimal: "." }],
    ["semicolons and decimal commas", { delimiter: ";", decimal: "," }, { delimiter: ";", decimal: "," }],
    ["tabs", { delimiter: "\t" }, { delimiter: "\t" }],
    ["tabs and decimal commas", { delimiter: "\t", decimal: "," }, { delimiter: "\t", decimal: "," }],
    ["bars", { delimiter: "|" }, { delimiter: "|" }],
    ["Excel's line of the delimiter", { before: "sep=,\n" }, { delimiter: ",", skippedLines: 1 }],
    [
      "the same behind a byte order mark",
      { before: "\uFEFFsep=;\r\n", delimiter: ";", decimal: ",", lineEnd: "\r\n" },
      { delimiter: ";", decimal: ",", skippedLines: 1 },
    ],
    ["NA", { missing: "NA" }, { missing: expect.arrayContaining(["NA", "null"]) }],
    ["#N/A beside decimal commas", { missing: "#N/A", delimiter: ";", decimal: "," }, { decimal: "," }],
    ["\\N", { missing: "\\N" }, {}],
    ["pandas' index", { index: String }, { leftOutColumns: [1] }],
    [
      "names of rows, semicolons and decimal commas",
      { index: (row) => `thing ${row}`, delimiter: ";", decimal: "," },
      { leftOutColumns: [1] },
    ],
    ["decimal commas in quotes", { number: (numeral) => `"${numeral.replace(".", ",")}"` }, { decimal: "." }],
    [
      "dollars and per cent",
      { number: (numeral, place) => (place === 0 ? `$${numeral}` : `${numeral} %`) },
      {
        numberForms: [
          { column: 1, form: "$1,234.50" },
          { column: 2, form: "1,234.50 %" },
        ],
      },
    ],
    [
      "euros behind and decimal commas",
      { delimiter: ";", decimal: ",", number: (n) => `${n.replace(".", ",")} €` },
      {},
    ],
    ["a delimiter at the end of each line", { isClosed: true, delimiter: ";" }, { leftOutColumns: [4] }],
  ])("with %s", async (name, manner, understood) => {
    const life = await lifeOf(write(manner), name);
    expect(life.uploaded.json.understood).toMatchObject(understood);
    const { columns, ...how } = life.uploaded.json.understood;
    expect(life.dataset.json.understood).toMatchObject(how);
    // Examples are of the upload alone.
    expect(columns).toMatchObject(life.dataset.json.understood.columns);
    expect(facts(life)).toEqual(plain);
  });
});

describe("a table of thousands is the same, however they are written", () => {
  const thousand = (numeral: string) => (Number(numeral) * 1000 - 20_000.5).toFixed(2);
  const grouped = (between: string, decimal: string) => (numeral: string) => {
    const [whole = "", fraction] = thousand(numeral).split(".");
    return `"${whole.replace(/(?<=\d)(?=(\d{3})+$)/g, between)}${decimal}${fraction}"`;
  };
  let plain: ReturnType<typeof facts>;
  beforeAll(async () => {
    plain = facts(await lifeOf(write({ number: thousand }), "plain thousands"));
    expect(plain.columns[0]).toMatchObject({ type: "number", mean: expect.closeTo(5_138.39) });
  });

  test.each<[string, Manner, string]>([
    ["commas", { number: grouped(",", ".") }, "1,234.50"],
    ["points", { number: grouped(".", ","), delimiter: ";" }, "1.234,50"],
    ["points between commas", { number: grouped(".", ",") }, "1.234,50"],
    ["blanks", { number: grouped(" ", ","), delimiter: "\t" }, "1 234,50"],
    ["narrow blanks", { number: grouped("\u202F", ","), delimiter: ";" }, "1 234,50"],
    ["apostrophes", { number: grouped("’", "."), missing: "NA" }, "1'234.50"],
    ["a typographic minus", { number: (numeral) => thousand(numeral).replace("-", "−") }, "1,234.50"],
    ["parentheses", { number: (numeral) => thousand(numeral).replace(/^-(.*)$/, "($1)") }, "1,234.50"],
    ["parentheses and pounds", { number: (n) => `£${thousand(n)}`.replace(/^£-(.*)$/, "(£$1)") }, "£1,234.50"],
  ])("with %s", async (name, manner, form) => {
    const life = await lifeOf(write(manner), name);
    expect(life.uploaded.json.understood.numberForms).toEqual([1, 2].map((column) => ({ column, form })));
    expect(facts(life)).toEqual(plain);
  });
});

test("a number that is none of its column's form is refused, and so is one that may be two", async () => {
  const { json } = await service.upload(write({ number: (numeral) => `$${numeral}` }), { name: "dollars" });
  const run = await service.train(json.id);
  const predict = (content: string) =>
    service.call("POST", `/artifacts/${run.json.artifactId}/predictions`, content, { "content-type": "text/csv" });
  const mixed = await predict(`price,kg\n${"$5,1\n".repeat(60)}€6,1\n`);
  expect(mixed.json).toMatchObject({ code: "PREDICTION_INPUT_INVALID", errors: [{ path: "rows.60.price" }] });
  expect(mixed.json.errors[0].message).toContain("written as $1234.50");
  const ambiguous = await predict('price,kg\n5,1\n"1,234",1\n');
  expect(ambiguous.json).toMatchObject({ code: "PREDICTION_INPUT_INVALID", errors: [{ path: "rows.1.price" }] });
});

describe("what each column was taken for is said", () => {
  const columns = async (content: string, name: string, more = {}) => {
    const { json } = await service.upload(content, { name, ...more });
    const one = await service.call("GET", `/datasets/${json.id}`);
    const again = await service.upload(content, { name, ...more });
    expect(again.json).toEqual(json);
    return { sent: json.understood.columns, kept: one.json.understood.columns, id: json.id };
  };

  test("with its type and role, those that are left out in their places, and examples of what was just sent", async () => {
    const long = "é".repeat(60);
    const content = `;price;;label;kg\n1;NA;;x;${long}\n2;1,5;;x;2\n3;1,5;;y;NA\n4;2;;y;3\n`;
    const { sent, kept, id } = await columns(content, "columns", { target: "label" });
    const expected = [
      { name: "", type: null, role: "left out" },
      { name: "price", type: "number", role: "feature", examples: ["1,5", "2"] },
      { name: "", type: null, role: "left out" },
      { name: "label", type: "text", role: "target", examples: ["x", "y"] },
      { name: "kg", type: "text", role: "feature", examples: [long.slice(0, 40), "2", "3"] },
    ];
    expect(sent).toEqual(expected);
    expect(kept).toEqual(expected.map(({ examples: _, ...column }) => column));
    const { items } = (await service.call("GET", "/datasets?limit=100")).json;
    expect(items.find((item: { id: string }) => item.id === id).understood).not.toHaveProperty("columns");
  });

  test("without examples where there are more than 200 columns", async () => {
    const table = (width: number) =>
      `${Array.from({ length: width }, (_, place) => `c${place}`)}\n${"1,".repeat(width - 1)}x\n${"2,".repeat(width - 1)}y\n`;
    const narrow = await columns(table(200), "200 columns");
    expect(narrow.sent[199].examples).toEqual(["x", "y"]);
    const wide = await columns(table(201), "201 columns");
    expect(wide.sent).toEqual(wide.kept);
    expect(wide.sent).toHaveLength(201);
  });
});

test("a number that is none of its file's kind is refused, and none is guessed", async () => {
  const { json } = await service.upload(write({ delimiter: ";", decimal: "," }), { name: "commas" });
  const run = await service.train(json.id);
  const answer = await service.call(
    "POST",
    `/artifacts/${run.json.artifactId}/predictions`,
    "price;kg\n1,5;2,5\n1.50;2,5\n",
    {
      "content-type": "text/csv",
    },
  );
  expect(answer.json).toMatchObject({ code: "PREDICTION_INPUT_INVALID", errors: [{ path: "rows.1.price" }] });
  expect(answer.json.errors[0].message).toContain("decimal comma");
});

test("another target of a table with semicolons can be learnt, and its classes are counted as they were read", async () => {
  const { json } = await service.upload(write({ delimiter: ";", decimal: "," }), { name: "other target" });
  const run = await service.train(json.id, { target: "price" });
  expect(run.json).toMatchObject({ status: "succeeded", task: "regression" });
});

test("a delimiter at the end of rows alone is none, in an upload and in a prediction", async () => {
  const content = write({}).replaceAll(/(?<=cheap|dear)\n/g, ",\n");
  const { json } = await service.upload(content, { name: "closed rows" });
  const run = await service.train(json.id);
  const answer = await service.call("POST", `/artifacts/${run.json.artifactId}/predictions`, content, {
    "content-type": "text/csv",
  });
  expect(answer.json.predictions).toHaveLength(60);
});

describe("a table is the same in whatever file it comes", () => {
  let plain: ReturnType<typeof facts>;
  beforeAll(async () => {
    plain = facts(await lifeOf(write({}), "plain file"));
  });
  const csv = write({});
  const records = rows.map(({ price, kg, label }) => ({
    price: price === "" ? null : Number(price),
    kg: Number(kg),
    label,
  }));
  const mixed = csv.replace("\n", "\r\n").replace(/(?<=3\.25,.*)\n/, "\r");

  test.each<[string, string | Buffer, object]>([
    [
      "UTF-16 as Excel's Unicode text",
      Buffer.from(`\uFEFF${write({ delimiter: "\t" })}`, "utf16le"),
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
    const life = await lifeOf(content, name, /JSON/.test(name) ? csv : content);
    const codes = life.uploaded.json.warnings.map(({ code }: { code: string }) => code);
    expect(codes.includes("LINES_MENDED")).toBe(life.uploaded.json.understood.linesMended);
    expect(codes.includes("LINES_LEFT_OUT")).toBe(life.uploaded.json.understood.skippedLines > 0);
    expect(life.uploaded.json.understood).toMatchObject({ decoded: null, ...understood });
    expect(life.uploaded.json.understood).toMatchObject(life.dataset.json.understood);
    expect(facts(life)).toEqual(plain);
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
    const life = await lifeOf(content, "workbook", csv);
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
    expect(facts(life)).toEqual(plain);
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
    const life = await lifeOf(content, "parquet", csv);
    expect(life.uploaded.json.understood).toMatchObject({ format: "parquet", delimiter: null });
    expect(facts(life)).toEqual(plain);
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

test("thousands behind points are thousands beside decimal commas, in training and prediction", async () => {
  const lines = Array.from(
    { length: 40 },
    (_, row) => `${1 + (row % 9)}.${100 + row};0,${row + 10};${row % 2 === 0 ? "ja" : "nein"}`,
  );
  const content = `Umsatz;Quote;y\n${lines.join("\n")}\n`;
  const { json } = await service.upload(content, { name: "Umsatz" });
  expect(json.understood).toMatchObject({ decimal: ",", numberForms: [{ column: 1 }] });
  const page = await service.call("GET", `/datasets/${json.id}/rows?limit=1`);
  expect(page.json.rows[0]).toEqual([1100, 0.1, "ja"]);
});

test.each([
  ["Excel's hint", "sep=,\r\n"],
  ["a title", "Title,,\r\n"],
  ["a comment", "# made by us\r\n"],
])("%s that ends otherwise than the rows costs no row", async (name, above) => {
  const life = await lifeOf(above + write({}), `ends otherwise: ${name}`);
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
  const content = `${write({ missing: "NA" }).replace("cheap\n", "cheap\n,,\n")},,\nNA,NA,\n`;
  const life = await lifeOf(content, "empty rows", write({}));
  expect(life.uploaded.json.warnings).toContainEqual({
    code: "LINES_LEFT_OUT",
    message: expect.stringContaining("3 rows"),
  });
  const { json } = await service.call("GET", `/datasets/${life.dataset.json.id}/rows?limit=100`);
  expect([json.total, json.rows.length]).toEqual([60, 60]);
  expect(json.rows.every((cells: unknown[]) => cells.some((cell) => cell !== null))).toBe(true);
  const plain = await lifeOf(write({}), "no empty rows");
  expect(facts(life)).toEqual(facts(plain));
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

test("blanks around a target are none of its name, and an empty target is as good as none", async () => {
  const wished = await service.upload(write({}), { name: "blanks", target: " kg " });
  const empty = await service.upload(write({}), { name: "empty", target: "" });
  expect([wished.json.target, empty.json.target]).toEqual(["kg", "label"]);
});

test.each([
  ["prices.tsv.gz", "prices"],
  ["Prices of May.TXT", "Prices of May"],
  ["prices.2026.tab", "prices.2026"],
  ["prices", "prices"],
])("a file named %s is read whatever its name ends in", async (fileName, name) => {
  const content = Buffer.from(write({ delimiter: "\t" }));
  const answer = await service.upload(fileName.endsWith(".gz") ? gzipSync(content) : content, {}, fileName);
  expect(answer.json).toMatchObject({ name, rows: 60, columns: 3 });
});
