import { writeFile } from "node:fs/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkCsv } from "../../../src/datasets/checks/check-csv.ts";
import { createEnginePool } from "../../../src/datasets/engines/engine-pool.ts";
import { textAt } from "../../../src/models/training-table.ts";
import { openCsvEngine } from "../../../src/tables/csv-engine.ts";
import { plainDialect } from "../../../src/tables/dialect.ts";
import { missingNumbers, missingWords } from "../../../src/tables/missing.ts";
import { loadTable } from "../../../src/training/load-table.ts";
import { type CsvChecks, lenient, openCsvChecks } from "../../support/csv-checks.ts";
import { manner, numberCell, textCell, writeCsv, writtenTable } from "../../support/csv-tables.ts";
import { faultOf } from "../../support/fault-of.ts";

let checks: CsvChecks;
beforeAll(async () => {
  checks = await openCsvChecks();
});
afterAll(() => checks.close());

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
        const checked = await checks.check(text, lenient, names.at(-1));
        expect(checked.rowCount).toBe(rows.length);
        const missing = names.map((_, index) => rows.filter((row) => row[index] === "").length);
        expect(checked.columns.map(({ examples: _, ...column }) => column)).toEqual(
          typesOf(rows).map((type, index) => ({ name: names[index], type, missing: missing[index] })),
        );
      }),
      { numRuns: 200 },
    );
  });

  test("is trained on as it was checked, cell by cell", async () => {
    await fc.assert(
      fc.asyncProperty(learnable, async ({ names, rows, text }) => {
        const { columns } = await checks.check(text, lenient, names.at(-1));
        const table = await loadTable(checks.path, columns);
        expect(table.rowCount).toBe(rows.length);
        for (const [place, column] of table.columns.entries()) {
          const written = rows.map((row) => row[place]!);
          expect(column.name).toBe(names[place]);
          if (column.kind === "number")
            expect([...column.numbers]).toEqual(written.map((cell) => (cell === "" ? Number.NaN : Number(cell))));
          else if (column.kind === "text")
            expect(written.map((_, row) => textAt(column, row))).toEqual(
              written.map((cell) => (cell === "" ? null : cell)),
            );
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
    expect(await checks.check(content)).toEqual({
      dialect: { ...plainDialect, missing: missingWords, missingNumbers, hasWordsInNumbers: false },
      leftOut: [],
      columns: [
        { name: "a", type: "number", missing: 0, examples: expect.any(Array) },
        { name: "b", type: "text", missing: 0, examples: ["x", "y"] },
      ],
      rowCount: 2,
      target: "b",
      task: "classification",
      warnings: { count: 0, first: [] },
    });
  });

  test("a column without any value is text, and empty quotes are no value", async () => {
    expect((await checks.check('a,b,label\n,"",x\n"",1,y\n')).columns.map(({ type }) => type)).toEqual([
      "text",
      "number",
      "text",
    ]);
  });

  test("names that differ by case are two columns", async () => {
    const { columns } = await checks.check("a,A,label\n1,x,p\n2,y,q\n");
    const table = await loadTable(checks.path, columns);
    expect(table.columns.map(({ name, kind }) => [name, kind])).toEqual([
      ["a", "number"],
      ["A", "text"],
      ["label", "text"],
    ]);
  });

  test("a cell may be nearly a mebibyte long", async () => {
    expect((await checks.check(`a,label\n${"x".repeat(1_000_000)},p\n"${"y\n".repeat(500_000)}",q\n`)).rowCount).toBe(
      2,
    );
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
        const fault = await checks.refusal(text);
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
    const fault = await checks.refusal(content);
    expect([fault.code, fault.message]).toEqual(["ROW_RAGGED", expect.stringContaining(message)]);
  });

  test.each([
    ["a row above a mebibyte", `a,b\n1,2\n${"x".repeat(1_100_000)},2\n`, /^Line 3 .*1 MiB/],
    ["line ends of two kinds", "a,b\r\n1,2\n3,4\r\n", /line ends/],
  ])("%s is no CSV for us", async (_what, content, message) => {
    const fault = await checks.refusal(content);
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
    expect((await checks.refusal(content)).code).toBe(code);
  });

  test("an unknown target is named, beside those that there are", async () => {
    const fault = await checks.refusal("a,b\n1,2\n3,4\n", lenient, "c");
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
    const rows = [...Array(60).fill(good).flat(), ...Array(12).fill(late)];
    const checked = await checks.check(`${[header, ...rows].join("\n")}\n`);
    expect(checked).toMatchObject({ rowCount: 192, target: `c${columns - 1}`, task: "classification" });
    const text = checked.columns.flatMap(({ type }, column) => (type === "text" ? [column] : []));
    const expected = Array.from({ length: columns }, (_, column) => column).filter(
      (column) => column % 3 === 0 || column === 1_000 || column === columns - 2,
    );
    expect(text).toEqual(expected);
  });

  test("with a row that is too long or too short names its line", async () => {
    for (const bad of [`${good[0]},1`, good[0]!.slice(0, good[0]!.lastIndexOf(","))]) {
      const fault = await checks.refusal(`${[header, ...good, bad, ...good].join("\n")}\n`);
      expect(fault).toMatchObject({
        code: "ROW_RAGGED",
        message: expect.stringMatching(/^Line 5 has 1(699|701) cells/),
      });
    }
  });

  test("that does not fit into the engine's memory is the file's fault, with figures, and the next file is checked", async () => {
    const tight = createEnginePool(() => openCsvEngine([checks.folder], 12), { size: 1, maxWaiting: 0 });
    try {
      await writeFile(checks.path, `${[header, ...Array(500).fill(good).flat()].join("\n")}\n`);
      const fault = await faultOf(() =>
        tight.use({ owner: "anna" }, (reader) => checkCsv(reader, checks.path, {}, lenient)),
      );
      expect(fault).toMatchObject({ code: "DATASET_TOO_WIDE", message: expect.stringContaining("1700 columns") });
      expect(fault.message).toMatch(/checked in 11\.4 MiB that there is/);
      await writeFile(checks.path, "a,label\n1,x\n2,y\n");
      const checked = await tight.use({ owner: "ben" }, (reader) => checkCsv(reader, checks.path, {}, lenient));
      expect(checked.rowCount).toBe(2);
    } finally {
      await tight.stop();
    }
  });
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
        expect((await checks.check(text, { minDataRows: 1, maxEmptyRatio: ratio }, "c0")).rowCount).toBe(rows);
        if (empty === 0) return;
        const fault = await checks.refusal(
          text,
          { minDataRows: 1, maxEmptyRatio: (empty - 1) / (columns * rows) },
          "c0",
        );
        expect(fault.code).toBe("TOO_MANY_EMPTY_CELLS");
      }),
    );
  });

  test("count the rows below the header", async () => {
    expect((await checks.check("a,b\n1,2\n3,4\n", { ...lenient, minDataRows: 2 })).rowCount).toBe(2);
    expect((await checks.refusal("a,b\n1,2\n3,4\n", { ...lenient, minDataRows: 3 })).code).toBe("TOO_FEW_ROWS");
  });
});
