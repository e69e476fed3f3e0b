import { type Dialect, isMissing, isNumeral } from "./dialect.ts";
import { findNumberForms } from "./find-number-forms.ts";
import type { NumberForm } from "./number-form.ts";

/** What a column holds: numbers alone, numbers and words for missing ones, numbers of a form and such words, other text. */
export type ColumnLook = "numbers" | "numbers and words" | "numbers of a form" | "text";

/** Of each column, by its place in the rows. */
export interface ColumnLooks {
  readonly looks: ColumnLook[];
  /** Of the columns whose numbers are written in one. */
  readonly forms: Readonly<Record<number, NumberForm>>;
}

/**
 * What the columns of the first rows hold.
 * @param known forms, where they were found out before; else they are by these rows
 */
export function looksOf(
  firstRows: readonly (readonly string[])[],
  columnCount: number,
  { dialect, known, isForModel = false }: { dialect: Dialect; known?: ColumnLooks["forms"]; isForModel?: boolean },
): ColumnLooks {
  const looks = new Array<ColumnLook>(columnCount).fill("numbers");
  for (const cells of firstRows)
    for (const [index, cell] of cells.entries()) {
      if (index >= columnCount || looks[index] === "text" || cell.trim() === "" || isNumber(cell, dialect)) continue;
      looks[index] = isMissing(cell, dialect, "number") ? "numbers and words" : "text";
    }
  const forms =
    known ?? findNumberForms(firstRows, { dialect, isText: looks.map((look) => look === "text"), isForModel });
  for (const index of Object.keys(forms)) looks[Number(index)] = "numbers of a form";
  return { looks, forms };
}

/** With what DuckDB takes besides, as `inf` and `1_000`. */
function isNumber(cell: string, dialect: Dialect): boolean {
  const text = cell.trim().replace(/(?<=\d)_(?=\d)/g, "");
  return isNumeral(text, dialect) || /^[+-]?(nan|inf|infinity)$/i.test(text);
}
