import fc from "fast-check";

/** A table and how it was written down. */
export interface WrittenTable {
  readonly names: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly how: Manner;
  readonly text: string;
}

/** How a writer of CSV may choose, within RFC 4180. */
interface Manner {
  readonly lineEnd: "\n" | "\r\n";
  /** Quotes also around cells that don't need them. */
  readonly quotesAll: boolean;
  readonly byteOrderMark: boolean;
  readonly endsLastLine: boolean;
}

/** Any of the correct ways. */
export const manner: fc.Arbitrary<Manner> = fc.record({
  lineEnd: fc.constantFrom("\n", "\r\n"),
  quotesAll: fc.boolean(),
  byteOrderMark: fc.boolean(),
  endsLastLine: fc.boolean(),
});

function writeCell(cell: string, quotes: boolean): string {
  return quotes || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/**
 * Writes records, of any length each, as RFC 4180 wants them.
 * @returns the text, and of each record the line on which it begins, from 1
 */
export function writeCsv(records: readonly (readonly string[])[], how: Manner): { text: string; lines: number[] } {
  const written = records.map((cells) =>
    // The only cell of its line, if empty, would leave a blank line, which is no record.
    cells.map((cell) => writeCell(cell, how.quotesAll || (cells.length === 1 && cell === ""))).join(","),
  );
  let line = 1;
  const lines = written.map((record) => {
    const begin = line;
    line += record.split(/\r\n|\r|\n/).length;
    return begin;
  });
  const body = written.join(how.lineEnd) + (how.endsLastLine ? how.lineEnd : "");
  return { text: (how.byteOrderMark ? "\uFEFF" : "") + body, lines };
}

// What a cell may hold that a careless reader trips over; NUL bytes are refused before a file is read.
const awkward = fc.constantFrom(
  '"',
  '""',
  ",",
  "\n",
  "\r\n",
  "\r",
  ";",
  "\t",
  "'",
  "\\",
  "#",
  " ",
  "é",
  "😀",
  "\u2028",
);
const text = fc
  .array(fc.oneof(awkward, fc.string({ unit: "binary", maxLength: 4 })), { maxLength: 4 })
  .map((parts) => parts.join("").replaceAll("\0", ""));
// Text that DuckDB takes for a number is none of ours to judge here.
const isOddNumber = (cell: string): boolean => /^\s*[+-]?(nan|inf|infinity)\s*$/i.test(cell) || /\d_\d/.test(cell);

/** Any text that a cell can hold. */
export const textCell: fc.Arbitrary<string> = text.filter((cell) => !isOddNumber(cell));

/** A finite number, in one of the ways in which files write them. */
export const numberCell: fc.Arbitrary<string> = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom("0.50", "+7", ".5", "3.", "1e5", "1E-5", "-0", "007"),
);

/** Column names: distinct, without blanks around them, and not all numbers. */
export function columnNames(count: number): fc.Arbitrary<string[]> {
  return fc
    .uniqueArray(
      text.map((name) => name.trim()).filter((name) => name !== ""),
      { minLength: count, maxLength: count },
    )
    .filter((names) => !names.every((name) => Number.isFinite(Number(name))));
}

/** A correct CSV of columns that hold numbers, texts, a mixture or nothing; every one with gaps. */
export const writtenTable: fc.Arbitrary<WrittenTable> = fc
  .record({ columns: fc.integer({ min: 2, max: 5 }), rows: fc.integer({ min: 2, max: 8 }), how: manner })
  .chain(({ columns, rows, how }) => {
    const gap = fc.constant("");
    const column = fc
      .constantFrom(numberCell, fc.oneof(numberCell, gap), textCell, fc.oneof(numberCell, textCell), gap)
      .chain((cell) => fc.array(cell, { minLength: rows, maxLength: rows }));
    return fc
      .tuple(columnNames(columns), fc.array(column, { minLength: columns, maxLength: columns }))
      .map(([names, cells]) => {
        const table = Array.from({ length: rows }, (_, row) => cells.map((ofColumn) => ofColumn[row]!));
        return { names, rows: table, how, text: writeCsv([names, ...table], how).text };
      });
  });

/** A table of that many MiB: more than one part of an upload. */
export function largeCsv(mebibytes: number): Buffer {
  const line = `${"1.5,".repeat(9)}2\n`;
  const header = `${Array.from({ length: 10 }, (_, index) => `c${index}`).join(",")}\n`;
  const rows = line.repeat(Math.ceil((mebibytes * 1024 * 1024) / line.length));
  return Buffer.from(`${header}${rows}${"0.5,".repeat(9)}1\n`);
}
