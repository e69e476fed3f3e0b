import { resolve } from "node:path";
import { type ColumnType, isOfMoments } from "./column-type.ts";
import type { CsvHead } from "./csv-head.ts";
import { timestampInSql } from "./date-form.ts";
import type { Dialect } from "./dialect.ts";
import { missingValues } from "./missing.ts";
import { type NumberForm, patternOf, plainSigns } from "./number-form.ts";
import { sqlText } from "./sql-text.ts";
import { truthInSql } from "./truth.ts";

/** SQL of a list of texts. */
const sqlTexts = (texts: readonly string[]): string => texts.map(sqlText).join(", ");

/** What is read of a file, and how. */
export interface CsvColumns {
  /** Text where not said otherwise. A cell that is no number of the dialect in a column of numbers is an error. */
  readonly typeOf?: (index: number) => ColumnType;
  /**
   * Reads numbers as DuckDB's CSV reader does, which knows no words for missing numbers beside those of every column: in
   * half the time, and one such word is an error.
   */
  readonly isStrict?: boolean;
  /** Words for missing values in every column; those of the dialect where not said otherwise. */
  readonly missing?: readonly string[];
}

/**
 * SQL for a cell of text that is NULL where it is one of the words. Not by IN: of a list DuckDB makes a join, and a hundred of
 * them need more than the 256 MB of an engine.
 */
export const withoutWords = (cell: string, words: readonly string[]): string =>
  words.length === 0
    ? cell
    : `CASE ${cell} ${words.map((word) => `WHEN ${sqlText(word)} THEN NULL`).join(" ")} ELSE ${cell} END`;

type Cast = "TRY_CAST" | "CAST";

/** SQL for the value in a column's cell of text: a DOUBLE, TIMESTAMP, BOOLEAN or VARCHAR. Where it is none of the type it is as `numberIn` says, of others NULL. */
export function valueIn(index: number, type: ColumnType, head: Pick<CsvHead, "dialect">, cast?: Cast): string {
  const cell = `c${index}`;
  if (type === "number") return numberIn(index, head, cast);
  if (isOfMoments(type)) return timestampInSql(cell, head.dialect.dateForms![index]!);
  return type === "boolean" ? truthInSql(cell) : cell;
}

/** The same for the dialect's words for a missing value and for a missing number; an empty cell is NULL already. */
export const withoutMissing = (cell: string, { missing, missingNumbers }: Dialect): string =>
  withoutWords(
    cell,
    [...missing, ...missingNumbers].filter((word) => word !== ""),
  );

/** SQL for the number in a column's cell of text: NULL where it is missing, and where it is none NULL or with CAST an error. */
export function numberIn(index: number, head: Pick<CsvHead, "dialect">, cast: Cast = "TRY_CAST"): string {
  const { numberForms, strayColumns } = head.dialect;
  const cell = `c${index}`;
  const form = numberForms?.[index];
  const mayStray = strayColumns?.includes(index) === true;
  if (form === undefined) return plainNumberIn(cell, head, mayStray ? "TRY_CAST" : cast);
  const plain = withPlainSigns(withoutMissing(cell, head.dialect), form);
  const number = withoutValues(`${mayStray ? "TRY_CAST" : cast}(${plain} AS DOUBLE)`, head.dialect);
  return mayStray ? `CASE WHEN ${isOfFormInSql(cell, form)} THEN ${number} END` : number;
}

/** SQL for a number that is NULL where its sender says that it stands for a missing one. */
export const withoutValues = (number: string, dialect: Dialect): string =>
  missingValues(dialect).reduce((sql, value) => `nullif(${sql}, ${sqlText(String(value))}::DOUBLE)`, number);

/** SQL for the text of a column's cell: NULL where it has no value of the type. */
export function textIn(index: number, type: ColumnType, head: Pick<CsvHead, "dialect">): string {
  if (type === "text") return `c${index}`;
  return type === "number"
    ? numeralIn(index, head)
    : `CASE WHEN ${valueIn(index, type, head)} IS NOT NULL THEN c${index} END`;
}

function numeralIn(index: number, head: Pick<CsvHead, "dialect">): string {
  const cell = withoutWords(`c${index}`, head.dialect.missingNumbers);
  const isPlain = head.dialect.strayColumns?.includes(index) !== true;
  if (isPlain && missingValues(head.dialect).length === 0) return cell;
  return `CASE WHEN ${numberIn(index, head)} IS NOT NULL THEN ${cell} END`;
}

