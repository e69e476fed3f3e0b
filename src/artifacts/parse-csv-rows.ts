import { DomainError } from "../errors.ts";
import type { ModelFeature } from "../models/model.ts";
import { PredictionInputError, type PredictionRows } from "../models/predict-rows.ts";
import { looksOf } from "../tables/column-looks.ts";
import { firstOf, fitsHeader, maxColumns } from "../tables/csv-record.ts";
import { detectDialect, tableText } from "../tables/detect-dialect.ts";
import { type Delimiter, type Dialect, isMissing, isNumeral, plainDialect } from "../tables/dialect.ts";
import { exampleOf, matcherOf, type NumberForm, toPlainNumeral } from "../tables/number-form.ts";

const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = 0xfeff;

/** Where the cell that begins at `from` without a quote ends: the next delimiter or line end, or the text's end. */
function endOfPlainCell(text: string, from: number, delimiter: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === delimiter || code === lineFeed || code === carriageReturn) return at;
  }
  return text.length;
}

/** The cell whose opening quote stands at `from`; `end` is the place after its closing one. */
function readQuotedCell(text: string, from: number): { cell: string; end: number } {
  let cell = "";
  let begin = from + 1;
  for (;;) {
    const close = text.indexOf('"', begin);
    if (close < 0) throw new DomainError("PREDICTION_INPUT_INVALID", "A quote of the CSV is never closed.");
    if (text.charCodeAt(close + 1) !== quote) return { cell: cell + text.slice(begin, close), end: close + 1 };
    cell += text.slice(begin, close + 1);
    begin = close + 2;
  }
}

/**
 * Cells of a CSV text by RFC 4180: quotes may hold delimiters, line ends and doubled quotes. Cells are cut out in one pass:
 * put together of single characters they cost ten times as much.
 * @throws DomainError PREDICTION_INPUT_INVALID, or TOO_MANY_ROWS at the first record beyond `maxRecords`: reading on
 *   would be for nothing
 */
export function parseCsv(
  text: string,
  maxRecords = Number.POSITIVE_INFINITY,
  between: Delimiter = plainDialect.delimiter,
): string[][] {
  const delimiter = between.charCodeAt(0);
  const rows: string[][] = [];
  let row: string[] = [];
  let rowHasQuotes = false;
  let at = text.charCodeAt(0) === byteOrderMark ? 1 : 0;
  const endRow = (): void => {
    // An empty line is no row; `""` is one, whose only value is missing.
    if (row.length > 1 || row[0] !== "" || rowHasQuotes) rows.push(row);
    if (rows.length > maxRecords)
      throw new DomainError("TOO_MANY_ROWS", `Send up to ${maxRecords - 1} rows below the header at once.`);
    row = [];
    rowHasQuotes = false;
  };
  // The line that ends the text may have an end or none; after a comma a last, empty cell is still to come.
  while (at < text.length || row.length > 0) {
    if (text.charCodeAt(at) === quote) {
      const { cell, end } = readQuotedCell(text, at);
      if (endOfPlainCell(text, end, delimiter) !== end)
        throw new DomainError("PREDICTION_INPUT_INVALID", `Row ${rows.length}: text stands after a closing quote.`);
      row.push(cell);
      rowHasQuotes = true;
      at = end;
    } else {
      const end = endOfPlainCell(text, at, delimiter);
      row.push(text.slice(at, end));
      at = end;
    }
    if (text.charCodeAt(at) !== delimiter) endRow();
    else if (row.length > maxColumns)
      throw new DomainError("PREDICTION_INPUT_INVALID", `A row has more than ${maxColumns} cells.`);
    at += 1;
  }
  return rows;
}

/** Rows of a CSV body by its header, in whatever dialect an upload may have. @throws DomainError PREDICTION_INPUT_INVALID naming the line, TOO_MANY_ROWS */
export function csvToRows(text: string, maxRows?: number): PredictionRows {
  const unmarked = text.replace(/^\uFEFF/, "");
  const dialect = detectDialect({ text: unmarked, isWholeFile: true });
  const [names, ...rows] = parseCsv(
    tableText(unmarked, dialect),
    maxRows === undefined ? undefined : maxRows + 1,
    dialect.delimiter,
  );
  if (names === undefined)
    throw new DomainError("PREDICTION_INPUT_INVALID", "The CSV is empty: send a header row and at least one row.");
  // As an upload's names are, or a model could not read the file that it was trained on.
  const header = names.map((name) => name.trim());
  const named = [...header.entries()].filter(([, name]) => name !== "");
  const places = new Map(named.map(([place, name]) => [name, place]));
  if (places.size !== named.length) {
    throw new DomainError("PREDICTION_INPUT_INVALID", "The CSV's header names a column twice.");
  }
  for (const [index, row] of rows.entries()) {
    if (fitsHeader(row, header)) continue;
    throw new DomainError(
      "PREDICTION_INPUT_INVALID",
      `Row ${index + 1} has ${row.length} cells, the header ${header.length}.`,
    );
  }
  const { forms } = looksOf(firstOf(rows, header.length), header.length, { dialect, isForModel: true });
  return {
    count: rows.length,
    column(feature) {
      const place = places.get(feature.column);
      if (place === undefined) return undefined;
      const how = { dialect, form: forms[place] };
      return rows.map((row, index) => readCell(row[place]!, index, feature, how));
    },
  };
}

/** A cell as the table that the model was trained on was read: words for missing values, numbers as its column writes them. */
function readCell(
  cell: string,
  row: number,
  feature: ModelFeature,
  { dialect, form }: { readonly dialect: Dialect; readonly form: NumberForm | undefined },
): string | null {
  // A model of a table in which such a word was a category like others knows it.
  if (feature.kind === "text")
    return isMissing(cell, dialect, "text") && !feature.categories.includes(cell) ? null : cell;
  const numeral = cell.trim();
  if (isMissing(numeral, dialect, "number")) return null;
  if (form === undefined) {
    if (dialect.decimal === ".") return cell;
    if (isNumeral(numeral, dialect)) return numeral.replace(",", ".");
    if (!/[.,]/.test(numeral)) return cell;
  } else if (matcherOf(form).test(numeral)) return toPlainNumeral(numeral, form);
  const wanted = form === undefined ? "a number with a decimal comma" : `a number written as ${exampleOf(form)}`;
  throw new PredictionInputError(
    row,
    feature.column,
    `Row ${row + 1}: column "${feature.column}" must be ${wanted}, as others of these rows are, not "${cell.slice(0, 40)}".`,
  );
}
