import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningService, startService } from "../support/service.ts";

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

const counted = (reason: string) => service.metric("mlops_backend_dataset_warnings_total", { reason });

/** The warnings of a table, which GET and a second upload say as well, and by how much its codes were counted. */
async function warningsOf(content: string, name: string, more: Record<string, string> = {}) {
  const codes = [
    "COLUMN_LEFT_OUT",
    "LINES_LEFT_OUT",
    "NUMBERS_AND_TEXT",
    "TARGET_ROWS_MISSING",
    "CLASSES_ALIKE",
    "TOO_MANY_CLASSES",
  ];
  const before = await Promise.all(codes.map(counted));
  const sent = await service.upload(content, { name, ...more });
  expect(sent.status, sent.text).toBe(201);
  const { warnings, warningCount } = sent.json;
  expect((await service.call("GET", `/datasets/${sent.json.id}`)).json).toMatchObject({ warnings, warningCount });
  expect((await service.upload(content, { name, ...more })).json).toEqual(sent.json);
  const after = await Promise.all(codes.map(counted));
  const grown = codes.filter((_, at) => after[at] === before[at]! + 1);
  expect(after.reduce((sum, value) => sum + value)).toBe(before.reduce((sum, value) => sum + value) + grown.length);
  expect(grown.sort()).toEqual([...new Set(warnings.map(({ code }: { code: string }) => code))].sort());
  expect(warningCount).toBeGreaterThanOrEqual(warnings.length);
  return warnings as { code: string; message: string }[];
}

/** Sixty rows, or more, of two columns of numbers and a label. */
const table = (cells: (row: number) => string, { header = "a,b,label", rows = 60 } = {}) =>
  `${header}\n${Array.from({ length: rows }, (_, row) => `${cells(row)}\n`).join("")}`;
const good = (row: number) => `${row},${row % 7}.5,${row % 2 === 0 ? "x" : "y"}`;

test("a good table has no warnings", async () => {
  expect(await warningsOf(table(good), "good")).toEqual([]);
  expect(await warningsOf(table(good), "good by numbers", { target: "a" })).toEqual([]);
  expect(await warningsOf(table(good, { rows: 3_000 }), "good and long")).toEqual([]);
});

test("lines and columns that are left out are named", async () => {
  const warnings = await warningsOf(
    `sep=,\n${table((row) => `${row},${good(row)},`, { header: ",a,b,label," })}`,
    "left out",
  );
  expect(warnings).toEqual([
    { code: "LINES_LEFT_OUT", line: 1, message: expect.stringContaining("a line is left out") },
    { code: "COLUMN_LEFT_OUT", column: "", place: 1, message: expect.stringContaining("index") },
    { code: "COLUMN_LEFT_OUT", column: "", place: 5, message: expect.stringContaining("empty") },
  ]);
});

test.each([
  ["among the first rows", 10, 60],
  ["far below", 2_000, 3_000],
])(
  "a column that is nearly all numbers is one of them, and told by its first stray cell, %s",
  async (name, at, rows) => {
    const cells = (row: number) => (row === at || row === at + 1 ? `${row},1${row === at ? "o" : "p"}5,x` : good(row));
    // An empty line, and a cell of two lines, before it.
    const content = table(cells, { rows }).replace("label\n", "label\n\n").replace("\n1,1.5,y\n", '\n1,1.5,"y\ny"\n');
    const [warning, ...others] = await warningsOf(content, name);
    expect(others).toEqual([]);
    expect(warning).toMatchObject({
      code: "NUMBERS_AND_TEXT",
      column: "b",
      place: 2,
      // Rows begin in line 3.
      line: at + 4,
      cell: "1o5",
    });
    expect(warning!.message).toContain(`2 of ${rows} are no numbers`);
    expect(warning!.message).toContain("one of numbers");
    expect(content.split("\n")[at + 3]).toContain("1o5");
  },
);

test("numbers with words for missing ones are no text, nor is text with fewer numbers one of them; many of them are told", async () => {
  expect(
    await warningsOf(
      table((row) => (row === 2_000 ? "-,?,x" : good(row)), { rows: 3_000 }),
      "words",
    ),
  ).toEqual([]);
  const [warning, ...others] = await warningsOf(
    table((row) => `${row % 10 === 9 ? "none" : row},1,${row % 2}`),
    "many",
  );
  expect(others).toEqual([]);
  expect(warning).toMatchObject({ code: "NUMBERS_AND_TEXT", column: "a", line: 11, cell: "none" });
  expect(warning!.message).toContain("6 of 60 are no numbers");
  expect(warning!.message).toContain("text; `types`");
  expect(
    await warningsOf(
      table((row) => `${row % 2 === 0 ? "none" : row % 4 === 1 ? "some" : row},1,${row % 2}`),
      "some",
    ),
  ).toEqual([]);
});

test.each([
  ["a text target with empty cells", (row: number) => (row < 5 ? `${row},1,` : good(row)), {}],
  [
    "a text target with words",
    (row: number) => (row < 5 ? `${row},1,${["NaN", "nan", "", "null", "NULL"][row]}` : good(row)),
    {},
  ],
  [
    "a text target whose first rows are numbers",
    (row: number) => (row < 55 ? `${row},1,${row % 2}` : row < 60 ? `${row},1,NA` : `${row},2,x`),
    {},
  ],
  [
    "a target of numbers",
    (row: number) => (row < 5 ? `${["", "NA", "-", "nan", "inf"][row]},1,x` : good(row)),
    { target: "a" },
  ],
  [
    "a target of numbers with late words",
    (row: number) => (row > 2_990 && row < 2_996 ? `?,1,x` : good(row)),
    { target: "a" },
  ],
])("rows without a value of %s are counted", async (name, cells, more: Record<string, string>) => {
  const warnings = await warningsOf(table(cells, { rows: name.includes("late") ? 3_000 : 70 }), name, more);
  const isMixed = name.includes("whose first rows are numbers");
  expect(warnings.map(({ code }) => code)).toEqual(["TARGET_ROWS_MISSING", ...(isMixed ? ["NUMBERS_AND_TEXT"] : [])]);
  expect(warnings[0]!.message).toMatch(/^5 rows /);
});

test("classes that differ by case or blanks alone are named", async () => {
  const classes = ["Yes", "no", "yes", " yes", "No", "perhaps"];
  const warnings = await warningsOf(
    table((row) => `${row},1,${classes[row % 6]}`),
    "alike",
  );
  expect(warnings.map(({ code }) => code)).toEqual(["CLASSES_ALIKE", "CLASSES_ALIKE"]);
  expect(warnings.map(({ message }) => message).join()).toMatch(/« yes», «Yes», «yes».*«No», «no»/);
});

test("more classes than can be learnt are told before a training refuses them", async () => {
  for (const [classes, name] of [
    [100, "as many as may be"],
    [101, "one too many"],
    [500, "many"],
  ] as const) {
    const content = table((row) => `${row},1,${row === 0 ? "" : `class ${row % classes}`}`, { rows: 1_000 });
    const codes = (await warningsOf(content, name)).map(({ code }) => code);
    expect(codes).toEqual([...(classes > 100 ? ["TOO_MANY_CLASSES"] : []), "TARGET_ROWS_MISSING"]);
  }
});
