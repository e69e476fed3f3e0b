import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, eventually, type RunningService, startService } from "../support/service.ts";

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
  const lines = rows.map(({ price, kg, label }) => [price === "" ? missing : price.replace(".", decimal), kg, label]);
  const table = [["price", "kg", "label"], ...lines].map((cells, line) =>
    [...(index === undefined ? [] : [line === 0 ? "" : index(line - 1)]), ...cells, ...(isClosed ? [""] : [])].join(
      delimiter,
    ),
  );
  return before + table.map((line) => line + lineEnd).join("");
}

/** What the file of a manner is understood as, the model that is trained on it, and what that says of the file itself. */
async function lifeOf(content: string, name: string) {
  const uploaded = await service.upload(content, { name });
  expect(uploaded.json).toMatchObject({ target: "label", task: "classification", rows: 60, columns: 3 });
  const { id } = uploaded.json;
  const dataset = await eventually(async () => {
    const answer = await service.call("GET", `/datasets/${id}`);
    return answer.json.profile !== null && answer;
  });
  const run = await service.train(id, { mode: "heavy", parameters: { rounds: 20 } });
  expect(run.json).toMatchObject({ status: "succeeded" });
  const predictions = await service.call("POST", `/artifacts/${run.json.artifactId}/predictions`, content, {
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
    "price;kg\n1,5;2,5\n1.500;2,5\n",
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

test("what is no table of text is named by its first bytes", async () => {
  const sent = [
    "<!DOCTYPE html><html>",
    '{"a": 1}\n{"a": 2}\n',
    Buffer.from("PAR1\u0015\u0004"),
    Buffer.from("\uFEFFa,b\n", "utf16le"),
  ];
  const answers = await Promise.all(sent.map((content) => service.upload(content)));
  expect(answers.map(({ json }) => [json.status, json.code])).toEqual(sent.map(() => [415, "NOT_CSV"]));
  expect(answers.map(({ json }) => /This is (?:an? )?(\S+)/.exec(json.detail)?.[1])).toEqual([
    "HTML",
    "JSON.",
    "Parquet",
    "UTF-16",
  ]);
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
