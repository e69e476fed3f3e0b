import { afterAll, beforeAll, expect, test } from "vitest";
import { codeTexts } from "../../../src/models/text-codes.ts";
import { textAt } from "../../../src/models/training-table.ts";
import { missingNumbers, missingWords } from "../../../src/tables/missing.ts";
import { loadTable } from "../../../src/training/load-table.ts";
import { type CsvChecks, lenient, openCsvChecks } from "../../support/csv-checks.ts";

let checks: CsvChecks;
beforeAll(async () => {
  checks = await openCsvChecks();
});
afterAll(() => checks.close());

test.each([...missingWords, ...missingNumbers].filter((word) => word !== ""))(
  "%j among numbers is a missing one",
  async (word) => {
    const late = `a,b\n${"1,x\n".repeat(100)}${word},y\n`;
    for (const content of [`a,b\n1,x\n"${word}",y\n`, late])
      expect((await checks.check(content)).columns[0]).toMatchObject({ name: "a", type: "number" });
  },
);

test.each(missingNumbers)("%j is a class, and a category, where there are no numbers", async (word) => {
  const { columns, dialect } = await checks.check(`a,label\n${word},yes\nb,${word}\n`);
  const table = await loadTable(checks.path, columns, { dialect });
  expect(table.columns.map((column) => column.kind === "text" && [0, 1].map((row) => textAt(column, row)))).toEqual([
    [word, "b"],
    ["yes", word],
  ]);
});

test("what is found does not depend on where the words stand", async () => {
  const some = "1,x,p\n".repeat(60);
  for (const word of ["NA", "?", ""]) {
    const words = `2,${word},q\n${word},y,q\n`.repeat(100);
    const orders: object[] = [];
    for (const rows of [some + words, words + some]) {
      const { columns, ...checked } = await checks.check(`a,b,label\n${rows}`);
      orders.push({ ...checked, columns: columns.map(({ examples: _, ...column }) => column) });
    }
    expect(orders[0]).toEqual(orders[1]);
    const strict = { ...lenient, maxEmptyRatio: 0.2 };
    const outcomes: string[] = [];
    for (const rows of [some + words, words + some])
      outcomes.push(
        await checks.check(`a,b,label\n${rows}`, strict).then(
          () => "taken",
          ({ code }) => String(code),
        ),
      );
    expect(outcomes[0]).toBe(outcomes[1]);
  }
});

test("a word far below is one, and the rows above it and below it are all there", async () => {
  for (const word of ["NA", "?", "1_000"]) {
    const rows = Array.from({ length: 10_000 }, (_, row) => `${row === 9_000 ? word : row % 97},${row % 2}`);
    const { columns, dialect, rowCount } = await checks.check(`a,label\n${rows.join("\n")}\n`);
    const table = await loadTable(checks.path, columns, { dialect, rowCount });
    expect([word, rowCount, columns[0]!.type, table.rowCount]).toEqual([word, 10_000, "number", 10_000]);
    const [a] = table.columns;
    const numbers = a!.kind === "number" ? a!.numbers : new Float64Array();
    const late = word === "1_000" ? 1_000 : Number.NaN;
    expect([numbers[8_999], numbers[9_000], numbers[9_001]]).toEqual([8_999 % 97, late, 9_001 % 97]);
  }
});

test("rows that don't come are a fault, and no smaller table", async () => {
  const rows = Array.from({ length: 10_000 }, (_, row) => (row === 9_000 ? "x,1" : `${row},${row % 2}`));
  await checks.check(`a,label\n${rows.join("\n")}\n`);
  const columns = ["a", "label"].map((name) => ({ name, type: "number" as const }));
  await expect(loadTable(checks.path, columns, { rowCount: 10_000 })).rejects.toThrow();
});

test("numbers with words among them are learnt from, wherever they stand", async () => {
  for (const word of ["NA", "?"]) {
    const { columns, dialect } = await checks.check(`a,label\n1.5,x\n${word},y\n`);
    const table = await loadTable(checks.path, columns, { dialect });
    expect(table.columns[0]).toEqual({ name: "a", kind: "number", numbers: Float64Array.of(1.5, Number.NaN) });
  }
});

test("a class is none of these words, wherever it stands", async () => {
  for (const rows of [1, 100]) {
    const fault = await checks.refusal(`a,label\n${"1,x\n".repeat(rows)}2,NA\n`);
    expect(fault.code).toBe("TARGET_SINGLE_CLASS");
  }
});

test.each(["1,5", "0x10", "1 00", "true", "1e", "12 kg", "2026-01-01", " ", "none of these"])(
  "%j among numbers makes a column text",
  async (cell) => {
    const { columns } = await checks.check(`a,b\n1,x\n"${cell}",y\n`);
    expect(columns[0]).toMatchObject({ name: "a", type: "text", missing: 0 });
  },
);

