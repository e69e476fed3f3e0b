import { DomainError } from "../errors.ts";
import type { PredictionRows } from "../models/predict-rows.ts";

const maxColumns = 2_000;

const quote = 0x22;
const comma = 0x2c;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = 0xfeff;

const endsCell = (code: number): boolean => code === comma || code === lineFeed || code === carriageReturn;

/** Where the cell that begins at `from` without a quote ends: the next comma or line end, or the text's end. */
function endOfPlainCell(text: string, from: number): number {
  let at = from;
  while (at < text.length && !endsCell(text.charCodeAt(at))) at += 1;
  return at;
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
 * Cells of a CSV text by RFC 4180: quotes may hold commas, line ends and doubled quotes. Cells are cut out in one pass:
 * put together of single characters they cost ten times as much.
 * @throws DomainError PREDICTION_INPUT_INVALID, or TOO_MANY_ROWS at the first record beyond `maxRecords`: reading on
 *   would be for nothing
 */
export function parseCsv(text: string, maxRecords = Number.POSITIVE_INFINITY): string[][] {
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
      if (end < text.length && !endsCell(text.charCodeAt(end)))
        throw new DomainError("PREDICTION_INPUT_INVALID", `Row ${rows.length}: text stands after a closing quote.`);
      row.push(cell);
      rowHasQuotes = true;
      at = end;
    } else {
      const end = endOfPlainCell(text, at);
      row.push(text.slice(at, end));
      at = end;
    }
    if (text.charCodeAt(at) !== comma) endRow();
    else if (row.length > maxColumns)
      throw new DomainError("PREDICTION_INPUT_INVALID", `A row has more than ${maxColumns} cells.`);
    at += 1;
  }
  return rows;
}

/** Rows of a CSV body by its header. @throws DomainError PREDICTION_INPUT_INVALID naming the line, TOO_MANY_ROWS */
export function csvToRows(text: string, maxRows?: number): PredictionRows {
  const [names, ...rows] = parseCsv(text, maxRows === undefined ? undefined : maxRows + 1);
  if (names === undefined)
    throw new DomainError("PREDICTION_INPUT_INVALID", "The CSV is empty: send a header row and at least one row.");
  // As an upload's names are, or a model could not read the file that it was trained on.
  const header = names.map((name) => name.trim());
  const places = new Map(header.map((name, place) => [name, place]));
  if (places.size !== header.length) {
    throw new DomainError("PREDICTION_INPUT_INVALID", "The CSV's header names a column twice.");
  }
  for (const [index, row] of rows.entries()) {
    if (row.length === header.length) continue;
    throw new DomainError(
      "PREDICTION_INPUT_INVALID",
      `Row ${index + 1} has ${row.length} cells, the header ${header.length}.`,
    );
  }
  return {
    count: rows.length,
    column(name) {
      const place = places.get(name);
      return place === undefined ? undefined : rows.map((row) => row[place]!);
    },
  };
}
