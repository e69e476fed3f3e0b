import { DomainError } from "../../src/errors.ts";

const maxColumns = 2_000;

/**
 * Cells of a CSV by RFC 4180, with blanks around quotes, read character by character: slow, and plain enough to hold a quick
 * reader to.
 */
export function csvByCharacter(text: string, maxRecords = Number.POSITIVE_INFINITY, delimiter = ","): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let isQuoted = false;
  let rowHasQuotes = false;
  let isClosed = false;
  const wrongQuote = (): DomainError =>
    new DomainError(
      "PREDICTION_INPUT_INVALID",
      `${rows.length === 0 ? "The header" : `Row ${rows.length}`} has a quote that is not closed or not doubled.`,
    );
  const endRow = (): void => {
    row.push(cell);
    cell = "";
    isClosed = false;
    // A line of blanks is no row; `""` is one, whose only value is missing.
    if (row.length > 1 || !/^ *$/.test(row[0]!) || rowHasQuotes) rows.push(row);
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
        isClosed = true;
      }
    } else if (isClosed && character === " ") continue;
    else if (isClosed && ![delimiter, "\r", "\n"].includes(character)) throw wrongQuote();
    else if (character === '"' && /^ ?$/.test(cell)) {
      cell = "";
      isQuoted = true;
      rowHasQuotes = true;
    } else if (character === delimiter) {
      row.push(cell);
      cell = "";
      isClosed = false;
      if (row.length > maxColumns)
        throw new DomainError("PREDICTION_INPUT_INVALID", `A row has more than ${maxColumns} cells.`);
    } else if (character === "\n" || character === "\r") endRow();
    else cell += character;
  }
  if (isQuoted) throw wrongQuote();
  if (cell !== "" || row.length > 0 || rowHasQuotes) endRow();
  return rows;
}
