import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CheckedCsv, type CsvLimits, checkCsv } from "../../../src/datasets/check-csv.ts";
import { createEnginePool } from "../../../src/datasets/engine-pool.ts";
import type { DomainError } from "../../../src/errors.ts";
import { type CsvEngine, openCsvEngine } from "../../../src/tables/csv-engine.ts";
import { plainDialect } from "../../../src/tables/dialect.ts";
import { missingNumbers, missingWords } from "../../../src/tables/missing.ts";
import { loadTable } from "../../../src/training/load-table.ts";
import { manner, numberCell, textCell, writeCsv, writtenTable } from "../../support/csv-tables.ts";
import { faultOf } from "../../support/fault-of.ts";

let folder: string;
let engine: CsvEngine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "check-csv-"));
  engine = await openCsvEngine([folder]);
});
afterAll(async () => {
  await engine?.close();
  await rm(folder, { recursive: true, force: true });
});

const lenient: CsvLimits = { minDataRows: 1, maxEmptyRatio: 1 };
const filePath = () => join(folder, "file.csv");

async function check(content: string, limits = lenient, target?: string): Promise<CheckedCsv> {
  await writeFile(filePath(), content);
  return checkCsv(engine, filePath(), { target }, limits);
}

const refusal = (content: string, limits = lenient, target?: string): Promise<DomainError> =>
  faultOf(() => check(content, limits, target));

