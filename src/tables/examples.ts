import type { ColumnType } from "./column-type.ts";
import type { CsvHead } from "./csv-head.ts";
import { isMissing } from "./dialect.ts";

const examplesOfColumn = 3;
const longestExample = 40;
/** Of wider tables there are none: an answer with them would be too large to be made in one go. */
const widestTable = 200;

/**
 * The first values of each column that differ, as they are written, cut at 40 characters; undefined of a table of more than 200 columns.
 * @param types of the columns, as they are known now
 */
export function examplesOf(
  { names, firstRows, dialect }: Pick<CsvHead, "names" | "firstRows" | "dialect">,
  types: readonly ColumnType[],
): string[][] | undefined {
  if (names.length > widestTable) return undefined;
  return names.map((_, index) => {
    const type = types[index] === "text" ? "text" : "number";
    const values = new Set<string>();
    for (const cells of firstRows) {
      const cell = cells[index] ?? "";
      // Half of a pair of surrogates at the cut is no text.
      if (!isMissing(cell, dialect, type)) values.add(cell.slice(0, longestExample).toWellFormed());
      if (values.size === examplesOfColumn) break;
    }
    return [...values];
  });
}
