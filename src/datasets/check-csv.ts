import { stat } from "node:fs/promises";
import { DomainError } from "../errors.ts";
import type { ColumnSummary } from "../store/schema.ts";
import { type CsvHead, readHead } from "../tables/csv-head.ts";
import { lineOfRecord } from "../tables/csv-line.ts";
import { csvTable, leftOutCell, numberIn, sqlText } from "../tables/csv-table.ts";
import type { Dialect } from "../tables/dialect.ts";
import { missingWords } from "../tables/missing.ts";
import { orEstimated } from "./count-distinct.ts";
import { type CsvReader, isOutOfMemory } from "./csv-engine.ts";
import { chooseTarget, taskOf } from "./target-policy.ts";

/** Limits of what is taken. */
export interface CsvLimits {
  readonly minDataRows: number;
  /** 0 to 1. */
  readonly maxEmptyRatio: number;
}

/** What the checks found in a good file. */
export interface CheckedCsv {
  readonly columns: ColumnSummary[];
  readonly rowCount: number;
  readonly target: string;
  readonly task: "classification" | "regression";
  readonly dialect: Dialect;
}

/** So many columns fit into an engine of 256 MB whatever they hold; a pass more costs less than a byte more for each. */
const columnsAtOnce = 800;

/** What DuckDB says of a file that it can't read, as a fault of the file. Cells of the file stand in its message, too. */
async function toFault(error: unknown, csvPath: string, head: CsvHead): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  if (isOutOfMemory(error)) {
    // Its own engine and no other's: sent again, it would fail again.
    const said = /\(([\d.]+ [KMG]iB)\/([\d.]+ [KMG]iB) used\)/.exec(error.message);
    return new DomainError(
      "DATASET_TOO_WIDE",
      `The file's rows are too long to be checked in ${said?.[2] ?? "the memory"} that there is for a file: it has ${head.names.length} columns, ${(await stat(csvPath)).size} bytes. Send fewer columns or shorter cells.`,
      { cause: error },
    );
  }
  const said = error.message.slice(0, error.message.lastIndexOf("\nPossible ")).trimEnd();
  const record = /^Invalid Input Error: CSV Error on Line: (\d+)$/m.exec(said)?.[1];
  const at = record === undefined ? "A row" : `Line ${await lineOfRecord(csvPath, head, Number(record))}`;
  const expected = /\nExpected Number of Columns: (\d+) Found: (\d+)$/.exec(said);
  if (expected !== null) {
    return new DomainError(
      "ROW_RAGGED",
      `${at} has ${expected[2]} cells, the header ${expected[1]}. Each row needs as many.`,
      { cause: error },
    );
  }
  if (said.endsWith("\nValue with unterminated quote found.")) {
    return new DomainError("ROW_RAGGED", `${at} has a quote that is not closed or not doubled.`, { cause: error });
  }
  if (/\nMaximum line size of \d+ bytes exceeded\. Actual Size:\d+ bytes\.$/.test(said)) {
    return new DomainError("NOT_CSV", `${at} is longer than 1 MiB, the most that a row may have.`, { cause: error });
  }
  if (/^Invalid Input Error: .*CSV/.test(said)) {
    return new DomainError(
      "NOT_CSV",
      `${record === undefined ? "The file" : at} cannot be read as CSV: «${head.dialect.delimiter}» between cells, quotes doubled, line ends all of one kind.`,
      { cause: error },
    );
  }
  return error;
}

/** What is counted in a file: rows, distinct values of the target, and of each column its filled cells and its numbers. */
interface Counts {
  readonly rows: number;
  /** Filled cells of each column that is left out. */
  readonly leftOut: readonly number[];
  readonly targetDistinct: number;
  readonly filled: readonly number[];
  readonly numeric: readonly number[];
}

const isConversionFault = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith("Conversion Error");

/**
 * Counts in one go what stands in `columns`, and what `also` asks for.
 * One text for all counts: to read 4,000 columns of an answer holds the event loop for 100 ms.
 */
async function countIn(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  { columns, also }: { readonly columns: readonly number[]; readonly also: readonly string[] },
): Promise<number[]> {
  const ask = async (isDouble: (index: number) => boolean, missing: readonly string[]): Promise<number[]> => {
    const counts = columns.flatMap((index) => {
      const cell = `c${index}`;
      return [`count(${cell})`, `count(${isDouble(index) ? cell : numberIn(cell, head)})`];
    });
    const typeOf = (index: number) => (isDouble(index) ? "DOUBLE" : "VARCHAR");
    const table = csvTable(csvPath, head, { typeOf, missing });
    const [row = []] = await reader.query(`SELECT concat_ws(' ', ${[...also, ...counts].join(", ")}) FROM ${table}`);
    return String(row[0]).split(" ").map(Number);
  };
  // Numbers read as such cost half of text that is cast (docs/performance.md). Where the first rows misled, a column that
  // began with numbers holds words for missing values that they don't have, or other text too.
  for (const missing of [head.seenMissing, missingWords]) {
    try {
      return await ask((index) => head.looksNumeric[index] === true, missing);
    } catch (error) {
      if (!isConversionFault(error)) throw error;
    }
  }
  return ask(() => false, missingWords);
}

