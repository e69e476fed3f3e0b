import { type Delimiter, delimiters } from "./dialect.ts";

/** Columns that a table may have. */
export const maxColumns = 2_000;

export type LineEnd = "\n" | "\r\n" | "\r";

/** Cells, and where the next record begins. */
export interface CsvRecord {
  readonly cells: string[];
  readonly lineEnd: LineEnd;
  readonly end: number;
}

const signs: Record<Delimiter, string> = { ",": ",", ";": ";", "\t": "\\t", "|": "\\|" };
const scanners = new Map(
  delimiters.map((delimiter) => [
    delimiter,
    {
      endOfCell: new RegExp(`[${signs[delimiter]}\\r\\n]`, "g"),
      // After other text DuckDB would read no row at all, and the file seem to be empty.
      endOfQuotedCell: new RegExp(` *(?=[${signs[delimiter]}\\r\\n]|$)`, "y"),
    },
  ]),
);

const quote = 0x22;

/** Where the quotes close that were opened before `from`; -1 when they do not. */
function closingQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text.charCodeAt(at) !== quote) continue;
    if (text.charCodeAt(at + 1) !== quote) return at;
    at += 1;
  }
  return -1;
}

/**
 * The record that begins at `start`; undefined when it does not end within the text, or its quotes are wrong. Of more
 * cells than may be, the first too many ends it. Cells are cut out, not put together from characters: of 256 KiB that held
 * the event loop for 50 ms and more.
 */
export function recordAt(
  text: string,
  start: number,
  { delimiter, isWholeFile }: { readonly delimiter: Delimiter; readonly isWholeFile: boolean },
): CsvRecord | undefined {
  const { endOfCell, endOfQuotedCell } = scanners.get(delimiter)!;
  const cells: string[] = [];
  for (let at = start; ; ) {
    let cell = "";
    if (text[at] === '"') {
      const closed = closingQuote(text, at + 1);
      endOfQuotedCell.lastIndex = closed + 1;
      if (closed < 0 || !endOfQuotedCell.test(text)) return undefined;
      cell = text.slice(at + 1, closed).replaceAll('""', '"');
      at = closed + 1;
    }
    endOfCell.lastIndex = at;
    const end = endOfCell.exec(text)?.index ?? text.length;
    cells.push(cell + text.slice(at, end));
    if (end === text.length) return isWholeFile ? { cells, lineEnd: "\n", end } : undefined;
    at = end + 1;
    if (cells.length > maxColumns) return { cells, lineEnd: "\n", end: at };
    if (text[end] === delimiter) continue;
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
