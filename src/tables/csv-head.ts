import { open } from "node:fs/promises";
import { DomainError } from "../errors.ts";
import { type LineEnd, maxColumns, recordAt, sampleAt } from "./csv-record.ts";
import { detectDialect, tableText } from "./detect-dialect.ts";
import { type Dialect, isNumeral } from "./dialect.ts";
import { isMissing } from "./missing.ts";

const maxHeaderBytes = 262_144;

/** A CSV's head: its column names, how it is written, and what its first rows look like. */
export interface CsvHead {
  /** Of the columns that are not left out. */
  readonly names: string[];
  readonly dialect: Dialect;
  readonly lineEnd: LineEnd;
  /** True when the first name stands in quotes behind a byte order mark. */
  readonly hasMarkBeforeQuote: boolean;
  /** Which columns hold nothing but numbers. A guess: whoever relies on it must see to the rest of the file. */
  readonly looksNumeric: boolean[];
  /** Words of the first rows that stand for a missing value. */
  readonly seenMissing: string[];
}

function lookAt(sample: readonly string[][], columnCount: number, dialect: Dialect) {
  const looksNumeric = new Array<boolean>(columnCount).fill(true);
  const seenMissing = new Set([""]);
  for (const [index, cell] of sample.flatMap((cells) => [...withoutLeftOut(cells, dialect).entries()])) {
    if (isMissing(cell)) seenMissing.add(cell);
    else if (index < columnCount && cell.trim() !== "" && !isNumber(cell, dialect)) looksNumeric[index] = false;
  }
  return { looksNumeric, seenMissing: [...seenMissing] };
}

function withoutLeftOut(cells: string[], { leftOutColumns }: Dialect): string[] {
  const leftOut = new Set(leftOutColumns);
  return cells.filter((_, place) => !leftOut.has(place));
}

/** With a decimal point also what DuckDB takes besides, as `inf` and `0x1F` are; it is asked for the whole file. */
const isNumber = (cell: string, dialect: Dialect): boolean =>
  isNumeral(cell.trim(), dialect) || (dialect.decimal === "." && !Number.isNaN(Number(cell)));

/**
 * Column names of a CSV file, trimmed, how it is written, and what its first rows look like.
 * @param known how it is written, where that was found out before; else it is by its first rows
 * @throws DomainError HEADER_MISSING, COLUMN_NAMES_INVALID, TOO_FEW_COLUMNS
 */
export async function readHead(csvPath: string, known?: Dialect): Promise<CsvHead> {
  const handle = await open(csvPath);
  let bytes: Buffer;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxHeaderBytes), 0, maxHeaderBytes, 0);
    bytes = buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
  const whole = bytes.toString("utf8");
  const unmarked = whole.replace(/^\uFEFF/, "");
  if (unmarked.trim() === "")
    throw new DomainError("HEADER_MISSING", "The file is empty: its first line must name the columns.");
  const isWholeFile = bytes.length < maxHeaderBytes;
  const dialect = known ?? detectDialect({ text: unmarked, isWholeFile });
  const text = tableText(unmarked, dialect);
  const how = { delimiter: dialect.delimiter, isWholeFile };
  const header = recordAt(text, 0, how);
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
  const names = withoutLeftOut(header.cells, dialect).map((cell) => cell.trim());
  if (names.every((name) => name === ""))
    throw new DomainError("HEADER_MISSING", "The first line is blank: it must name the columns.");
  if (names.length > 1 && names.every((name) => name !== "" && Number.isFinite(Number(name)))) {
    throw new DomainError("HEADER_MISSING", "The first line holds only numbers: it must name the columns.");
  }
  if (names.length < 2)
    throw new DomainError(
      "TOO_FEW_COLUMNS",
      "The file has one column: a feature and a target are the least. No comma, semicolon, tab or bar cuts its lines into as many cells each.",
    );
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined)
    throw new DomainError("COLUMN_NAMES_INVALID", `Two columns are named «${twice.slice(0, 80)}».`);
  return {
    names,
    dialect,
    lineEnd: header.lineEnd,
    hasMarkBeforeQuote: whole.startsWith('\uFEFF"'),
    ...lookAt(sampleAt(text, header.end, how), names.length, dialect),
  };
}