/** A target of text is read without all words for what is missing, and a class must not be one. */
function targetCell(index: number, { looksNumeric }: CsvHead): string {
  const cell = `c${index}`;
  if (looksNumeric[index] === true) return cell;
  return `CASE WHEN ${cell} NOT IN (${missingWords.map(sqlText).join(", ")}) THEN ${cell} END`;
}

/** Reads the file once, and once more for every 800 columns beyond the first, so that memory does not grow with them. */
async function count(reader: CsvReader, csvPath: string, targetIndex: number, head: CsvHead): Promise<Counts> {
  const filled: number[] = [];
  const numeric: number[] = [];
  const take = (counts: readonly number[]): void => {
    for (let at = 0; at < counts.length; at += 2) {
      filled.push(counts[at]!);
      numeric.push(counts[at + 1]!);
    }
  };
  const slice = (from: number): number[] =>
    Array.from({ length: Math.min(columnsAtOnce, head.names.length - from) }, (_, place) => from + place);
  try {
    const { leftOutColumns } = head.dialect;
    const unnamed = leftOutColumns.map((place) => `count(${leftOutCell(place)})`);
    const [rows = 0, targetDistinct = 0, ...counts] = await orEstimated(targetCell(targetIndex, head), (distinct) =>
      countIn(reader, csvPath, head, { columns: slice(0), also: ["count(*)", distinct, ...unnamed] }),
    );
    const leftOut = counts.splice(0, unnamed.length);
    take(counts);
    for (let from = columnsAtOnce; from < head.names.length; from += columnsAtOnce)
      take(await countIn(reader, csvPath, head, { columns: slice(from), also: [] }));
    return { rows, leftOut, targetDistinct, filled, numeric };
  } catch (error) {
    throw await toFault(error, csvPath, head);
  }
}

/**
 * Reads a CSV file once, or more often where it is wide or its first rows mislead, and says what it holds.
 * @throws DomainError naming what is wrong and where
 */
export async function checkCsv(
  reader: CsvReader,
  csvPath: string,
  wishedTarget: string | undefined,
  limits: CsvLimits,
): Promise<CheckedCsv> {
  const head = await readHead(csvPath);
  const { names } = head;
  const target = wishedTarget ?? chooseTarget(names);
  const targetIndex = names.indexOf(target);
  if (targetIndex < 0) {
    throw new DomainError(
      "TARGET_UNKNOWN",
      `The file has no column «${target.slice(0, 80)}». It has: ${names.slice(0, 20).join(", ").slice(0, 400)}.`,
    );
  }
  const { rows: rowCount, leftOut, targetDistinct, filled, numeric } = await count(reader, csvPath, targetIndex, head);
  const { leftOutColumns } = head.dialect;
  const unnamed = leftOutColumns.find((place, index) => place > 0 && leftOut[index]! > 0);
  if (unnamed !== undefined)
    throw new DomainError(
      "COLUMN_NAMES_INVALID",
      `Column ${unnamed + 1} has no name, and values in it. Only the first column, as an index is, and empty ones are left out without a name.`,
    );
  if (rowCount < limits.minDataRows) {
    throw new DomainError(
      "TOO_FEW_ROWS",
      `The file has ${rowCount} rows below its header; ${limits.minDataRows} are the least.`,
    );
  }
  const cellCount = rowCount * names.length;
  // Divided once: 1 - 7 / 10 is more than 0.3.
  const emptyRatio = (cellCount - filled.reduce((sum, count) => sum + count, 0)) / cellCount;
  if (emptyRatio > limits.maxEmptyRatio) {
    throw new DomainError(
      "TOO_MANY_EMPTY_CELLS",
      `${(emptyRatio * 100).toFixed(1)} % of the cells are empty; ${(limits.maxEmptyRatio * 100).toFixed(1)} % are the most.`,
    );
  }
  const columns = names.map((name, index): ColumnSummary => {
    const isNumeric = filled[index]! > 0 && filled[index] === numeric[index];
    return { name, type: isNumeric ? "number" : "text" };
  });
  if (targetDistinct < 2) {
    throw new DomainError(
      "TARGET_SINGLE_CLASS",
      `The target «${target.slice(0, 80)}» has ${targetDistinct} distinct values: there is nothing to learn.`,
    );
  }
  return {
    dialect: head.dialect,
    columns,
    rowCount,
    target,
    task: taskOf({ type: columns[targetIndex]!.type, distinct: targetDistinct }),
  };
}
