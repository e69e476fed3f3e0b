import { MAX_CLASSES } from "../../models/training-target.ts";
import type { ColumnType } from "../../tables/column-type.ts";
import type { CsvReader } from "../../tables/csv-engine.ts";
import type { CsvHead } from "../../tables/csv-head.ts";
import { csvTable, numberIn, withoutWords } from "../../tables/csv-table.ts";
import { missingNumbers } from "../../tables/missing.ts";
import { orEstimated } from "../engines/count-distinct.ts";

/** More are not listed: there are enough to tell that they are too many to learn. */
const mostListed = 120;
const longestListed = 200;

/** What the checks know of the target. */
export interface CountedTarget {
  /** Distinct values. */
  readonly distinct: number;
  /** Rows with a value that can be learnt, as far as is known. */
  readonly filled: number;
  /** All classes but for very long ones; undefined where they are too many, or numbers. */
  readonly classes: readonly string[] | undefined;
}

/** SQL for the classes in a column of text, as JSON. They are listed, not counted beside: to count them twice costs a tenth of a check. */
function listed(cell: string): { distinct: string; classes: string } {
  const list = `list(DISTINCT ${cell})`;
  return {
    // NULL is in the list.
    distinct: `len(${list}) - CASE WHEN count(${cell}) < count(*) THEN 1 ELSE 0 END`,
    classes: `CASE WHEN len(${list}) <= ${mostListed} THEN to_json(list_filter(${list}, lambda text: strlen(text) <= ${longestListed}))::VARCHAR END`,
  };
}

/**
 * SQL for what is counted in the target, read as a number or as text.
 * @param distinctOf see orEstimated; without `isExact` nothing is listed
 */
export function targetCounts(
  index: number,
  head: CsvHead,
  { isDouble, isExact, distinctOf }: { isDouble: boolean; isExact: boolean; distinctOf: (cell: string) => string },
): { distinct: string; filled: string; classes: string } {
  const cell = `c${index}`;
  const finite = (number: string) => `count(CASE WHEN isfinite(${number}) THEN 1 END)`;
  if (isDouble) return { distinct: distinctOf(cell), filled: finite(cell), classes: "NULL" };
  // A lone value must not seem to be two by a word for a missing one.
  if (head.looks[index] !== "text")
    return {
      distinct: distinctOf(withoutWords(cell, missingNumbers)),
      filled: finite(numberIn(index, head)),
      classes: "NULL",
    };
  return {
    ...(isExact ? listed(cell) : { distinct: distinctOf(cell), classes: "NULL" }),
    filled: `count(${cell})`,
  };
}

/** Of the numbers counted by `targetCounts`. */
export function toCountedTarget(distinct: number, filled: number, classes: unknown): CountedTarget {
  const list = typeof classes === "string" ? (JSON.parse(classes) as string[]).sort() : undefined;
  return { distinct, filled, classes: list };
}

/** More spellings than that are no classes. */
const mostSpelled = 2 * MAX_CLASSES;

/**
 * How the classes of a target of numbers are spelled, where that is not as JavaScript spells them: `1.0` by `1`. Of a number
 * with two spellings there is none. Looked for only where the first rows have such a one.
 */
export async function spelledClasses(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  index: number,
): Promise<Record<string, string> | undefined> {
  const isSpelledOtherwise = (cell: string): boolean => cell !== "" && String(Number(cell)) !== cell;
  if (!head.firstRows.some((row) => isSpelledOtherwise((row[index] ?? "").trim()))) return undefined;
  const cells = `SELECT DISTINCT ${numberIn(index, head)} AS number, trim(c${index}) AS spelled FROM ${csvTable(csvPath, head)}`;
  const rows = await reader.query(
    `SELECT number, spelled FROM (${cells}) WHERE isfinite(number) LIMIT ${mostSpelled + 1}`,
  );
  if (rows.length > mostSpelled) return undefined;
  const spellings = Map.groupBy(rows, ([number]) => String(number));
  const spelled = [...spellings].flatMap(([number, all]) =>
    all.length === 1 && String(all[0]![1]) !== number ? [[number, String(all[0]![1])]] : [],
  );
  return spelled.length > 0 ? Object.fromEntries(spelled) : undefined;
}

/** A target of numbers with cells that are none, which count as missing. */
export async function countNumbers(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  index: number,
): Promise<CountedTarget> {
  const numbers = `SELECT ${numberIn(index, head)} AS number FROM ${csvTable(csvPath, head)}`;
  const [row = []] = await orEstimated((distinctOf) =>
    reader.query(`SELECT ${distinctOf("number")}, count(CASE WHEN isfinite(number) THEN 1 END) FROM (${numbers})`),
  );
  return { distinct: Number(row[0]), filled: Number(row[1]), classes: undefined };
}

/**
 * The target once its type is known. One of text is read once more where its first rows were not like the rest: it looked
 * like numbers.
 */
export async function describeTarget(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  { index, type, counted }: { index: number; type: ColumnType; counted: CountedTarget },
): Promise<CountedTarget> {
  if (type === "number" || head.looks[index] === "text") return counted;
  const cell = `c${index}`;
  const { distinct, classes } = listed(cell);
  const [row = []] = await reader.query(
    `SELECT ${distinct}, count(${cell}), ${classes} FROM ${csvTable(csvPath, head)}`,
  );
  return toCountedTarget(Number(row[0]), Number(row[1]), row[2]);
}
