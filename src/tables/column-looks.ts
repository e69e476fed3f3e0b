import type { ColumnType } from "./column-type.ts";
import { type Dialect, isMissing, isNumeral } from "./dialect.ts";
import { findNumberForms } from "./find-number-forms.ts";
import type { NumberForm } from "./number-form.ts";

/** What a column holds: numbers alone, numbers and words that stand for missing numbers only, numbers of a form, other text. */
export type ColumnLook = "numbers" | "numbers and words" | "numbers of a form" | "text";

/** Of each column, by its place in the rows. */
export interface ColumnLooks {
  readonly looks: ColumnLook[];
  /** Of the columns whose numbers are written in one. */
  readonly forms: Readonly<Record<number, NumberForm>>;
}

/** What the sender says that columns are, by their places. */
export type SaidTypes = ReadonlyMap<number, ColumnType>;

/**
 * What the columns of the first rows hold.
 * @param known forms, where they were found out before; else they are by these rows
 */
export function looksOf(
  firstRows: readonly (readonly string[])[],
  columnCount: number,
  {
    dialect,
    known,
    saidTypes = new Map(),
    isForModel = false,
  }: { dialect: Dialect; known?: ColumnLooks["forms"]; saidTypes?: SaidTypes; isForModel?: boolean },
): ColumnLooks {
  const looks = new Array<ColumnLook>(columnCount).fill("numbers");
  for (const cells of firstRows)
    for (const [index, cell] of cells.entries()) {
      if (index >= columnCount || looks[index] === "text" || cell.trim() === "" || isNumber(cell, dialect)) continue;
      // DuckDB's reader of numbers knows the words of every column.
      if (isMissing(cell, dialect, "text")) continue;
      looks[index] = isMissing(cell, dialect, "number") ? "numbers and words" : "text";
    }
  const found =
    known ?? findNumberForms(firstRows, { dialect, isText: looks.map((look) => look === "text"), isForModel });
  const forms = Object.fromEntries(
    Object.entries(found).filter(([index]) => (saidTypes.get(Number(index)) ?? "number") === "number"),
  );
  for (const index of Object.keys(forms)) looks[Number(index)] = "numbers of a form";
  for (const [index, type] of saidTypes) {
    if (type !== "number") looks[index] = "text";
    else if (looks[index] === "text") looks[index] = "numbers and words";
  }
  return { looks, forms };
}

/**
 * Of a cell that is a name for all its digits, as `02134` and 9007199254740993001 are; JavaScript and DuckDB read it alike. As
 * numbers the first would lose its zero, the second its last digits.
 */
export const nameOfDigits = "^[ \\t]*[+-]?(0\\d+|\\d{16,})[ \\t]*$";
const isNameOfDigits = new RegExp(nameOfDigits);

/** What a file begins with. */
interface FirstRows {
  readonly firstRows: readonly (readonly string[])[];
  readonly dialect: Dialect;
}

/** Whether one stands in a column of the first rows. */
export const hasNameOfDigits = ({ firstRows, dialect }: FirstRows, index: number): boolean =>
  firstRows.some(
    (cells) => isNameOfDigits.test(cells[index] ?? "") && !isMissing(cells[index] ?? "", dialect, "number"),
  );

/** With what DuckDB takes besides, as `inf` and `1_000`. */
function isNumber(cell: string, dialect: Dialect): boolean {
  const text = cell.trim().replace(/(?<=\d)_(?=\d)/g, "");
  if (isNumeral(text, dialect)) return !isNameOfDigits.test(text);
  return /^[+-]?(nan|inf|infinity)$/i.test(text);
}

/** Of a wide table two rows are looked at, and all its columns would seem to have one length. */
const enoughCells = 10;

/**
 * Whether a column of numbers is one of names as likely: whole ones of one length, three digits or more. To look for names in
 * such a column doubles what its check costs: numbers are read as text then.
 */
export function mayBeNames({ firstRows, dialect }: FirstRows, index: number): boolean {
  let length = 0;
  let count = 0;
  for (const cells of firstRows) {
    const cell = cells[index] ?? "";
    if (!/\d/.test(cell) || isMissing(cell, dialect, "number")) continue;
    length ||= cell.length;
    count += 1;
    if (cell.length !== length || length < 3 || !/^\d+$/.test(cell)) return false;
  }
  return count >= enoughCells;
}
