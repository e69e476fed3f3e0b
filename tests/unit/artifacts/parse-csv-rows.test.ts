import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvToRecords, parseCsv } from "../../../src/artifacts/parse-csv-rows.ts";
import { DomainError } from "../../../src/errors.ts";
import { manner, textCell, writeCsv, writtenTable } from "../../support/csv-tables.ts";

function faultOf(text: string): DomainError {
  try {
    csvToRecords(text);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error("It was taken.");
}

describe("cells", () => {
  test("come back as they were written, in rows of any length", () => {
    const rows = fc.array(fc.array(textCell, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(rows, manner, (written, how) => {
        expect(parseCsv(writeCsv(written, how).text)).toEqual(written);
      }),
      { numRuns: 500 },
    );
  });

  test("a blank line is no row, a quoted nothing is one", () => {
    expect(parseCsv('a\n\n1\n""\n2\n\n')).toEqual([["a"], ["1"], [""], ["2"]]);
  });

  test.each(["\n", "\r\n", "\r"])("a line may end with %j, as in an upload", (lineEnd) => {
    expect(parseCsv(["a,b", "1,", ",2", ""].join(lineEnd))).toEqual([
      ["a", "b"],
      ["1", ""],
      ["", "2"],
    ]);
  });

  test("a quote within a cell is part of it", () => {
    expect(parseCsv('a\n5" pipe\n')).toEqual([["a"], ['5" pipe']]);
  });
});

describe("records", () => {
  test("have the header's names, whatever those are, and one record a row", () => {
    fc.assert(
      fc.property(writtenTable, ({ names, rows, text }) => {
        const records = csvToRecords(text);
        expect(records).toHaveLength(rows.length);
        for (const [row, record] of records.entries()) {
          expect(Object.keys(record).sort()).toEqual([...names].sort());
          for (const [column, name] of names.entries()) expect(record[name]).toBe(rows[row]![column]);
        }
      }),
    );
  });

  test("names that objects have of their own are names like others", () => {
    const [record] = csvToRecords("__proto__,constructor,toString\n1,2,3\n");
    expect(Object.entries(record ?? {})).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
      ["toString", "3"],
    ]);
  });

  test("names are trimmed, as they are when a dataset is uploaded", () => {
    expect(csvToRecords(' a ,"b "\n1, x\n')).toEqual([{ a: "1", b: " x" }]);
    expect(faultOf('a,"a "\n1,2\n').message).toContain("twice");
  });

  test("any text is read or refused with a code, never more records than lines", () => {
    const csvLike = fc.string({ unit: fc.constantFrom("a", "1", ",", '"', "\n", "\r", " "), maxLength: 40 });
    fc.assert(
      fc.property(fc.oneof(csvLike, fc.string({ unit: "binary" })), (text) => {
        try {
          expect(csvToRecords(text).length).toBeLessThanOrEqual(text.split(/[\r\n]/).length);
        } catch (error) {
          expect(error).toMatchObject({ name: "DomainError", code: "PREDICTION_INPUT_INVALID" });
        }
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["", "empty"],
    ["\n\n", "empty"],
    ["a,a\n1,2\n", "twice"],
    ["a,b\n1,2\n3\n", "Row 2 has 1 cells, the header 2."],
    ["a,b\n1,2,3\n", "Row 1 has 3 cells, the header 2."],
    ['a,b\n1,"2\n', "never closed"],
    ['a,b\n1,2\n3,"4"x\n', "Row 2: text stands after a closing quote."],
  ])("%j is refused and says why", (text, reason) => {
    expect(faultOf(text).message).toContain(reason);
  });
});
