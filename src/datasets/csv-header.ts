import { open } from "node:fs/promises";
import { DomainError } from "../errors.ts";

const maxHeaderBytes = 262_144;
const maxColumns = 2_000;

/** The cells of the first record; undefined when it does not end within the text. */
function firstRecord(text: string, isWholeFile: boolean): string[] | undefined {
  const cells: string[] = [];
  let cell = "";
  let isQuoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]!;
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[index + 1] === '"') {
        cell += '"';
        index += 1;
      } else isQuoted = false;
    } else if (character === '"' && cell === "") isQuoted = true;
    else if (character === ",") {
      cells.push(cell);
      cell = "";
    } else if (character === "\n" || character === "\r") return [...cells, cell];
    else cell += character;
  }
  return isWholeFile && !isQuoted ? [...cells, cell] : undefined;
}

/**
 * Column names of a CSV file, trimmed.
 * @throws DomainError HEADER_MISSING, COLUMN_NAMES_INVALID, TOO_FEW_COLUMNS
 */
export async function readHeader(csvPath: string): Promise<string[]> {
  const handle = await open(csvPath);
  let bytes: Buffer;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxHeaderBytes), 0, maxHeaderBytes, 0);
    bytes = buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
  const text = bytes.toString("utf8").replace(/^\uFEFF/, "");
  if (text.trim() === "")
    throw new DomainError("HEADER_MISSING", "The file is empty: its first line must name the columns.");
  const cells = firstRecord(text, bytes.length < maxHeaderBytes);
  if (cells === undefined)
    throw new DomainError(
      "HEADER_MISSING",
      "The first line does not end or has an open quote: it must name the columns.",
    );
  const names = cells.map((cell) => cell.trim());
  if (names.every((name) => name === ""))
    throw new DomainError("HEADER_MISSING", "The first line is blank: it must name the columns.");
  if (names.length > 1 && names.every((name) => name !== "" && Number.isFinite(Number(name)))) {
    throw new DomainError("HEADER_MISSING", "The first line holds only numbers: it must name the columns.");
  }
  if (names.length < 2)
    throw new DomainError(
      "TOO_FEW_COLUMNS",
      "The file has one column: a feature and a target are the least, separated by commas.",
    );
  if (names.length > maxColumns)
    throw new DomainError("COLUMN_NAMES_INVALID", `The file has ${names.length} columns; ${maxColumns} are the most.`);
  const empty = names.indexOf("");
  if (empty >= 0) throw new DomainError("COLUMN_NAMES_INVALID", `Column ${empty + 1} has no name.`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new DomainError("COLUMN_NAMES_INVALID", `Two columns are named «${twice.slice(0, 80)}».`);
  return names;
}
