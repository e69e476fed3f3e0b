import { DomainError } from "../errors.ts";

const maxColumns = 2_000;

/**
 * Cells of a CSV text by RFC 4180: quotes may hold commas, line ends and doubled quotes.
 * @throws DomainError PREDICTION_INPUT_INVALID, or TOO_MANY_ROWS at the first record beyond `maxRecords`: reading on
 *   would only hold up others
 */
export function parseCsv(text: string, maxRecords = Number.POSITIVE_INFINITY): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let isQuoted = false;
  let rowHasQuotes = false;
  const endRow = (): void => {
    row.push(cell);
    cell = "";
    // An empty line is no row; `""` is one, whose only value is missing.
    if (row.length > 1 || row[0] !== "" || rowHasQuotes) rows.push(row);
    if (rows.length > maxRecords)
      throw new DomainError("TOO_MANY_ROWS", `Send up to ${maxRecords - 1} rows below the header at once.`);
    row = [];
    rowHasQuotes = false;
  };
  for (let index = text.charCodeAt(0) === 0xfeff ? 1 : 0; index < text.length; index += 1) {
    const character = text[index]!;
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[index + 1] === '"') {
        cell += '"';
        index += 1;
      } else {
        isQuoted = false;
        if (!/[,\r\n]/.test(text[index + 1] ?? ",")) {
          throw new DomainError("PREDICTION_INPUT_INVALID", `Row ${rows.length}: text stands after a closing quote.`);
        }
      }
    } else if (character === '"' && cell === "") {
      isQuoted = true;
      rowHasQuotes = true;
    } else if (character === ",") {
      row.push(cell);
      cell = "";
      if (row.length > maxColumns)
        throw new DomainError("PREDICTION_INPUT_INVALID", `A row has more than ${maxColumns} cells.`);
    } else if (character === "\n" || character === "\r") endRow();
    else cell += character;
  }
  if (isQuoted) throw new DomainError("PREDICTION_INPUT_INVALID", "A quote of the CSV is never closed.");
  if (cell !== "" || row.length > 0 || rowHasQuotes) endRow();
  return rows;
}

/** Rows of a CSV body as records by its header. @throws DomainError PREDICTION_INPUT_INVALID naming the line, TOO_MANY_ROWS */
export function csvToRecords(text: string, maxRows?: number): Record<string, string>[] {
  const [names, ...rows] = parseCsv(text, maxRows === undefined ? undefined : maxRows + 1);
  if (names === undefined)
    throw new DomainError("PREDICTION_INPUT_INVALID", "The CSV is empty: send a header row and at least one row.");
  // As an upload's names are, or a model could not read the file that it was trained on.
  const header = names.map((name) => name.trim());
  if (new Set(header).size !== header.length) {
    throw new DomainError("PREDICTION_INPUT_INVALID", "The CSV's header names a column twice.");
  }
  return rows.map((row, index) => {
    if (row.length !== header.length) {
      throw new DomainError(
        "PREDICTION_INPUT_INVALID",
        `Row ${index + 1} has ${row.length} cells, the header ${header.length}.`,
      );
    }
    return Object.fromEntries(header.map((name, place) => [name, row[place]!]));
  });
}