const isNumber = (cell: string): boolean =>
  /^\s*[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i.test(cell) && !/^[+-]?\d{16,}$/.test(cell.trim());

/** What columns of these cells are: numbers when every filled cell is one, and there is any. */
function typesOf(rows: readonly (readonly string[])[]): string[] {
  return rows[0]!.map((_, column) => {
    const filled = rows.map((row) => row[column]!).filter((cell) => cell !== "");
    return filled.length > 0 && filled.every(isNumber) ? "number" : "text";
  });
}

/** With a last column that can be learnt, whatever the others hold. */
const learnable = writtenTable.map(({ names, rows, how }) => {
  const withTarget = rows.map((row, index) => [...row, index % 2 === 0 ? "p" : "q"]);
  const name = `${names.join("").length} the target`;
  return { names: [...names, name], rows: withTarget, ...writeCsv([[...names, name], ...withTarget], how) };
});

describe("a correct CSV", () => {
  test("has the rows and columns that were written; columns of numbers are those whose cells all are", async () => {
    await fc.assert(
      fc.asyncProperty(learnable, async ({ names, rows, text }) => {
        const checked = await check(text, lenient, names.at(-1));
        expect(checked.rowCount).toBe(rows.length);
        expect(checked.columns).toEqual(typesOf(rows).map((type, index) => ({ name: names[index], type })));
      }),
      { numRuns: 200 },
    );
  });

  test("is trained on as it was checked, cell by cell", async () => {
    await fc.assert(
      fc.asyncProperty(learnable, async ({ names, rows, text }) => {
        const { columns } = await check(text, lenient, names.at(-1));
        const table = await loadTable(filePath(), columns);
        expect(table.rowCount).toBe(rows.length);
        for (const [place, column] of table.columns.entries()) {
          const written = rows.map((row) => row[place]!);
          expect(column.name).toBe(names[place]);
          if (column.kind === "number")
            expect([...column.numbers]).toEqual(written.map((cell) => (cell === "" ? Number.NaN : Number(cell))));
          else expect(column.texts).toEqual(written.map((cell) => (cell === "" ? null : cell)));
        }
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ["LF", "a,b\n1,x\n2,y\n"],
    ["CRLF", "a,b\r\n1,x\r\n2,y\r\n"],
    ["CR", "a,b\r1,x\r2,y\r"],
    ["no end of the last line", "a,b\n1,x\n2,y"],
    ["blank lines", "a,b\n1,x\n\n2,y\n\n\n"],
    ["a byte order mark", "\uFEFFa,b\n1,x\n2,y\n"],
    ["a byte order mark before a quote", '\uFEFF"a","b"\n1,x\n2,y\n'],
    ["quotes around all", '"a","b"\r\n"1","x"\r\n"2","y"\r\n'],
    ["blanks around numbers", "a,b\n 1 ,x\n\t2,y\n"],
  ])("may be written with %s", async (_what, content) => {
    const { examples: _, ...checked } = await check(content);
    expect(checked).toEqual({
      dialect: { ...plainDialect, missing: missingWords, missingNumbers, hasWordsInNumbers: false },
      columns: [
        { name: "a", type: "number" },
        { name: "b", type: "text" },
      ],
      rowCount: 2,
      target: "b",
      task: "classification",
      warnings: { count: 0, first: [] },
    });
  });

  test.each([...missingWords, ...missingNumbers].filter((word) => word !== ""))(
    "%j among numbers is a missing one",
    async (word) => {
      const late = `a,b\n${"1,x\n".repeat(100)}${word},y\n`;
      for (const content of [`a,b\n1,x\n"${word}",y\n`, late])
        expect((await check(content)).columns[0]).toEqual({ name: "a", type: "number" });
    },
  );

  test.each(missingNumbers)("%j is a class, and a category, where there are no numbers", async (word) => {
    const { columns, dialect } = await check(`a,label\n${word},yes\nb,${word}\n`);
    const table = await loadTable(filePath(), columns, { dialect });
    expect(table.columns.map((column) => column.kind === "text" && column.texts)).toEqual([
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
        const { examples: _, ...checked } = await check(`a,b,label\n${rows}`);
        orders.push(checked);
      }
      expect(orders[0]).toEqual(orders[1]);
      const strict = { ...lenient, maxEmptyRatio: 0.2 };
      const outcomes: string[] = [];
      for (const rows of [some + words, words + some])
        outcomes.push(
          await check(`a,b,label\n${rows}`, strict).then(
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
      const { columns, dialect, rowCount } = await check(`a,label\n${rows.join("\n")}\n`);
      const table = await loadTable(filePath(), columns, { dialect, rowCount });
      expect([word, rowCount, columns[0]!.type, table.rowCount]).toEqual([word, 10_000, "number", 10_000]);
      const [a] = table.columns;
      const numbers = a!.kind === "number" ? a!.numbers : new Float64Array();
      const late = word === "1_000" ? 1_000 : Number.NaN;
      expect([numbers[8_999], numbers[9_000], numbers[9_001]]).toEqual([8_999 % 97, late, 9_001 % 97]);
    }
  });

  test("rows that don't come are a fault, and no smaller table", async () => {
    const rows = Array.from({ length: 10_000 }, (_, row) => (row === 9_000 ? "x,1" : `${row},${row % 2}`));
    await check(`a,label\n${rows.join("\n")}\n`);
    const columns = ["a", "label"].map((name) => ({ name, type: "number" as const }));
    await expect(loadTable(filePath(), columns, { rowCount: 10_000 })).rejects.toThrow();
  });

  test("numbers with words among them are learnt from, wherever they stand", async () => {
    for (const word of ["NA", "?"]) {
      const { columns, dialect } = await check(`a,label\n1.5,x\n${word},y\n`);
      const table = await loadTable(filePath(), columns, { dialect });
      expect(table.columns[0]).toEqual({ name: "a", kind: "number", numbers: Float64Array.of(1.5, Number.NaN) });
    }
  });

  test("a class is none of these words, wherever it stands", async () => {
    for (const rows of [1, 100]) {
      const fault = await refusal(`a,label\n${"1,x\n".repeat(rows)}2,NA\n`);
      expect(fault.code).toBe("TARGET_SINGLE_CLASS");
    }
  });

  test.each(["1,5", "0x10", "1 00", "true", "1e", "12 kg", "2026-01-01", " ", "none of these"])(
    "%j among numbers makes a column text",
    async (cell) => {
      const { columns } = await check(`a,b\n1,x\n"${cell}",y\n`);
      expect(columns[0]).toEqual({ name: "a", type: "text" });
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
      const { columns, dialect, rowCount } = await check(`${mark}"a",b,label\n${rows.repeat(40)}`);
      expect(columns.map(({ type }) => type)).toEqual(["number", "number", "number"]);
      const table = await loadTable(filePath(), columns, { dialect, rowCount });
      expect(table.columns.slice(0, 2).map((column) => column.kind === "number" && [...column.numbers])).toEqual([
        Array(40).fill(numbers).flat(),
        Array(40).fill([0, 1]).flat(),
      ]);
    }
  });

  test.each(["€5.00", "5", "$5,00", "$05", "x", " "])(
    "and %j far below makes such a column text, whose cells are as they were",
    async (cell) => {
      const { columns, dialect } = await check(`a,label\n${"$1.50,x\n$2,y\n".repeat(100)}"${cell}",x\n`);
      expect([columns[0], dialect.numberForms]).toEqual([{ name: "a", type: "text" }, undefined]);
      const table = await loadTable(filePath(), columns, { dialect, rowCount: 201 });
      expect(table.columns[0]).toMatchObject({ kind: "text", texts: expect.arrayContaining(["$1.50", cell]) });
    },
  );

  test("a target of a currency is a quantity", async () => {
    const rows = Array.from({ length: 40 }, (_, row) => `${row},$${row}.30\n`);
    expect(await check(`a,price\n${rows.join("")}`)).toMatchObject({ task: "regression", target: "price" });
  });

  test.each([
    ["02134", "12134"],
    ["007", "100"],
    ["00", "10"],
    ["-01", "-11"],
    ["9007199254740993", "1007199254740993"],
    ["9007199254740993001", "1"],
  ])("%j makes a column text, and stays as it was", async (cell, other) => {
    const { columns, dialect } = await check(`a,label\n${other},x\n${cell},y\n`);
    expect(columns[0]).toEqual({ name: "a", type: "text" });
    const table = await loadTable(filePath(), columns, { dialect });
    expect(table.columns[0]).toMatchObject({ kind: "text", texts: [other, cell] });
  });

  test.each([
    ["02134", "12134"],
    ["007", "100"],
    ["1007199254740993", "100719925474099"],
  ])("%j does so far below whole numbers of one length, too", async (cell, other) => {
    const { columns } = await check(`a,b,label\n${`${other},1,x\n`.repeat(100)}${cell},2,y\n`);
    expect(columns.map(({ type }) => type)).toEqual(["text", "number", "text"]);
  });

  test.each(["0", "0.5", "-0.25", "0e5", "100", "999999999999999", "0.1234567890123456789", "NA"])(
    "%j makes no column of numbers text",
    async (cell) => {
      for (const rows of [`123,x\n${cell},y\n`, `${"123,x\n".repeat(100)}${cell},y\n`])
        expect((await check(`a,label\n${rows}`)).columns[0]!.type).toBe("number");
    },
  );

  test("classes with leading zeros are classes", async () => {
    const rows = Array.from({ length: 60 }, (_, row) => `${row},0${(row % 2) + 1}\n`);
    expect(await check(`a,label\n${rows.join("")}`)).toMatchObject({ task: "classification" });
    expect(await check(`a,zip,label\n${"1,12345,x\n2,12346,y\n".repeat(50)}3,01234,x\nNA,12345,y\n`)).toMatchObject({
      columns: [{ type: "number" }, { type: "text" }, {}],
    });
  });

  test("a column without any value is text, and empty quotes are no value", async () => {
    expect((await check('a,b,label\n,"",x\n"",1,y\n')).columns.map(({ type }) => type)).toEqual([
      "text",
      "number",
      "text",
    ]);
  });

  test("names that differ by case are two columns", async () => {
    const { columns } = await check("a,A,label\n1,x,p\n2,y,q\n");
    const table = await loadTable(filePath(), columns);
    expect(table.columns.map(({ name, kind }) => [name, kind])).toEqual([
      ["a", "number"],
      ["A", "text"],
      ["label", "text"],
    ]);
  });

  test("a cell may be nearly a mebibyte long", async () => {
    expect((await check(`a,label\n${"x".repeat(1_000_000)},p\n"${"y\n".repeat(500_000)}",q\n`)).rowCount).toBe(2);
  });
});

describe("a first line that names nothing", () => {
  test.each([
    ["numbers and a class", "5.1,3.5,setosa\n4.9,3.0,setosa\n6.2,2.9,virginica\n"],
    ["decimal commas", "5,1;setosa\n4,9;setosa\n6,2;virginica\n"],
    ["dollars", "$5,setosa\n$4,setosa\n$6,virginica\n"],
  ])("is told from a header: %s", async (_what, content) => {
    const fault = await refusal(content);
    expect([fault.code, fault.message]).toEqual(["HEADER_MISSING", expect.stringContaining("looks like the rows")]);
  });

  test.each([
    ["years as names", "2024,2025,label\n1,2,x\n3,4,y\n"],
    ["a name that is a value, too", "a,x\n1,x\n2,y\n"],
    ["texts alone", "yes,no\nyes,no\nno,yes\n"],
  ])("and a header may be of any names: %s", async (_what, content) => {
    expect((await check(content)).rowCount).toBe(2);
  });
});

describe("columns without a name", () => {
  test.each([
    ["an index before the others", ",a,label\n0,1,x\n1,2,y\n"],
    ["names of rows", '"","a","label"\n"Anna",1,x\n"Ben",2,y\n'],
    ["a delimiter at the end of each line", "a,label,\n1,x,\n2,y,\n"],
    ["an empty one between others", "a,,label\n1,,x\n2,,y\n"],
    ["all of that, with a mark before a quote", '\uFEFF"","a","","label",""\n0,1,,x,\n1,2,"",y,\n'],
  ])("are left out: %s", async (_what, content) => {
    const { columns, dialect } = await check(content);
    expect(columns).toEqual([
      { name: "a", type: "number" },
      { name: "label", type: "text" },
    ]);
    const table = await loadTable(filePath(), columns, { dialect });
    expect(table.columns).toEqual([
      { name: "a", kind: "number", numbers: Float64Array.of(1, 2) },
      { name: "label", kind: "text", texts: ["x", "y"] },
    ]);
  });

  test("but for one with values that is not the first: it is named by its place", async () => {
    const fault = await refusal(`a,,label\n${"1,,x\n".repeat(100)}2,3,y\n`);
    expect([fault.code, fault.message]).toEqual([
      "COLUMN_NAMES_INVALID",
      expect.stringContaining("Column 2 has no name"),
    ]);
  });
});

describe("a faulty CSV", () => {
  test("with one cell too few or too many names the line on which that row begins", async () => {
    const cell = fc.oneof(numberCell, textCell);
    const table = fc.integer({ min: 2, max: 4 }).chain((columns) =>
      fc.record({
        rows: fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 6 }),
        at: fc.nat(),
        isLonger: fc.boolean(),
        how: manner,
      }),
    );
    await fc.assert(
      fc.asyncProperty(table, async ({ rows, at, isLonger, how }) => {
        const names = rows[0]!.map((_, column) => `name\n${column}`);
        const place = at % rows.length;
        const ragged = rows.map((row, index) =>
          index !== place ? row : isLonger ? [...row, "more"] : ["less", ...row.slice(2)],
        );
        const { text, lines } = writeCsv([names, ...ragged], how);
        const fault = await refusal(text);
        expect(fault.code).toBe("ROW_RAGGED");
        expect(fault.message).toMatch(
          new RegExp(`^Line ${lines[place + 1]} has ${ragged[place]!.length} cells, the header ${names.length}\\.`),
        );
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ["a row far below", `a,b\n${"1,2\n".repeat(200_000)}3\n5,6\n`, "Line 200002 has 1 cells, the header 2."],
    ["a row below blank lines", "a,b\n1,2\n\n\n3\n", "Line 5 has 1 cells"],
    ["a row below blank lines and a cell of two lines", 'a,b\n\n"1\n1",2\n\n3\n', "Line 6 has 1 cells"],
    ["a row below a quote within a cell", 'a,b\n1",2\n3,4\n5\n', "Line 4 has 1 cells"],
    ["a row whose text looks like our engine's own message", "a,b\n1,2\nCSV Error on Line: 7\n", "Line 3 has 1 cells"],
    ["a row that speaks of a quote", "a,b\n1,2\nunterminated quote found\n", "Line 3 has 1 cells"],
    ["a quote that stays open", 'a,b\n1,2\n"x,3\n4,5\n', "Line 3 has a quote"],
    ["a quote that is not doubled", 'a,b\n1,2\n"x"y,3\n', "Line 3 has a quote"],
    ["a quote that stays open below a cell of two lines", 'a,b\n"1\n1",2\n"x,3\n4,5\n', "Line 4 has a quote"],
  ])("%s", async (_what, content, message) => {
    const fault = await refusal(content);
    expect([fault.code, fault.message]).toEqual(["ROW_RAGGED", expect.stringContaining(message)]);
  });

  test.each([
    ["a row above a mebibyte", `a,b\n1,2\n${"x".repeat(1_100_000)},2\n`, /^Line 3 .*1 MiB/],
    ["line ends of two kinds", "a,b\r\n1,2\n3,4\r\n", /line ends/],
  ])("%s is no CSV for us", async (_what, content, message) => {
    const fault = await refusal(content);
    expect([fault.code, fault.message]).toEqual(["NOT_CSV", expect.stringMatching(message)]);
  });

  test.each([
    ["a lone header", "a,b\n", "TOO_FEW_ROWS"],
    ["a lone header without an end", "a,b", "TOO_FEW_ROWS"],
    ["blank lines below the header", "a,b\n\n\n", "TOO_FEW_ROWS"],
    ["colons", "a:b\n1:2\n3:4\n", "TOO_FEW_COLUMNS"],
    ["one class", "a,label\n1,x\n2,x\n", "TARGET_SINGLE_CLASS"],
    ["no class", "a,label\n1,\n2,\n", "TARGET_SINGLE_CLASS"],
  ])("%s", async (_what, content, code) => {
    expect((await refusal(content)).code).toBe(code);
  });

  test("an unknown target is named, beside those that there are", async () => {
    const fault = await refusal("a,b\n1,2\n3,4\n", lenient, "c");
    expect(fault.code).toBe("TARGET_UNKNOWN");
    expect(fault.message).toContain("a, b");
  });
});

describe("a wide CSV", () => {
  const columns = 1_700;
  const header = Array.from({ length: columns }, (_, column) => `c${column}`).join(",");
  const row = (fill: (column: number) => string): string =>
    Array.from({ length: columns }, (_, column) => fill(column)).join(",");
  const good = [0, 1, 2].map((n) => row((column) => (column % 3 === 0 ? `t${n}` : String(n))));

  test("has the types of its columns, wherever they stand", async () => {
    // Far behind what the first rows say of it: a column in the middle, and one at the end.
    const late = row((column) => (column === 1_000 || column === columns - 2 ? "late" : String(7)));
    const checked = await check(`${[header, ...Array(60).fill(good).flat(), late].join("\n")}\n`);
    expect(checked).toMatchObject({ rowCount: 181, target: `c${columns - 1}`, task: "classification" });
    const text = checked.columns.flatMap(({ type }, column) => (type === "text" ? [column] : []));
    const expected = Array.from({ length: columns }, (_, column) => column).filter(
      (column) => column % 3 === 0 || column === 1_000 || column === columns - 2,
    );
    expect(text).toEqual(expected);
  });

  test("with a row that is too long or too short names its line", async () => {
    for (const bad of [`${good[0]},1`, good[0]!.slice(0, good[0]!.lastIndexOf(","))]) {
      const fault = await refusal(`${[header, ...good, bad, ...good].join("\n")}\n`);
      expect(fault).toMatchObject({
        code: "ROW_RAGGED",
        message: expect.stringMatching(/^Line 5 has 1(699|701) cells/),
      });
    }
  });

  test("that does not fit into the engine's memory is the file's fault, with figures, and the next file is checked", async () => {
    const tight = createEnginePool(() => openCsvEngine([folder], 12), { size: 1, maxWaiting: 0 });
    try {
      await writeFile(filePath(), `${[header, ...Array(500).fill(good).flat()].join("\n")}\n`);
      const fault = await faultOf(() =>
        tight.use({ owner: "anna" }, (reader) => checkCsv(reader, filePath(), {}, lenient)),
      );
      expect(fault).toMatchObject({ code: "DATASET_TOO_WIDE", message: expect.stringContaining("1700 columns") });
      expect(fault.message).toMatch(/checked in 11\.4 MiB that there is/);
      await writeFile(filePath(), "a,label\n1,x\n2,y\n");
      const checked = await tight.use({ owner: "ben" }, (reader) => checkCsv(reader, filePath(), {}, lenient));
      expect(checked.rowCount).toBe(2);
    } finally {
      await tight.stop();
    }
  });
});

test("numbers with a fraction and a zero before them are numbers, codes with one are text", async () => {
  const { columns } = await check("a,b,y\n010.50,02134,x\n-001.5,01000,z\n003.25,00123,x\n");
  expect(columns.map(({ type }) => type)).toEqual(["number", "text", "text"]);
});

describe("limits", () => {
  test("are kept to the cell: as many empty ones as allowed pass, one more does not", async () => {
    const share = fc
      .record({ columns: fc.integer({ min: 2, max: 6 }), rows: fc.integer({ min: 2, max: 6 }) })
      .chain(({ columns, rows }) =>
        fc.record({
          columns: fc.constant(columns),
          rows: fc.constant(rows),
          // A row without any value is none.
          empty: fc.nat({ max: (columns - 1) * rows }),
        }),
      );
    await fc.assert(
      fc.asyncProperty(share, async ({ columns, rows, empty }) => {
        // From the end, so that the first column, the target, keeps its classes for as long as there is another.
        const cells = Array.from({ length: columns * rows }, (_, place) =>
          place < columns * rows - empty ? place : "",
        );
        const table = Array.from({ length: rows }, (_, row) =>
          Array.from({ length: columns }, (_, column) => String(cells[column * rows + row])),
        );
        const header = Array.from({ length: columns }, (_, column) => `c${column}`);
        const text = [header, ...table].map((row) => row.join()).join("\n");
        const ratio = empty / (columns * rows);
        expect((await check(text, { minDataRows: 1, maxEmptyRatio: ratio }, "c0")).rowCount).toBe(rows);
        if (empty === 0) return;
        const fault = await refusal(text, { minDataRows: 1, maxEmptyRatio: (empty - 1) / (columns * rows) }, "c0");
        expect(fault.code).toBe("TOO_MANY_EMPTY_CELLS");
      }),
    );
  });

  test("count the rows below the header", async () => {
    expect((await check("a,b\n1,2\n3,4\n", { ...lenient, minDataRows: 2 })).rowCount).toBe(2);
    expect((await refusal("a,b\n1,2\n3,4\n", { ...lenient, minDataRows: 3 })).code).toBe("TOO_FEW_ROWS");
  });
});