test.each<[string, string[], number[]]>([
  ["thousands", ['"1,234.50"', "950.25"], [1234.5, 950.25]],
  ["decimal commas in quotes", ['"1.234,50"', '"0,25"'], [1234.5, 0.25]],
  ["dollars", ["$12.30", "($5)"], [12.3, -5]],
  ["per cent and a missing one", ["12 %", "NA"], [12, Number.NaN]],
  ["Swiss francs and a typographic minus", ["CHF 1’234.50", "−CHF 3"], [1234.5, -3]],
  ["narrow blanks", ["1\u202F234.5", "12"], [1234.5, 12]],
])("numbers with %s are learnt from, where all of a column's are written so", async (_what, cells, numbers) => {
  const rows = cells.map((cell, row) => `${cell},${row},${row % 2}\n`).join("");
  for (const mark of ["", "\uFEFF"]) {
    const { columns, dialect, rowCount } = await checks.check(`${mark}"a",b,label\n${rows.repeat(40)}`);
    expect(columns.map(({ type }) => type)).toEqual(["number", "number", "number"]);
    const table = await loadTable(checks.path, columns, { dialect, rowCount });
    expect(table.columns.slice(0, 2).map((column) => column.kind === "number" && [...column.numbers])).toEqual([
      Array(40).fill(numbers).flat(),
      Array(40).fill([0, 1]).flat(),
    ]);
  }
});

test.each(["€5.00", "5", "$5,00", "$05", "x", " "])(
  "and %j far below is missing in such a column, and where it stands often the column is text, whose cells are as they were",
  async (cell) => {
    const rows = "$1.50,x\n$2,y\n".repeat(100);
    const rare = await checks.check(`a,label\n${rows}"${cell}",x\n`);
    expect(rare).toMatchObject({ columns: [{ type: "number" }, {}], dialect: { strayColumns: [0] } });
    const numbers = await loadTable(checks.path, rare.columns, { dialect: rare.dialect, rowCount: 201 });
    expect(numbers.columns[0]).toMatchObject({
      numbers: Float64Array.from([...Array(100).fill([1.5, 2]).flat(), Number.NaN]),
    });
    const { columns, dialect } = await checks.check(`a,label\n${rows}${`"${cell}",x\n`.repeat(20)}`);
    expect([columns[0]!.type, dialect.numberForms]).toEqual(["text", undefined]);
    const table = await loadTable(checks.path, columns, { dialect, rowCount: 220 });
    expect(table.columns[0]).toMatchObject({ kind: "text", values: expect.arrayContaining(["$1.50", cell]) });
  },
);

test("a target of a currency is a quantity", async () => {
  const rows = Array.from({ length: 40 }, (_, row) => `${row},$${row}.30\n`);
  expect(await checks.check(`a,price\n${rows.join("")}`)).toMatchObject({ task: "regression", target: "price" });
});

test.each([
  ["02134", "12134"],
  ["007", "100"],
  ["00", "10"],
  ["-01", "-11"],
  ["9007199254740993", "1007199254740993"],
  ["9007199254740993001", "1"],
])("%j makes a column text, and stays as it was", async (cell, other) => {
  const { columns, dialect } = await checks.check(`a,label\n${other},x\n${cell},y\n`);
  expect(columns[0]).toMatchObject({ name: "a", type: "text", missing: 0 });
  const table = await loadTable(checks.path, columns, { dialect });
  expect(table.columns[0]).toMatchObject({ kind: "text", ...codeTexts([other, cell]) });
});

test.each([
  ["02134", "12134"],
  ["007", "100"],
  ["1007199254740993", "100719925474099"],
])("%j does so far below whole numbers of one length, too", async (cell, other) => {
  const { columns } = await checks.check(`a,b,label\n${`${other},1,x\n`.repeat(100)}${cell},2,y\n`);
  expect(columns.map(({ type }) => type)).toEqual(["text", "number", "text"]);
});

test.each(["0", "0.5", "-0.25", "0e5", "100", "999999999999999", "0.1234567890123456789", "NA"])(
  "%j makes no column of numbers text",
  async (cell) => {
    for (const rows of [`123,x\n${cell},y\n`, `${"123,x\n".repeat(100)}${cell},y\n`])
      expect((await checks.check(`a,label\n${rows}`)).columns[0]!.type).toBe("number");
  },
);

test("classes with leading zeros are classes", async () => {
  const rows = Array.from({ length: 60 }, (_, row) => `${row},0${(row % 2) + 1}\n`);
  expect(await checks.check(`a,label\n${rows.join("")}`)).toMatchObject({ task: "classification" });
  expect(
    await checks.check(`a,zip,label\n${"1,12345,x\n2,12346,y\n".repeat(50)}3,01234,x\nNA,12345,y\n`),
  ).toMatchObject({
    columns: [{ type: "number" }, { type: "text" }, {}],
  });
});

test("numbers with a fraction and a zero before them are numbers, codes with one are text", async () => {
  const { columns } = await checks.check("a,b,y\n010.50,02134,x\n-001.5,01000,z\n003.25,00123,x\n");
  expect(columns.map(({ type }) => type)).toEqual(["number", "text", "text"]);
});
