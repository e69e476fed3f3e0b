import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningService, startService } from "../support/service.ts";
import { factsOf, lifeOf, type Manner, writeThings } from "../support/things-table.ts";

let service: RunningService;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

describe("a table is the same, however it is written", () => {
  let plain: ReturnType<typeof factsOf>;
  beforeAll(async () => {
    plain = factsOf(await lifeOf(service, writeThings({}), "plain"));
    expect(plain.columns.map(({ type }: { type: string }) => type)).toEqual(["number", "number", "text"]);
    expect(plain.metrics.accuracy).toBeGreaterThan(0.9);
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
    const life = await lifeOf(service, writeThings(manner), name);
    expect(life.uploaded.json.understood).toMatchObject(understood);
    const { columns, ...how } = life.uploaded.json.understood;
    expect(life.dataset.json.understood).toMatchObject(how);
    // Examples are of the upload alone.
    expect(columns).toMatchObject(life.dataset.json.understood.columns);
    expect(factsOf(life)).toEqual(plain);
  });
});

describe("a table of thousands is the same, however they are written", () => {
  const thousand = (numeral: string) => (Number(numeral) * 1000 - 20_000.5).toFixed(2);
  const grouped = (between: string, decimal: string) => (numeral: string) => {
    const [whole = "", fraction] = thousand(numeral).split(".");
    return `"${whole.replace(/(?<=\d)(?=(\d{3})+$)/g, between)}${decimal}${fraction}"`;
  };
  let plain: ReturnType<typeof factsOf>;
  beforeAll(async () => {
    plain = factsOf(await lifeOf(service, writeThings({ number: thousand }), "plain thousands"));
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
    const life = await lifeOf(service, writeThings(manner), name);
    expect(life.uploaded.json.understood.numberForms).toEqual([1, 2].map((column) => ({ column, form })));
    expect(factsOf(life)).toEqual(plain);
  });
});

test("a number that is none of its column's form is refused, and so is one that may be two", async () => {
  const { json } = await service.upload(writeThings({ number: (numeral) => `$${numeral}` }), { name: "dollars" });
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

  test("with its type and role, those that are left out in their places, how much is missing, and examples", async () => {
    const long = "é".repeat(60);
    const content = `;price;;label;kg\n1;NA;;x;${long}\n2;1,5;;x;2\n3;1,5;;y;NA\n4;2;;y;3\n`;
    const { sent, kept, id } = await columns(content, "columns", { target: "label" });
    const expected = [
      { name: "", type: null, role: "left out" },
      { name: "price", type: "number", role: "feature", missing: 1, examples: ["1,5", "2"] },
      { name: "", type: null, role: "left out" },
      { name: "label", type: "text", role: "target", missing: 0, examples: ["x", "y"] },
      { name: "kg", type: "text", role: "feature", missing: 1, examples: [long.slice(0, 40), "2", "3"] },
    ];
    expect(sent).toEqual(expected);
    expect(kept).toEqual(expected);
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
  const { json } = await service.upload(writeThings({ delimiter: ";", decimal: "," }), { name: "commas" });
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
  const { json } = await service.upload(writeThings({ delimiter: ";", decimal: "," }), { name: "other target" });
  const run = await service.train(json.id, { target: "price" });
  expect(run.json).toMatchObject({ status: "succeeded", task: "regression" });
});

test("a delimiter at the end of rows alone is none, in an upload and in a prediction", async () => {
  const content = writeThings({}).replaceAll(/(?<=cheap|dear)\n/g, ",\n");
  const { json } = await service.upload(content, { name: "closed rows" });
  const run = await service.train(json.id);
  const answer = await service.call("POST", `/artifacts/${run.json.artifactId}/predictions`, content, {
    "content-type": "text/csv",
  });
  expect(answer.json.predictions).toHaveLength(60);
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

test("blanks around a target are none of its name, and an empty target is as good as none", async () => {
  const wished = await service.upload(writeThings({}), { name: "blanks", target: " kg " });
  const empty = await service.upload(writeThings({}), { name: "empty", target: "" });
  expect([wished.json.target, empty.json.target]).toEqual(["kg", "label"]);
});
