import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningService, startService } from "../support/service.ts";
import { workbookOf } from "../support/xlsx-file.ts";

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

const flowers = Array.from({ length: 60 }, (_, row) => [
  String(5 + (row % 9) / 10),
  String(1 + (row % 7)),
  row % 9 < 5 ? "setosa" : "virginica",
]);
const written = (rows: readonly string[][], delimiter = ",") => rows.map((row) => `${row.join(delimiter)}\n`).join("");

test.each<[string, string | Buffer, Record<string, string>]>([
  ["commas", written(flowers), {}],
  ["a byte order mark", `\uFEFF${written(flowers)}`, {}],
  ["a byte order mark and quotes", `\uFEFF${written(flowers.map(([first, ...more]) => [`"${first}"`, ...more]))}`, {}],
  ["a line for Excel", `sep=;\n${written(flowers, ";")}`, {}],
  ["semicolons and decimal commas", written(flowers, ";").replaceAll(".", ","), {}],
  ["line ends of two kinds", written(flowers).replace("\n", "\r\n"), {}],
  ["UTF-16", Buffer.from(`\uFEFF${written(flowers, "\t")}`, "utf16le"), {}],
])(
  "a table without a header is read from its first line on, and its columns have names: %s",
  async (name, content, said) => {
    const answer = await service.upload(content, { name, header: "false", ...said });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.json).toMatchObject({
      rows: 60,
      target: "column_3",
      task: "classification",
      warningCount: name.startsWith("line") || name.includes("Excel") ? 1 : 0,
    });
    expect(answer.json.understood).toMatchObject({
      header: false,
      columns: [
        { name: "column_1", type: "number" },
        { name: "column_2", type: "number" },
        { name: "column_3", type: "text", role: "target" },
      ],
    });
    const { rows } = (await service.call("GET", `/datasets/${answer.json.id}/rows?limit=2`)).json;
    expect(rows).toEqual([
      [5, 1, "setosa"],
      [5.1, 2, "setosa"],
    ]);
    const run = await service.train(answer.json.id, { mode: "light" });
    expect(run.json).toMatchObject({ status: "succeeded" });
    const predicted = await service.call(
      "POST",
      `/artifacts/${run.json.artifactId}/predictions`,
      "column_1,column_2\n5.0,1\n5.8,1\n",
      { "content-type": "text/csv" },
    );
    expect(predicted.json.predictions.map(({ prediction }: { prediction: string }) => prediction)).toEqual([
      "setosa",
      "virginica",
    ]);
  },
);

test("a sheet without a header is read from its first row on", async () => {
  const cells = flowers.map(
    ([length, width, kind]) => `<row><c><v>${length}</v></c><c><v>${width}</v></c><c t="str"><v>${kind}</v></c></row>`,
  );
  const content = workbookOf({ sheets: [{ name: "Flowers", rows: cells.join("") }] });
  const answer = await service.upload(content, { name: "sheet", header: "false" }, "flowers.xlsx");
  expect(answer.json).toMatchObject({ rows: 60, understood: { format: "xlsx", header: false } });
});

test("a row that is bad is named by its line, though no line is a header", async () => {
  const content = written(flowers.map((row, at) => (at === 7 ? [...row, "more"] : row)));
  const ragged = await service.upload(content, { name: "ragged", header: "false" });
  expect(ragged.json).toMatchObject({ code: "ROW_RAGGED", detail: expect.stringMatching(/^Line 8 /) });
  const stray = await service.upload(written(flowers.map((row, at) => (at === 7 ? ["?!", ...row.slice(1)] : row))), {
    name: "stray",
    header: "false",
  });
  expect(stray.json.warnings).toMatchObject([{ code: "NUMBERS_AND_TEXT", line: 8, cell: "?!" }]);
});

test("a header that looks like a row is one where that is said", async () => {
  const years = [
    ["2019", "2020", "2021"],
    ...Array.from({ length: 40 }, (_, row) => [String(row), String(row % 7), String(row % 3)]),
  ];
  expect((await service.upload(written(years), { name: "years" })).json).toMatchObject({
    code: "HEADER_MISSING",
    detail: expect.stringContaining("`header`"),
  });
  const said = await service.upload(written(years), { name: "years", header: "true" });
  expect(said.json).toMatchObject({ rows: 40, target: "2021", understood: { header: true } });
  expect((await service.train(said.json.id, { mode: "light" })).json).toMatchObject({ status: "succeeded" });
  // Nothing is looked for above it.
  const title = `A title,,\n${written([["a", "b", "c"], ...years.slice(1)])}`;
  expect((await service.upload(title, { name: "title", header: "true" })).json.code).toBe("TOO_FEW_COLUMNS");
});

test("the first line of numbers and text leads to the field, and the same content read otherwise is another dataset", async () => {
  const refused = await service.upload(written(flowers), { name: "kinds" });
  expect(refused.json).toMatchObject({ code: "HEADER_MISSING", detail: expect.stringContaining("`header` false") });
  expect((await service.upload(written(flowers), { name: "kinds", header: "true" })).json).toMatchObject({ rows: 59 });
  expect((await service.upload(written(flowers), { name: "kinds", header: "false" })).json.code).toBe("DATASET_EXISTS");
});

test.each<[string, string, string]>([
  ["maybe", "a.csv", "x,y\n1,2\n"],
  ["false", "a.json", '[{"x":1,"y":2},{"x":2,"y":3}]'],
])("header=%s of %s is refused", async (header, fileName, content) => {
  expect((await service.upload(content, { header }, fileName)).json).toMatchObject({
    code: "FIELD_INVALID",
    detail: expect.stringContaining("`header`"),
  });
});
