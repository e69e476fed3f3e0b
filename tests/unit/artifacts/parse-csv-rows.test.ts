import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvToRows, parseCsv } from "../../../src/artifacts/parse-csv-rows.ts";
import { DomainError } from "../../../src/errors.ts";
import type { ModelFeature } from "../../../src/models/model.ts";
import { missingWords } from "../../../src/tables/missing.ts";
import { csvByCharacter } from "../../support/csv-by-character.ts";
import { manner, textCell, writeCsv, writtenTable } from "../../support/csv-tables.ts";

function faultOf(text: string): DomainError {
  try {
    csvToRows(text);
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
        fc.pre(written.every((cells) => cells.length > 1 || cells[0]!.trim() !== "" || cells[0] === ""));
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

const csvLike = fc.string({ unit: fc.constantFrom("a", "1", ",", '"', "\n", "\r", " ", "\ufeff"), maxLength: 40 });

test("whatever the text, cells and faults are those of a reader that goes by single characters", () => {
  const outcomeOf = (read: typeof parseCsv, text: string, maxRecords: number) => {
    try {
      return read(text, maxRecords);
    } catch (error) {
      return error instanceof DomainError ? [error.code, error.message] : error;
    }
  };
  fc.assert(
    fc.property(
      fc.oneof(csvLike, fc.string({ unit: "binary" })),
      fc.integer({ min: 1, max: 5 }),
      (text, maxRecords) => {
        expect(outcomeOf(parseCsv, text, maxRecords)).toEqual(outcomeOf(csvByCharacter, text, maxRecords));
      },
    ),
    { numRuns: 3_000 },
  );
});

/** A column of text of a model that knows no category of it. */
const text = (column: string): ModelFeature => ({ column, kind: "text", categories: [] });

describe("rows", () => {
  test("have the header's names, whatever those are, and a cell in each column", () => {
    fc.assert(
      fc.property(writtenTable, ({ names, rows, text: csv }) => {
        // Such a name may be two, and their sign what stands between the cells.
        fc.pre(!/[;\t|]/.test(names.join("")));
        const read = csvToRows(csv);
        expect(read.count).toBe(rows.length);
        for (const [column, name] of names.entries())
          expect(read.column(text(name))).toEqual(
            rows.map((cells) => (missingWords.includes(cells[column]!) ? null : cells[column])),
          );
        expect(read.column(text(names.join("?")))).toBeUndefined();
      }),
    );
  });

  test("names that objects have of their own are names like others", () => {
    const rows = csvToRows("__proto__,constructor\n1,2\n");
    expect(["__proto__", "constructor", "toString"].map((name) => rows.column(text(name)))).toEqual([
      ["1"],
      ["2"],
      undefined,
    ]);
  });

  test("names are trimmed, as they are when a dataset is uploaded", () => {
    const rows = csvToRows(' a ,"b "\n1, x\n');
    expect([rows.column(text("a")), rows.column(text("b"))]).toEqual([["1"], [" x"]]);
    expect(faultOf('a,"a "\n1,2\n').message).toContain("twice");
  });

  test("any text is read or refused with a code, never more rows than lines", () => {
    fc.assert(
      fc.property(fc.oneof(csvLike, fc.string({ unit: "binary" })), (text) => {
        try {
          expect(csvToRows(text).count).toBeLessThanOrEqual(text.split(/[\r\n]/).length);
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
    ['a,b\n1,"2\n', "Row 1 has a quote that is not closed"],
    ['a,b\n1,2\n3,"4"x\n', "Row 2 has a quote that is not closed"],
  ])("%j is refused and says why", (text, reason) => {
    expect(faultOf(text).message).toContain(reason);
  });
});
