import { hasNameOfDigits } from "../tables/column-looks.ts";
import type { CsvReader } from "../tables/csv-engine.ts";
import type { CsvHead } from "../tables/csv-head.ts";
import { linesOfRows } from "../tables/csv-line.ts";
import { csvTable, numberIn, withoutMissing } from "../tables/csv-table.ts";
import { isMissing, isNumeral } from "../tables/dialect.ts";
import type { StrayCells } from "./dataset-warnings.ts";

/** Of a column's values that are there: with as many numbers the others are strays. */
const nearly = 0.95;
/** The same of the first rows alone, which may have more strays by chance. */
const nearlyAtFirst = 0.9;
/** A pass over more of them would take too much memory; the other warnings are as good. */
const mostColumns = 50;

/** What was counted in a column; of one whose first rows have text there is no more than that. */
export interface CountedColumn {
  readonly type: "number" | "text";
  readonly numbers: number;
  /** Cells that are neither empty nor words for missing numbers. */
  readonly values: number;
}

/** Whether a column of text may be one of numbers but for some cells. */
function isSuspect({ type, numbers, values }: CountedColumn, index: number, head: CsvHead): boolean {
  // Without its strays it would be text all the same.
  if (type === "number" || hasNameOfDigits(head.firstRows, index)) return false;
  if (head.looks[index] !== "text") return numbers >= nearly * values;
  const cells = head.firstRows
    .map((row) => row[index] ?? "")
    .filter((cell) => !isMissing(cell, head.dialect, "number"));
  const numerals = cells.filter((cell) => isNumeral(cell.trim(), head.dialect));
  return numerals.length >= nearlyAtFirst * cells.length;
}

/**
 * The columns of text that are numbers but for a few cells, with the first of these. The file is read once more where counts
 * or first rows show one, and not at all where they don't.
 */
export async function findStrays(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  counted: readonly CountedColumn[],
): Promise<StrayCells[]> {
  const suspects = [...counted.keys()].filter((index) => isSuspect(counted[index]!, index, head)).slice(0, mostColumns);
  if (suspects.length === 0) return [];
  const cells = suspects.flatMap((index) => {
    const cell = `c${index}`;
    const number = numberIn(index, head);
    return [
      `${number} IS NOT NULL AS isNumber${index}`,
      `CASE WHEN ${number} IS NULL THEN left(${withoutMissing(cell, head.dialect)}, 100) END AS stray${index}`,
    ];
  });
  const asked = suspects.flatMap((index) => [
    `count(stray${index})`,
    `count(CASE WHEN isNumber${index} THEN 1 END)`,
    `arg_min(stray${index}, n)`,
    `min(CASE WHEN stray${index} IS NOT NULL THEN n END)`,
  ]);
  const [row = []] = await reader.query(
    `SELECT ${asked} FROM (SELECT row_number() OVER () AS n, ${cells} FROM ${csvTable(csvPath, head)})`,
  );
  const found = suspects
    .map((index, at) => {
      const [count, numbers, firstCell, firstRow] = row.slice(at * 4, at * 4 + 4);
      return {
        index,
        count: Number(count),
        numbers: Number(numbers),
        firstCell: String(firstCell),
        firstRow: Number(firstRow),
      };
    })
    .filter(({ count, numbers }) => count > 0 && numbers >= nearly * (count + numbers));
  const rows = found.map(({ firstRow }) => firstRow);
  const lines =
    head.dialect.source.format === "csv" ? await linesOfRows(csvPath, head, rows) : new Map<number, number>();
  return found.map(({ firstRow, ...stray }) => ({ ...stray, firstLine: lines.get(firstRow) ?? firstRow }));
}
