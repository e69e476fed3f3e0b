import { mayBeNames, nameOfDigits } from "../../tables/column-looks.ts";
import type { CsvReader } from "../../tables/csv-engine.ts";
import type { CsvHead } from "../../tables/csv-head.ts";
import {
  csvTable,
  isEmptyRow,
  isOfFormInSql,
  leftOutCell,
  numberIn,
  plainNumeral,
  withoutValues,
  withoutWords,
} from "../../tables/csv-table.ts";
import { missingNumbers, missingValues } from "../../tables/missing.ts";
import { sqlText } from "../../tables/sql-text.ts";
import { orEstimated } from "../engines/count-distinct.ts";
import { type CountedTarget, targetCounts, toCountedTarget } from "./count-target.ts";
import { faultOfFile } from "./fault-of-file.ts";

/** So many columns fit into an engine of 256 MB whatever they hold; a pass more costs less than a byte more for each. */
const columnsAtOnce = 800;

/** What is counted in a column. */
export interface ColumnCounts {
  /** Cells that are not empty, and no word for what is missing in every column. */
  readonly filled: number;
  /** Of these, words for missing numbers, and numbers that stand for one as their sender says. */
  readonly words: number;
  /** The others of them. */
  readonly numbers: number;
}

/** What is counted in a file. */
export interface Counts {
  readonly rows: number;
  readonly target: CountedTarget;
  readonly columns: readonly ColumnCounts[];
  /** Places of the columns without a name that hold values, but for the first, which is left out whatever it holds. */
  readonly filledUnnamed: readonly number[];
  readonly hasWordsInNumbers: boolean;
  /** Rows without a value in any column; among `rows`. */
  readonly emptyRows: number;
}

const isConversionFault = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith("Conversion Error");

/** What is asked of a column, as `ColumnCounts` has it. */
function countsOf(index: number, head: CsvHead, how: { readonly isDouble: boolean; readonly cast: string }): string[] {
  const cell = `c${index}`;
  const filled = `count(${cell})`;
  const words = `${filled} - count(${withoutWords(cell, missingNumbers)})`;
  const hasValues = missingValues(head.dialect).length > 0;
  if (how.isDouble) return [filled, "0", filled];
  if (head.looks[index] === "text") return [filled, "0", "0"];
  const form = head.dialect.numberForms?.[index];
  if (form !== undefined) {
    // Not by FILTER, which copies all columns for each: 2,000 took a minute.
    const ofForm = (value: string): string => `count(CASE WHEN ${isOfFormInSql(cell, form)} THEN ${value} END)`;
    if (!hasValues) return [filled, words, ofForm("1")];
    const numbers = ofForm(numberIn(index, head));
    return [filled, `${words} + ${ofForm("1")} - ${numbers}`, numbers];
  }
  const isOfNames = !head.saidTypes.has(index) && mayBeNames(head, index);
  const number = `${how.cast}(${plainNumeral(cell, head)} AS DOUBLE)`;
  const numbers = `count(${withoutValues(number, head.dialect)})`;
  const values = hasValues ? ` + count(${number}) - ${numbers}` : "";
  // Matched in the one way: by comparisons in nested CASE, 2,000 columns took five times as long.
  const names = `count(CASE WHEN regexp_matches(${cell}, ${sqlText(nameOfDigits)}) THEN 1 END)`;
  return [
    filled,
    `${how.cast === "CAST" ? "0" : words}${values}`,
    isOfNames ? `CASE WHEN ${names} > 0 THEN 0 ELSE ${numbers} END` : numbers,
  ];
}

/**
 * Counts in one go what stands in `columns`, and what `also` asks for.
 * One text for all counts: to read 4,000 columns of an answer holds the event loop for 100 ms.
 */