/** The same of a cell in a column whose numbers are in no form of their own. */
export const plainNumberIn = (cell: string, { dialect }: Pick<CsvHead, "dialect">, cast: Cast = "TRY_CAST"): string =>
  withoutValues(`${cast}(${plainNumeral(withoutMissing(cell, dialect), { dialect })} AS DOUBLE)`, dialect);

/** SQL for a numeral with a point of one of the dialect; a point in one with a comma makes it none. */
export const plainNumeral = (text: string, { dialect }: Pick<CsvHead, "dialect">): string =>
  dialect.decimal === "," ? `replace(replace(${text}, '.', '?'), ',', '.')` : text;

/** SQL for the plain numeral of a number of the form. Of other text it may make a number: what is read so was checked. */
function withPlainSigns(text: string, form: NumberForm): string {
  const { from, to } = plainSigns(form);
  return `translate(${text}, ${sqlText(from)}, ${sqlText(to)})`;
}

/** SQL that is true of a cell that is a number of the form. */
export const isOfFormInSql = (cell: string, form: NumberForm): string =>
  `regexp_full_match(${cell}, ${sqlText(patternOf(form))})`;

/** SQL that is true of a row without a value in any column. */
export const isEmptyRow = ({ names }: Pick<CsvHead, "names">): string =>
  names.map((_, index) => `c${index} IS NULL`).join(" AND ");

/** SQL of a column that is left out, by its place in the file from 0. */
export const leftOutCell = (place: number): string => `x${place}`;

/**
 * The table of a CSV file with columns c0, c1, …, and those that are left out under other names: nothing is sniffed.
 * A ragged row is an error that names its record.
 */
export function csvTable(
  csvPath: string,
  head: CsvHead,
  { typeOf = () => "text", isStrict = false, missing = head.dialect.missing }: CsvColumns = {},
): string {
  const { names, lineEnd, hasMarkBeforeQuote, dialect } = head;
  const read = (header: boolean, type: (index: number) => "DOUBLE" | "VARCHAR"): string => {
    const named = names.map((_, index) => `'c${index}': '${type(index)}'`);
    for (const place of dialect.leftOutColumns) named.splice(place, 0, `'${leftOutCell(place)}': 'VARCHAR'`);
    const columns = named.join(", ");
    // DuckDB takes the first line end for that of all, also when it stands within the quotes of a column's name. Two
    // buffers are held at a time, by default of 32 rows of the greatest length each.
    return `read_csv(${sqlText(resolve(csvPath))}, auto_detect = false, header = ${header}, columns = {${columns}},
      delim = ${sqlText(dialect.delimiter)}, quote = '"', escape = '"', nullstr = [${sqlTexts(missing)}],
      decimal_separator = ${sqlText(dialect.decimal)}, skip = ${dialect.skippedLines}, max_line_size = 1048576,
      buffer_size = 4194304, new_line = ${sqlText(JSON.stringify(lineEnd).slice(1, -1))})`;
  };
  const strays = new Set(dialect.strayColumns);
  // Cells that DuckDB would not read as we do are read as text, and then cast.
  const isCast = (index: number): boolean =>
    typeOf(index) === "number"
      ? !isStrict || hasMarkBeforeQuote || dialect.numberForms?.[index] !== undefined || strays.has(index)
      : typeOf(index) !== "text";
  const readAs = (index: number) => (typeOf(index) === "number" && !isCast(index) ? "DOUBLE" : "VARCHAR");
  const isCastAtAll = names.some((_, index) => isCast(index));
  const hasValues = missingValues(dialect).length > 0;
  if (!hasMarkBeforeQuote && !isCastAtAll && !hasValues && !dialect.emptyRows)
    return read(!dialect.isHeaderless, readAs);
  const cells = names.map((_, index) => {
    if (isCast(index)) return `${valueIn(index, typeOf(index), head, "CAST")} AS c${index}`;
    return typeOf(index) === "number" && hasValues
      ? `${withoutValues(`c${index}`, dialect)} AS c${index}`
      : `c${index}`;
  });
  // Skipping a header, DuckDB 1.5 takes a quote behind a byte order mark for text and loses its place; reading it as a
  // row, it does not.
  const rows = hasMarkBeforeQuote
    ? `(FROM ${read(false, readAs)} OFFSET ${dialect.isHeaderless ? 0 : 1})`
    : read(!dialect.isHeaderless, readAs);
  const filled = dialect.emptyRows ? `WHERE NOT (${isEmptyRow(head)})` : "";
  return `(SELECT ${[...cells, ...dialect.leftOutColumns.map(leftOutCell)].join(", ")} FROM ${rows} ${filled})`;
}
