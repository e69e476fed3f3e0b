import { DomainError } from "../errors.ts";
import { isKnownText } from "../models/known-category.ts";
import type { ModelFeature, NumberFeature } from "../models/model.ts";
import { type PredictionRows, StrayCell } from "../models/predict-rows.ts";
import { looksOf } from "../tables/column-looks.ts";
import { firstOf, fitsHeader, maxColumns, recordAt } from "../tables/csv-record.ts";
import { detectDialect, tableText } from "../tables/detect-dialect.ts";
import { type Delimiter, type Dialect, isMissing, isNumeral, plainDialect } from "../tables/dialect.ts";
import { exampleOf, matcherOf, type NumberForm, toPlainNumeral } from "../tables/number-form.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: DOS ended texts with it
const noRow = /^[ \x1a]*$/;

/**
 * Cells of a CSV text, as an upload's are read.
 * @throws DomainError PREDICTION_INPUT_INVALID, or TOO_MANY_ROWS at the first record beyond `maxRecords`: reading on
 *   would be for nothing
 */
export function parseCsv(
  text: string,
  maxRecords = Number.POSITIVE_INFINITY,
  delimiter: Delimiter = plainDialect.delimiter,
): string[][] {
  const rows: string[][] = [];
  for (let at = text.startsWith("\uFEFF") ? 1 : 0; at < text.length; ) {
    const record = recordAt(text, at, { delimiter, isWholeFile: true });
    if (record === undefined)
      throw new DomainError(
        "PREDICTION_INPUT_INVALID",
        `${rows.length === 0 ? "The header" : `Row ${rows.length}`} has a quote that is not closed or not doubled.`,
      );
    const { cells, end } = record;
    if (cells.length > maxColumns)
      throw new DomainError("PREDICTION_INPUT_INVALID", `A row has more than ${maxColumns} cells.`);
    // A line of blanks is no row, nor is the Ctrl-Z at the end of a file; `""` is one, whose only value is missing.
    if (cells.length > 1 || !noRow.test(cells[0]!) || /^ ?"/.test(text.slice(at, end))) rows.push(cells);
    if (rows.length > maxRecords)
      throw new DomainError("TOO_MANY_ROWS", `Send up to ${maxRecords - 1} rows below the header at once.`);
    at = end;
  }
  return rows;
}

/**
 * Rows of a CSV body by its header, in whatever dialect an upload may have.
 * @param missing the model's own words for a missing value
 * @throws DomainError PREDICTION_INPUT_INVALID naming the line, TOO_MANY_ROWS
 */
export function csvToRows(
  text: string,
  { maxRows, missing }: { readonly maxRows?: number; readonly missing?: readonly string[] | undefined } = {},
): PredictionRows {
  const unmarked = text.replace(/^\uFEFF/, "");
  const dialect = detectDialect({ text: unmarked, isWholeFile: true }, { missing });
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
  const { forms, looks } = looksOf(firstOf(rows, header.length), header.length, { dialect, isForModel: true });
  return {
    count: rows.length,
    column(feature) {
      const place = places.get(feature.column);
      if (place === undefined) return undefined;
      const how = { dialect, form: forms[place], isMixed: looks[place] === "text" };
      return rows.map((row) => readCell(row[place]!, feature, how));
    },
  };
}

/** A cell as the table that the model was trained on was read: words for missing values, numbers as its column writes them. */
function readCell(
  cell: string,
  feature: ModelFeature,
  {
    dialect,
    form,
    isMixed,
  }: {
    readonly dialect: Dialect;
    readonly form: NumberForm | undefined;
    /** Whether not all of the request's cells are written in one way. */
    readonly isMixed: boolean;
  },
): string | StrayCell | null {
  // A model of a table in which such a word was a category like others knows it.
  if (feature.kind === "text") return isMissing(cell, dialect, "text") && !isKnownText(feature, cell) ? null : cell;
  const numeral = cell.trim();
  if (isMissing(numeral, dialect, "number")) return null;
  if (feature.kind !== "number") return cell;
  // Of some cells that are none it can't be seen how the others are written; the model knows how they were.
  if (isMixed && feature.written !== undefined) return readAsWritten(cell, feature.written, dialect);
  if (form === undefined) {
    if (dialect.decimal === ".") return cell;
    if (isNumeral(numeral, dialect)) return numeral.replace(",", ".");
    if (!/[.,]/.test(numeral)) return cell;
  } else if (matcherOf(form).test(numeral)) return toPlainNumeral(numeral, form);
  const wanted = form === undefined ? "a number with a decimal comma" : `a number written as ${exampleOf(form)}`;
  return new StrayCell(cell, `${wanted}, as others of these rows are`);
}

/** A cell as the table had it that the model learned from. Commas that the request shows by itself are decimal ones. */
function readAsWritten(
  cell: string,
  { decimal, form }: NonNullable<NumberFeature["written"]>,
  dialect: Dialect,
): string | StrayCell {
  const none = new StrayCell(cell, "a number");
  if (form !== undefined) return matcherOf(form).test(cell) ? toPlainNumeral(cell, form) : none;
  if (decimal === "." && dialect.decimal === ".") return cell;
  return cell.includes(".") ? none : cell.replace(",", ".");
}