async function countIn(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  {
    columns,
    also,
    list = () => "NULL",
  }: {
    readonly columns: readonly number[];
    readonly also: (isDouble: (index: number) => boolean) => string[];
    /** What is no count. */
    readonly list?: (isDouble: (index: number) => boolean) => string;
  },
): Promise<{ counts: number[]; listed: unknown; isMisled: boolean }> {
  const ask = async (
    isDouble: (index: number) => boolean,
    isStrict: boolean,
  ): Promise<{ counts: number[]; listed: unknown }> => {
    const counts = columns.flatMap((index) => {
      const cast = isStrict && head.looks[index] === "numbers" ? "CAST" : "TRY_CAST";
      return countsOf(index, head, { isDouble: isDouble(index), cast });
    });
    const typeOf = (index: number) => (isDouble(index) ? "number" : "text");
    const table = csvTable(csvPath, head, { typeOf, isStrict: true });
    const [row = []] = await reader.query(
      `SELECT concat_ws(' ', ${[...also(isDouble), ...counts].join(", ")}), ${list(isDouble)} FROM ${table}`,
    );
    return { counts: String(row[0]).split(" ").map(Number), listed: row[1] };
  };
  try {
    // Numbers read as such cost half of text that is cast (docs/performance.md), and have lost a zero before them.
    const isDouble = (index: number): boolean => head.looks[index] === "numbers" && !mayBeNames(head, index);
    return { ...(await ask(isDouble, true)), isMisled: false };
  } catch (error) {
    if (!isConversionFault(error)) throw error;
  }
  // The first rows misled: a column that began with numbers holds words for missing numbers alone, or other text too.
  return { ...(await ask(() => false, false)), isMisled: true };
}

/**
 * Reads the file once, and once more for every 800 columns beyond the first, so that memory does not grow with them.
 * @throws DomainError naming what can't be read, and where
 */
export async function countCells(
  reader: CsvReader,
  csvPath: string,
  targetIndex: number,
  head: CsvHead,
): Promise<Counts> {
  const columns: ColumnCounts[] = [];
  const filledUnnamed: number[] = [];
  let hasWordsInNumbers = head.looks.includes("numbers and words");
  const take = (counts: readonly number[], isMisled: boolean): void => {
    hasWordsInNumbers ||= isMisled;
    for (let at = 0; at < counts.length; at += 3)
      columns.push({ filled: counts[at]!, words: counts[at + 1]!, numbers: counts[at + 2]! });
  };
  const slice = (from: number): number[] =>
    Array.from({ length: Math.min(columnsAtOnce, head.names.length - from) }, (_, place) => from + place);
  const unnamed = head.dialect.leftOutColumns.filter((place) => place > 0);
  try {
    const { counts, listed, isMisled } = await orEstimated((distinctOf, isExact) => {
      const inTarget = (isDouble: (index: number) => boolean) =>
        targetCounts(targetIndex, head, { isDouble: isDouble(targetIndex), isExact, distinctOf });
      const also = (isDouble: (index: number) => boolean): string[] => {
        const { distinct, filled } = inTarget(isDouble);
        return ["count(*)", distinct, filled];
      };
      return countIn(reader, csvPath, head, {
        columns: slice(0),
        also,
        list: (isDouble) => inTarget(isDouble).classes,
      });
    });
    const [rows = 0, targetDistinct = 0, targetFilled = 0, ...first] = counts;
    take(first, isMisled);
    for (let from = columnsAtOnce; from < head.names.length; from += columnsAtOnce) {
      const more = await countIn(reader, csvPath, head, { columns: slice(from), also: () => [] });
      take(more.counts, more.isMisled);
    }
    for (let from = 0; from < unnamed.length; from += columnsAtOnce) {
      const places = unnamed.slice(from, from + columnsAtOnce);
      const also = () => places.map((place) => `count(${leftOutCell(place)})`);
      const { counts: filled } = await countIn(reader, csvPath, head, { columns: [], also });
      filledUnnamed.push(...places.filter((_, index) => filled[index]! > 0));
    }
    const target = toCountedTarget(targetDistinct, targetFilled, listed);
    const mayBeEmpty = columns.length <= columnsAtOnce && columns.every(({ filled }) => filled < rows);
    const emptyRows = mayBeEmpty ? await countEmptyRows(reader, csvPath, head) : 0;
    return { rows, target, columns, filledUnnamed, hasWordsInNumbers, emptyRows };
  } catch (error) {
    throw await faultOfFile(error, csvPath, head);
  }
}

async function countEmptyRows(reader: CsvReader, csvPath: string, head: CsvHead): Promise<number> {
  const [row = []] = await reader.query(`SELECT count(*) FROM ${csvTable(csvPath, head)} WHERE ${isEmptyRow(head)}`);
  return Number(row[0] ?? 0);
}
