import { open } from "node:fs/promises";
import { DomainError } from "../errors.ts";

const maxHeaderBytes = 262_144;
const maxColumns = 2_000;
const sampleRows = 50;

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

/** The record that begins at `start`; undefined when it does not end within the text, or its quotes are wrong. */
function recordAt(text: string, start: number, isWholeFile: boolean): CsvRecord | undefined {
  const cells: string[] = [];
  let cell = "";
  let isQuoted = false;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index]!;
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[index + 1] === '"') {
        cell += '"';
        index += 1;
      } else {
        isQuoted = false;
        // After other text DuckDB would read no row at all, and the file seem to be empty.
        if (!/^ *([,\r\n]|$)/.test(text.slice(index + 1))) return undefined;
      }
    } else if (character === '"' && cell === "") isQuoted = true;
    else if (character === ",") {
      cells.push(cell);
      cell = "";
    } else if (character === "\n" || character === "\r") {
      const lineEnd = character === "\r" && text[index + 1] === "\n" ? "\r\n" : character;
      return { cells: [...cells, cell], lineEnd, end: index + lineEnd.length };
    } else cell += character;
  }
  return isWholeFile && !isQuoted ? { cells: [...cells, cell], lineEnd: "\n", end: text.length } : undefined;
}

const isNumberOrEmpty = (cell: string): boolean => cell.trim() === "" || !Number.isNaN(Number(cell));

function guessNumeric(text: string, start: number, isWholeFile: boolean, columnCount: number): boolean[] {
  const looksNumeric = new Array<boolean>(columnCount).fill(true);
  let at = start;
  for (let row = 0; row < sampleRows && at < text.length; row += 1) {
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
  if (names.length > maxColumns)
    throw new DomainError("COLUMN_NAMES_INVALID", `The file has ${names.length} columns; ${maxColumns} are the most.`);
  const empty = names.indexOf("");
  if (empty >= 0) throw new DomainError("COLUMN_NAMES_INVALID", `Column ${empty + 1} has no name.`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new DomainError("COLUMN_NAMES_INVALID", `Two columns are named «${twice.slice(0, 80)}».`);
  return {
    names,
    lineEnd: header.lineEnd,
    hasMarkBeforeQuote: whole.startsWith('\uFEFF"'),
    looksNumeric: guessNumeric(text, header.end, isWholeFile, names.length),
  };
}
