import { hasNameOfDigits, nameOfDigits } from "../../tables/column-looks.ts";
import type { CsvReader } from "../../tables/csv-engine.ts";
import type { CsvHead } from "../../tables/csv-head.ts";
import { linesOfRows } from "../../tables/csv-line.ts";
import { csvTable, numberIn, withoutMissing } from "../../tables/csv-table.ts";
import { isMissing, isNumeral } from "../../tables/dialect.ts";
import { sqlText } from "../../tables/sql-text.ts";
import { faultOfFile } from "./fault-of-file.ts";

/** Cells that are none in a column that has many numbers, or dates. */
export interface StrayCells {
  readonly of: "numbers" | "dates";
  /** Of the columns that are not left out, from 0. */
  readonly index: number;
  readonly count: number;
  /** Numbers of the column, or dates. */
  readonly numbers: number;
  /** Whether so few are none that the column is one of these: at most 5 %. */
  readonly areNearly: boolean;
  readonly firstCell: string;
  /** Of the file's; of what is no text, the row. */
  readonly firstLine: number;
}

/** What was found, and in which columns nothing was looked for: they are too many. */
export interface FoundStrays {
  readonly strays: readonly StrayCells[];
  readonly passedOver: readonly number[];
}

/** Of a column's values that are there: with as many numbers it is one of them. */
const nearly = 0.95;
/** With as many its owner may have meant one, and is told. */
const many = 0.5;
export const areNearly = (count: number, strays: number): boolean => count >= nearly * (count + strays);
export const areMany = (count: number, strays: number): boolean => count >= many * (count + strays);
/** A pass over more of them would take too much memory. */
export const columnsAtOnce = 50;
/** Of those that the sender says nothing of; further ones are text. */
export const mostColumns = 400;

/** What was counted in a column; of one whose first rows have text there is no more than that. */
export interface CountedColumn {
  readonly type: "number" | "text" | "other";
  readonly numbers: number;
  /** Cells that are neither empty nor words for missing numbers. */
  readonly values: number;
}

/** Whether a column of text may have many numbers. */
function isSuspect({ type, numbers, values }: CountedColumn, index: number, head: CsvHead): boolean {
  const said = head.saidTypes.get(index);
  if (type !== "text") return false;
  if (said !== undefined) return said === "number";
  // Without its strays it would be text all the same.
  if (hasNameOfDigits(head, index)) return false;
  if (head.looks[index] !== "text") return numbers >= many * values;
  const cells = head.firstRows
    .map((row) => row[index] ?? "")
    .filter((cell) => !isMissing(cell, head.dialect, "number"));
  const numerals = cells.filter((cell) => isNumeral(cell.trim(), head.dialect));
  return numerals.length > 0 && numerals.length >= many * cells.length;
}

/**
 * The columns that have numbers and other text, with the first of it. The file is read once more where counts or first rows
 * show one, and not at all where they don't.
 */
export async function findStrays(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  counted: readonly CountedColumn[],
): Promise<FoundStrays> {
  const isSaid = (index: number): boolean => head.saidTypes.has(index);
  const suspects = [...counted.keys()].filter((index) => isSuspect(counted[index]!, index, head));
  const guessed = suspects.filter((index) => !isSaid(index));
  const asked = [...suspects.filter(isSaid), ...guessed.slice(0, mostColumns)];
  const strays: StrayCells[] = [];
  for (let from = 0; from < asked.length; from += columnsAtOnce)
    strays.push(...(await straysIn(reader, csvPath, head, asked.slice(from, from + columnsAtOnce))));
  return { strays: strays.sort((one, other) => one.index - other.index), passedOver: guessed.slice(mostColumns) };
}

async function straysIn(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  suspects: readonly number[],
): Promise<StrayCells[]> {
  // A number of a form must be looked at as such, or other text would become one.
  const strict = { ...head, dialect: { ...head.dialect, strayColumns: suspects } };
  const cells = suspects.flatMap((index) => {
    const cell = `c${index}`;
    const number = numberIn(index, strict);
    return [
      `${number} IS NOT NULL AS isNumber${index}`,
      `regexp_matches(${cell}, ${sqlText(nameOfDigits)}) AS isName${index}`,
      `CASE WHEN ${number} IS NULL THEN left(${withoutMissing(cell, head.dialect)}, 100) END AS stray${index}`,
    ];
  });
  const counts = suspects.flatMap((index) => [
    `count(stray${index})`,
    `count(CASE WHEN isNumber${index} THEN 1 END)`,
    `arg_min(stray${index}, n)`,
    `min(CASE WHEN stray${index} IS NOT NULL THEN n END)`,
    `count(CASE WHEN isName${index} THEN 1 END)`,
  ]);
  const table = `(SELECT row_number() OVER () AS n, ${cells} FROM ${csvTable(csvPath, head)})`;
  const [row = []] = await reader.query(`SELECT ${counts} FROM ${table}`).catch(async (error: unknown) => {
    throw await faultOfFile(error, csvPath, head);
  });
  const found = suspects.flatMap((index, at) => {
    const [stray, numeric, firstCell, firstRow, names] = row.slice(at * 5, at * 5 + 5);
    const count = Number(stray);
    const numbers = Number(numeric);
    const isMeant = head.saidTypes.has(index) ? numbers > 0 : areMany(numbers, count);
    if (count === 0 || !isMeant) return [];
    return [
      {
        of: "numbers" as const,
        index,
        count,
        numbers,
        // With a name of digits it is one of names, which would lose their zeros.
        areNearly: areNearly(numbers, count) && Number(names) === 0,
        firstCell: String(firstCell),
        firstRow: Number(firstRow),
      },
    ];
  });
  return withLines(csvPath, head, found);
}

/** The same with the lines of their first rows, where the file has lines. */
export async function withLines(
  csvPath: string,
  head: CsvHead,
  found: readonly (Omit<StrayCells, "firstLine"> & { readonly firstRow: number })[],
): Promise<StrayCells[]> {
  const rows = found.map(({ firstRow }) => firstRow);
  const isText = head.dialect.source.format === "csv" && rows.length > 0;
  const lines = isText ? await linesOfRows(csvPath, head, rows) : new Map<number, number>();
  return found.map(({ firstRow, ...stray }) => ({ ...stray, firstLine: lines.get(firstRow) ?? firstRow }));
}
