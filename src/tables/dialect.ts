import type { DateForm } from "./date-form.ts";
import type { NumberForm } from "./number-form.ts";
import { plainSource, type TableSource } from "./table-source.ts";

/** How a table is written. */
export interface Dialect {
  /** What the file is; the rest is said of the plain CSV that is made of it. */
  readonly source: TableSource;
  readonly delimiter: Delimiter;
  /** The sign between a number's whole and its fraction. */
  readonly decimal: "." | ",";
  /** Lines before the header that are none of the table: 1 where Excel's `sep=;` stands there. */
  readonly skippedLines: number;
  /** Whether the first line is a row: the columns are named by their places then. */
  readonly isHeaderless?: true;
  /** Columns without a name that are left out, by their places from 0: the first, as an index is, and empty ones. */
  readonly leftOutColumns: readonly number[];
  /** Words for a missing value in every column. */
  readonly missing: readonly string[];
  /** Further ones in columns of numbers. */
  readonly missingNumbers: readonly string[];
  /** Whether columns of numbers hold such words, or the like: then each cell is read as text first, which takes twice the time. */
  readonly hasWordsInNumbers: boolean;
  /** Rows without a value in any column, as Excel writes them below a table: they are left out. None where not said. */
  readonly emptyRows?: number;
  /** Columns of numbers, dates or times with cells that are none, which are read as missing; by their places as those of `numberForms`. */
  readonly strayColumns?: readonly number[];
  /** Of the columns whose numbers are written in one, by their places from 0 among those that are not left out. */
  readonly numberForms?: Readonly<Record<number, NumberForm>>;
  /** Of each column of dates or times, by the same places. */
  readonly dateForms?: Readonly<Record<number, DateForm>>;
}

/** What stands between cells. */
export type Delimiter = (typeof delimiters)[number];

/** In the order in which one wins where nothing tells them apart. */
export const delimiters = [",", ";", "\t", "|"] as const;

/** By RFC 4180; of datasets from before there were others. */
export const plainDialect: Dialect = {
  source: plainSource,
  delimiter: ",",
  decimal: ".",
  skippedLines: 0,
  leftOutColumns: [],
  missing: [""],
  missingNumbers: [],
  hasWordsInNumbers: false,
};

/** The dialect with these forms alone; those of datasets from before have none, and no place for them. */
export function withNumberForms({ numberForms: _, ...dialect }: Dialect, forms: Dialect["numberForms"]): Dialect {
  return Object.keys(forms ?? {}).length === 0 ? dialect : { ...dialect, numberForms: forms! };
}

/** A number with a decimal comma, or a whole one. */
const withComma = /^[+-]?(\d+(,\d*)?|,\d+)(e[+-]?\d+)?$/i;
const withPoint = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

const longestNumeral = 400;

/** Whether a cell is a number as the dialect writes it; one of more than 400 signs is none. */
export const isNumeral = (cell: string, { decimal }: Pick<Dialect, "decimal">): boolean =>
  cell.length <= longestNumeral && (decimal === "," ? withComma : withPoint).test(cell);

/** Of a column's first cells so many may be without a digit between numbers: `free` among prices. */
const mostStrays = 0.1;

/** The cells of a column that may be numbers, if only few can't be; else all. */
export function withoutFewWords(cells: readonly string[]): readonly string[] {
  const most = cells.length * mostStrays;
  const numerals: string[] = [];
  for (const [place, cell] of cells.entries()) {
    if (/\d/.test(cell)) numerals.push(cell);
    else if (place + 1 - numerals.length > most) return cells;
  }
  return numerals;
}

/** Whether a cell stands for a missing value in a column of this type. */
export const isMissing = (
  cell: string,
  { missing, missingNumbers }: Pick<Dialect, "missing" | "missingNumbers">,
  type: "number" | "text",
): boolean => missing.includes(cell) || (type === "number" && missingNumbers.includes(cell));
