import { open } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { DomainError } from "../errors.ts";
import { type ColumnLooks, looksOf, type SaidTypes } from "./column-looks.ts";
import { type LineEnd, maxColumns, recordAt, sampleAt } from "./csv-record.ts";
import { detectDialect, tableText, type Wished } from "./detect-dialect.ts";
import { type Dialect, withNumberForms } from "./dialect.ts";
import { namesColumns } from "./table-source.ts";

const maxHeaderBytes = 262_144;

/** What to do about a first line that is taken for a row. */
export const headerHint =
  "Where it does, send `header` true; where there is no such line, `header` false names them column_1, column_2, ….";

/** A CSV's head: its column names, how it is written, and what its first rows look like. */
export interface CsvHead {
  /** Of the columns that are not left out. */
  readonly names: string[];
  readonly dialect: Dialect;
  readonly lineEnd: LineEnd;
  /** True when the first name stands in quotes behind a byte order mark. */
  readonly hasMarkBeforeQuote: boolean;
  /** A guess: whoever relies on it must see to the rest of the file. */
  readonly looks: ColumnLooks["looks"];
  /** What its sender says of columns, by place. */
  readonly saidTypes: SaidTypes;
  /** Whether it says that the day comes first in dates, or the month; undefined where it says nothing. */
  readonly dayFirst: boolean | undefined;
  /** Fifty at most, fewer of a wide table; without what is left out. */
  readonly firstRows: string[][];
}

function withoutLeftOut(cells: string[], { leftOutColumns }: Dialect): string[] {
  const leftOut = new Set(leftOutColumns);
  return cells.filter((_, place) => !leftOut.has(place));
}

function saidTypesOf(names: readonly string[], types: Wished["types"] = {}): SaidTypes {
  const known = new Set(names);
  const unknown = Object.keys(types).find((name) => !known.has(name));
  if (unknown !== undefined)
    throw new DomainError(
      "FIELD_INVALID",
      `\`types\` names «${unknown.slice(0, 80)}», and the table has no such column. It has: ${names.slice(0, 20).join(", ").slice(0, 400)}.`,
    );
  return new Map(names.flatMap((name, index) => (Object.hasOwn(types, name) ? [[index, types[name]!]] : [])));
}

/**
 * Column names of a CSV file, trimmed, how it is written, and what its first rows look like.
 * @param known how it is written, where that was found out before; else it is by its first rows
 * @param wished what its sender says of it
 * @throws DomainError HEADER_MISSING, COLUMN_NAMES_INVALID, TOO_FEW_COLUMNS, FIELD_INVALID
 */
export async function readHead(csvPath: string, known?: Dialect, wished?: Wished): Promise<CsvHead> {
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
  const dialect = known ?? detectDialect({ text: unmarked, isWholeFile }, wished);
  // A header of 2,000 columns was cut by each delimiter: others have their turn of the event loop before it is read, and before
  // our caller goes on.
  await setImmediate();
  const text = tableText(unmarked, dialect);
  const how = { delimiter: dialect.delimiter, isWholeFile };
  const header = recordAt(text, 0, how);
  if (header === undefined)
    throw new DomainError(
      "HEADER_MISSING",
      "The first line does not end, or has a quote that is not closed or not doubled: it must name the columns.",
    );
  const above = unmarked.slice(0, unmarked.length - text.length);
  if (known === undefined && above.replaceAll(header.lineEnd, "").search(/[\r\n]/) >= 0)
    // DuckDB would pass over another line than we do.
    throw new DomainError("NOT_CSV", "The lines above the header end otherwise than the header.");
  if (header.cells.length > maxColumns)
    throw new DomainError(
      "COLUMN_NAMES_INVALID",
      `The file has more than ${maxColumns} columns, the most that it may have.`,
    );
  const names =
    dialect.isHeaderless === true
      ? header.cells.map((_, place) => `column_${place + 1}`)
      : withoutLeftOut(header.cells, dialect).map((cell) => cell.trim());
  if (names.every((name) => name === ""))
    throw new DomainError("HEADER_MISSING", "The first line is blank: it must name the columns.");
  const isHeaderFound = known === undefined && wished?.header === undefined && !namesColumns(dialect.source);
  if (isHeaderFound && names.length > 1 && names.every((name) => name !== "" && Number.isFinite(Number(name)))) {
    throw new DomainError(
      "HEADER_MISSING",
      `The first line holds only numbers: it must name the columns. ${headerHint}`,
    );
  }
  if (names.length < 2)
    throw new DomainError(
      "TOO_FEW_COLUMNS",
      header.cells.length > 1
        ? "The file has one column with a name: a feature and a target are the least."
        : `The table has one column: a feature and a target are the least.${dialect.source.format === "csv" ? " No comma, semicolon, tab or bar cuts its lines into as many cells each." : ""}`,
    );
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined)
    throw new DomainError("COLUMN_NAMES_INVALID", `Two columns are named «${twice.slice(0, 80)}».`);
  const { records } = sampleAt(text, dialect.isHeaderless === true ? 0 : header.end, how);
  const firstRows = records.map((cells) => withoutLeftOut(cells, dialect));
  const saidTypes = saidTypesOf(names, wished?.types);
  const { looks, forms } = looksOf(firstRows, names.length, {
    dialect,
    known: known && (known.numberForms ?? {}),
    saidTypes,
  });
  await setImmediate();
  return {
    names,
    dialect: withNumberForms(dialect, forms),
    lineEnd: header.lineEnd,
    hasMarkBeforeQuote: whole.startsWith('\uFEFF"'),
    looks,
    saidTypes,
    dayFirst: wished?.dayFirst,
    firstRows,
  };
}
