import { DomainError } from "../errors.ts";
import type { ColumnSummary } from "../store/schema.ts";
import { type CsvEngine, csvTable } from "./csv-engine.ts";
import { readHead } from "./csv-header.ts";
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

function toFault(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const line = /CSV Error on Line: (\d+)/.exec(error.message)?.[1];
  const at = line === undefined ? "A row" : `Line ${line}`;
  const expected = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(error.message);
  if (expected !== null) {
    return new DomainError(
      "ROW_RAGGED",
      `${at} has ${expected[2]} cells, the header ${expected[1]}. Each row needs as many.`,
      { cause: error },
    );
  }
  if (/unterminated quote|quote/i.test(error.message)) {
    return new DomainError("ROW_RAGGED", `${at} has a quote that is not closed or not doubled.`, { cause: error });
  }
  if (/not utf-8|unicode|encod/i.test(error.message)) {
    return new DomainError("WRONG_ENCODING", `${at} is not UTF-8. Save the file as UTF-8.`, { cause: error });
  }
  if (/CSV Error|Maximum line size/i.test(error.message)) {
    return new DomainError(
      "NOT_CSV",
      `${at} cannot be read as CSV: commas between cells, quotes doubled, rows up to 1 MiB.`,
      { cause: error },
    );
  }
  return error;
}

/** Rows, distinct values of the target, and for each column how many cells are filled and how many are numbers. */
async function count(
  engine: CsvEngine,
  csvPath: string,
  targetIndex: number,
  looksNumeric: readonly boolean[],
): Promise<number[]> {
  const columnCount = looksNumeric.length;
  const ask = async (isDouble: (index: number) => boolean): Promise<number[]> => {
    const counts = looksNumeric.flatMap((_, index) => {
      const cell = `c${index}`;
      return [`count(${cell})`, `count(${isDouble(index) ? cell : `try_cast(${cell} AS DOUBLE)`})`];
    });
    const table = csvTable(csvPath, columnCount, (index) => (isDouble(index) ? "DOUBLE" : "VARCHAR"));
    const [first = []] = await engine.query(
      `SELECT count(*), count(DISTINCT c${targetIndex}), ${counts.join(", ")} FROM ${table}`,
    );
    return first.map(Number);
  };
  try {
    // Numbers read as such cost half of text that is cast (docs/performance.md).
    return await ask((index) => looksNumeric[index] === true);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("Conversion Error"))) throw toFault(error);
  }
  try {
    // The first rows misled: a column that began with numbers holds text too.
    return await ask(() => false);
  } catch (error) {
    throw toFault(error);
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
  const { names, looksNumeric } = await readHead(csvPath);
  const target = wishedTarget ?? chooseTarget(names);
  const targetIndex = names.indexOf(target);
  if (targetIndex < 0) {
    throw new DomainError(
      "TARGET_UNKNOWN",
      `The file has no column «${target.slice(0, 80)}». It has: ${names.slice(0, 20).join(", ").slice(0, 400)}.`,
    );
  }
  const row = await count(engine, csvPath, targetIndex, looksNumeric);
  const [rowCount = 0, targetDistinct = 0, ...pairs] = row;
  if (rowCount < limits.minDataRows) {
    throw new DomainError(
      "TOO_FEW_ROWS",
      `The file has ${rowCount} rows below its header; ${limits.minDataRows} are the least.`,
    );
  }
  const filled = names.map((_, index) => pairs[2 * index] ?? 0);
  const emptyRatio = 1 - filled.reduce((sum, count) => sum + count, 0) / (rowCount * names.length);
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
