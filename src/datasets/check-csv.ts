import { DomainError } from "../errors.ts";
import type { ColumnSummary } from "../store/schema.ts";
import { type CsvEngine, csvTable } from "./csv-engine.ts";
import { type CsvHead, readHead } from "./csv-header.ts";
import { lineOfRecord } from "./csv-line.ts";
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
}

/** What DuckDB says of a file that it can't read, as a fault of the file. Cells of the file stand in its message, too. */
async function toFault(error: unknown, csvPath: string, head: CsvHead): Promise<unknown> {
  if (!(error instanceof Error)) return error;
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
      `${record === undefined ? "The file" : at} cannot be read as CSV: commas between cells, quotes doubled, line ends all of one kind.`,
      { cause: error },
    );
  }
  return error;
}

/** Rows, distinct values of the target, and for each column how many cells are filled and how many are numbers. */
async function count(engine: CsvEngine, csvPath: string, targetIndex: number, head: CsvHead): Promise<number[]> {
  const { looksNumeric } = head;
  const ask = async (isDouble: (index: number) => boolean): Promise<number[]> => {
    const counts = looksNumeric.flatMap((_, index) => {
      const cell = `c${index}`;
      return [`count(${cell})`, `count(${isDouble(index) ? cell : `try_cast(${cell} AS DOUBLE)`})`];
    });
    const table = csvTable(csvPath, head, (index) => (isDouble(index) ? "DOUBLE" : "VARCHAR"));
    const [first = []] = await engine.query(
      `SELECT count(*), count(DISTINCT c${targetIndex}), ${counts.join(", ")} FROM ${table}`,
    );
    return first.map(Number);
  };
  try {
    // Numbers read as such cost half of text that is cast (docs/performance.md).
    return await ask((index) => looksNumeric[index] === true);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("Conversion Error")))
      throw await toFault(error, csvPath, head);
  }
  try {
    // The first rows misled: a column that began with numbers holds text too.
    return await ask(() => false);
  } catch (error) {
    throw await toFault(error, csvPath, head);
  }
}

/**
 * Reads a CSV file once, or twice where its first rows mislead, and says what it holds.
 * @throws DomainError naming what is wrong and where
 */
export async function checkCsv(
  engine: CsvEngine,
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
  const row = await count(engine, csvPath, targetIndex, head);
  const [rowCount = 0, targetDistinct = 0, ...pairs] = row;
  if (rowCount < limits.minDataRows) {
    throw new DomainError(
      "TOO_FEW_ROWS",
      `The file has ${rowCount} rows below its header; ${limits.minDataRows} are the least.`,
    );
  }
  const filled = names.map((_, index) => pairs[2 * index] ?? 0);
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
    const isNumeric = filled[index]! > 0 && filled[index] === pairs[2 * index + 1];
    return { name, type: isNumeric ? "number" : "text" };
  });
  if (targetDistinct < 2) {
    throw new DomainError(
      "TARGET_SINGLE_CLASS",
      `The target «${target.slice(0, 80)}» has ${targetDistinct} distinct values: there is nothing to learn.`,
    );
  }
  return { columns, rowCount, target, task: taskOf({ type: columns[targetIndex]!.type, distinct: targetDistinct }) };
}
