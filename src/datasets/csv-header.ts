import { open } from "node:fs/promises";
import { DomainError } from "../errors.ts";

const maxHeaderBytes = 262_144;
const maxColumns = 2_000;
const sampleRows = 50;
/** Of a wide table fewer rows: to look at 50 of 2,000 columns held the event loop for 50 ms. */
const sampleCells = 5_000;

export type LineEnd = "\n" | "\r\n" | "\r";

/** A CSV's head: its column names, how it is written, and which columns hold nothing but numbers in the first rows. */
export interface CsvHead {
  readonly names: string[];
  readonly lineEnd: LineEnd;
  /** True when the first name stands in quotes behind a byte order mark. */
  readonly hasMarkBeforeQuote: boolean;
  /** A guess from the first rows only: whoever relies on it must see to the rest of the file. */
  readonly looksNumeric: boolean[];
}

/** Cells, and where the next record begins. */
interface CsvRecord {
  readonly cells: string[];
  readonly lineEnd: LineEnd;
  readonly end: number;
}

const endOfCell = /[,\r\n]/g;
// After other text DuckDB would read no row at all, and the file seem to be empty.
const endOfQuotedCell = / *(?=[,\r\n]|$)/y;

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
function recordAt(text: string, start: number, isWholeFile: boolean): CsvRecord | undefined {
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
    if (text[end] === ",") continue;
    const lineEnd = text[end] === "\n" ? "\n" : text[at] === "\n" ? "\r\n" : "\r";
    return { cells, lineEnd, end: end + lineEnd.length };
  }
}

const isNumberOrEmpty = (cell: string): boolean => cell.trim() === "" || !Number.isNaN(Number(cell));

function guessNumeric(text: string, start: number, isWholeFile: boolean, columnCount: number): boolean[] {
  const looksNumeric = new Array<boolean>(columnCount).fill(true);
  let at = start;
  const rows = Math.min(sampleRows, Math.ceil(sampleCells / columnCount));
  for (let row = 0; row < rows && at < text.length; row += 1) {
    const record = recordAt(text, at, isWholeFile);
    if (record === undefined) break;
    for (const [index, cell] of record.cells.entries()) {
      if (index < columnCount && !isNumberOrEmpty(cell)) looksNumeric[index] = false;
    }
    at = record.end;
  }
  return looksNumeric;
}

/**
 * Column names of a CSV file, trimmed, how it is written, and what its first rows look like.
 * @throws DomainError HEADER_MISSING, COLUMN_NAMES_INVALID, TOO_FEW_COLUMNS
 */
export async function readHead(csvPath: string): Promise<CsvHead> {
  const handle = await open(csvPath);
  let bytes: Buffer;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxHeaderBytes), 0, maxHeaderBytes, 0);
    bytes = buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
  const whole = bytes.toString("utf8");
  const text = whole.replace(/^\uFEFF/, "");
  if (text.trim() === "")
    throw new DomainError("HEADER_MISSING", "The file is empty: its first line must name the columns.");
  const isWholeFile = bytes.length < maxHeaderBytes;
  const header = recordAt(text, 0, isWholeFile);
  if (header === undefined)
    throw new DomainError(
      "HEADER_MISSING",
      "The first line does not end, or has a quote that is not closed or not doubled: it must name the columns.",
    );
  if (header.cells.length > maxColumns)
    throw new DomainError(
      "COLUMN_NAMES_INVALID",
      `The file has more than ${maxColumns} columns, the most that it may have.`,
    );
  const names = header.cells.map((cell) => cell.trim());
  if (names.every((name) => name === ""))
    throw new DomainError("HEADER_MISSING", "The first line is blank: it must name the columns.");
  if (names.length > 1 && names.every((name) => name !== "" && Number.isFinite(Number(name)))) {
    throw new DomainError("HEADER_MISSING", "The first line holds only numbers: it must name the columns.");
  }
  if (names.length < 2)
    throw new DomainError(
      "TOO_FEW_COLUMNS",
      "The file has one column: a feature and a target are the least, separated by commas.",
    );
  const empty = names.indexOf("");
  if (empty >= 0) throw new DomainError("COLUMN_NAMES_INVALID", `Column ${empty + 1} has no name.`);
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined)
    throw new DomainError("COLUMN_NAMES_INVALID", `Two columns are named «${twice.slice(0, 80)}».`);
  return {
    names,
    lineEnd: header.lineEnd,
    hasMarkBeforeQuote: whole.startsWith('\uFEFF"'),
    looksNumeric: guessNumeric(text, header.end, isWholeFile, names.length),
  };
}
