import { resolve } from "node:path";
import type { CsvHead } from "./csv-head.ts";
import { missingWords } from "./missing.ts";

/** SQL text in quotes. */
export const sqlText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** What is read of a file, and how. */
export interface CsvColumns {
  /** Text where not said otherwise. A cell that is no number of the dialect in a column of type DOUBLE is an error. */
  readonly typeOf?: (index: number) => "VARCHAR" | "DOUBLE";
  /** Cells that are missing values. All words make a scan 45 % dearer than none (150,000 rows of 11 columns, November 2026). */
  readonly missing?: readonly string[];
}

/** SQL for the number in a cell of text: NULL where it is none, or with CAST an error. */
export function numberIn(
  cell: string,
  { dialect }: Pick<CsvHead, "dialect">,
  cast: "TRY_CAST" | "CAST" = "TRY_CAST",
): string {
  // A point in such a number is none.
  const text = dialect.decimal === "," ? `replace(replace(${cell}, '.', '?'), ',', '.')` : cell;
  return `${cast}(${text} AS DOUBLE)`;
}

/** SQL of a column that is left out, by its place in the file from 0. */
export const leftOutCell = (place: number): string => `x${place}`;

/**
 * The table of a CSV file with columns c0, c1, …, and those that are left out under other names: nothing is sniffed.
 * A ragged row is an error that names its record.
 */
export function csvTable(
  csvPath: string,
  head: CsvHead,
  { typeOf = () => "VARCHAR", missing = missingWords }: CsvColumns = {},
): string {
  const { names, lineEnd, hasMarkBeforeQuote, dialect } = head;
  const read = (header: boolean, type: typeof typeOf): string => {
    const named = names.map((_, index) => `'c${index}': '${type(index)}'`);
    for (const place of dialect.leftOutColumns) named.splice(place, 0, `'${leftOutCell(place)}': 'VARCHAR'`);
    const columns = named.join(", ");
    // DuckDB takes the first line end for that of all, also when it stands within the quotes of a column's name. Two
    // buffers are held at a time, by default of 32 rows of the greatest length each.
    return `read_csv(${sqlText(resolve(csvPath))}, auto_detect = false, header = ${header}, columns = {${columns}},
      delim = ${sqlText(dialect.delimiter)}, quote = '"', escape = '"', nullstr = [${missing.map(sqlText).join(", ")}],
      decimal_separator = ${sqlText(dialect.decimal)}, skip = ${dialect.skippedLines}, max_line_size = 1048576,
      buffer_size = 4194304, new_line = ${sqlText(JSON.stringify(lineEnd).slice(1, -1))})`;
  };
  if (!hasMarkBeforeQuote) return read(true, typeOf);
  // Skipping a header, DuckDB 1.5 takes a quote behind a byte order mark for text and loses its place; reading it as a
  // row, it does not.
  const cells = names.map((_, index) =>
    typeOf(index) === "DOUBLE" ? `${numberIn(`c${index}`, head, "CAST")} AS c${index}` : `c${index}`,
  );
  return `(SELECT ${[...cells, ...dialect.leftOutColumns.map(leftOutCell)].join(", ")} FROM (FROM ${read(false, () => "VARCHAR")} OFFSET 1))`;
}
