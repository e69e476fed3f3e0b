import type { Delimiter } from "./dialect.ts";

/** Columns that a table may have. */
export const maxColumns = 2_000;

export type LineEnd = "\n" | "\r\n" | "\r";

/** Cells, and where the next record begins. */
export interface CsvRecord {
  readonly cells: string[];
  readonly lineEnd: LineEnd;
  readonly end: number;
}

const quote = 0x22;
const blank = 0x20;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Where the cell that begins at `from` without a quote ends: at the next delimiter or line end, or the text's end. */
function endOfCell(text: string, from: number, delimiter: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === delimiter || code === lineFeed || code === carriageReturn) return at;
  }
  return text.length;
}

function behindBlanks(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === blank) at += 1;
  return at;
}

/** The cell whose opening quote stands at `from`; `end` is behind its closing one. Undefined where it is never closed. */
function quotedCell(text: string, from: number): { readonly cell: string; readonly end: number } | undefined {
  let cell = "";
  for (let begin = from + 1; ; ) {
    const close = text.indexOf('"', begin);
    if (close < 0) return undefined;
    if (text.charCodeAt(close + 1) !== quote) return { cell: cell + text.slice(begin, close), end: close + 1 };
    cell += text.slice(begin, close + 1);
    begin = close + 2;
  }
}

/**
 * The record that begins at `start`; undefined when it does not end within the text, or its quotes are wrong. Of more
 * cells than may be, the first too many ends it. A blank before a quoted cell and those behind it are none of it, as DuckDB has it. Cells are cut
 * out, not put together from characters: of 256 KiB that held the event loop for 50 ms and more.
 */
export function recordAt(
  text: string,
  start: number,
  how: { readonly delimiter: Delimiter; readonly isWholeFile: boolean },
): CsvRecord | undefined {
  const delimiter = how.delimiter.charCodeAt(0);
  const cells: string[] = [];
  for (let at = start; ; ) {
    // One, as DuckDB has it: behind two a quote is a sign like others.
    const opening = text.charCodeAt(at) === blank ? at + 1 : at;
    let end: number;
    if (text.charCodeAt(opening) === quote) {
      const quoted = quotedCell(text, opening);
      if (quoted === undefined) return undefined;
      cells.push(quoted.cell);
      end = behindBlanks(text, quoted.end);
      // After other text DuckDB would read no row at all, and the file seem to be empty.
      if (endOfCell(text, end, delimiter) !== end) return undefined;
    } else {
      end = endOfCell(text, at, delimiter);
      cells.push(text.slice(at, end));
    }
    if (end === text.length) return how.isWholeFile ? { cells, lineEnd: "\n", end } : undefined;
    at = end + 1;
    if (cells.length > maxColumns) return { cells, lineEnd: "\n", end: at };
    if (text.charCodeAt(end) === delimiter) continue;
    const lineEnd = text[end] === "\n" ? "\n" : text[at] === "\n" ? "\r\n" : "\r";
    return { cells, lineEnd, end: end + lineEnd.length };
  }
}

/** Whether a record has the header's cells; a delimiter at its end alone is as good as none. */
export const fitsHeader = (cells: readonly string[], { length }: readonly string[]): boolean =>
  cells.length === length || (cells.length === length + 1 && cells.at(-1) === "");

const sampleRows = 50;
/** Of a wide table fewer rows: to look at 50 of 2,000 columns held the event loop for 50 ms. */
const sampleCells = 5_000;

/** Lines that are looked at for them, empty ones too: 256 KiB of empty lines held the event loop for 0.2 s. */
const sampleLines = 200;

/** As many of records that were read as are looked at, of one at least. */
export const firstOf = <Row>(records: readonly Row[], columnCount: number): readonly Row[] =>
  records.slice(0, Math.max(1, Math.min(sampleRows, Math.floor(sampleCells / columnCount))));

/** The first records of a text. */
export interface Sample {
  readonly records: string[][];
  /** False where the next record could not be read: its quotes are wrong, or it does not end within the text. */
  readonly isSound: boolean;
}

/** The first records from `start` on; an empty line is none. */
export function sampleAt(
  text: string,
  start: number,
  how: { readonly delimiter: Delimiter; readonly isWholeFile: boolean },
): Sample {
  const records: string[][] = [];
  let cellCount = 0;
  let at = start;
  for (let line = 0; line < sampleLines && at < text.length; line += 1) {
    if (records.length === sampleRows || cellCount >= sampleCells) break;
    const record = recordAt(text, at, how);
    if (record === undefined) return { records, isSound: false };
    at = record.end;
    if (record.cells.length === 1 && record.cells[0] === "") continue;
    records.push(record.cells);
    cellCount += record.cells.length;
  }
  return { records, isSound: true };
}
