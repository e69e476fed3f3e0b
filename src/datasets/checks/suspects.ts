import type { CsvHead } from "../../tables/csv-head.ts";
import { linesOfRows } from "../../tables/csv-line.ts";

/** What was counted in a column; of one whose first rows have text there is no more than that. */
export interface CountedColumn {
  readonly type: "number" | "text" | "other";
  readonly numbers: number;
  /** Cells that are neither empty nor words for missing numbers. */
  readonly values: number;
}

/** Cells that are none in a column that has many numbers, dates or times. */
export interface FoundStray {
  readonly of: "numbers" | "dates" | "times";
  /** Of the columns that are not left out, from 0. */
  readonly index: number;
  readonly count: number;
  /** Numbers of the column, or dates, or times. */
  readonly numbers: number;
  /** Whether so few are none that the column is one of these: at most 5 %. */
  readonly areNearly: boolean;
  readonly firstCell: string;
  /** From 1, below the header. */
  readonly firstRow: number;
}

/** The same with the place in the file. */
export interface StrayCells extends Omit<FoundStray, "firstRow"> {
  /** Of the file's; of what is no text, the row. */
  readonly firstLine: number;
}

/** Of a column's values that are there: with as many numbers or dates it is one of them. */
const nearly = 0.95;
/** With as many its owner may have meant one, and is told. */
const many = 0.5;
export const areNearly = (count: number, strays: number): boolean => count >= nearly * (count + strays);
export const areMany = (count: number, strays: number): boolean => count >= many * (count + strays);

/** A pass over more of them would take too much memory. */
export const columnsAtOnce = 50;
/** Of those that the sender says nothing of; further ones are text. */
export const mostColumns = 400;

/**
 * Asks the file of columns that may be of some type, some at a time.
 * @returns the answers, and the places of columns of which it was not asked: they are too many
 */
export async function askOf<Suspect extends { readonly index: number }, Found>(
  suspects: readonly Suspect[],
  { saidTypes }: CsvHead,
  ask: (some: readonly Suspect[]) => Promise<readonly Found[]>,
): Promise<{ readonly found: Found[]; readonly passedOver: number[] }> {
  const [said, guessed] = [true, false].map((is) => suspects.filter(({ index }) => saidTypes.has(index) === is));
  const asked = [...said!, ...guessed!.slice(0, mostColumns)];
  const found: Found[] = [];
  for (let from = 0; from < asked.length; from += columnsAtOnce)
    found.push(...(await ask(asked.slice(from, from + columnsAtOnce))));
  return { found, passedOver: guessed!.slice(mostColumns).map(({ index }) => index) };
}

/** Strays with the lines of their first rows, where the file has lines, by their columns' places. */
export async function withLines(csvPath: string, head: CsvHead, found: readonly FoundStray[]): Promise<StrayCells[]> {
  const rows = found.map(({ firstRow }) => firstRow);
  const isText = head.dialect.source.format === "csv" && rows.length > 0;
  const lines = isText ? await linesOfRows(csvPath, head, rows) : new Map<number, number>();
  return found
    .map(({ firstRow, ...stray }) => ({ ...stray, firstLine: lines.get(firstRow) ?? firstRow }))
    .sort((one, other) => one.index - other.index);
}
