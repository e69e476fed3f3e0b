import type { FileStorage } from "../../storage/file-storage.ts";
import { isOutOfMemory } from "../../tables/csv-engine.ts";
import { readHead } from "../../tables/csv-head.ts";
import { csvTable, numberIn } from "../../tables/csv-table.ts";
import type { CsvEngines } from "./csv-engines.ts";
import { type KeptTable, onTable } from "./on-table.ts";

/**
 * Counts distinct values of a cell in SQL exactly, and where they don't fit into the engine's memory, by estimate: there are
 * hundreds of thousands of them then, and it does not matter how many.
 */
export async function orEstimated<Value>(
  count: (distinctOf: (cell: string) => string, isExact: boolean) => Promise<Value>,
): Promise<Value> {
  try {
    return await count((cell) => `count(DISTINCT ${cell})`, true);
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
  }
  return count((cell) => `approx_count_distinct(${cell})`, false);
}

/** Distinct values of one column of a kept dataset: tells classes from quantities when a run names another target. */
export async function countDistinct(
  { storage, csvEngines }: { storage: FileStorage; csvEngines: CsvEngines },
  owner: string,
  dataset: KeptTable,
  columnIndex: number,
): Promise<number> {
  return onTable(storage, csvEngines.counts, { owner }, dataset, async (reader, csvPath) => {
    const head = await readHead(csvPath, dataset.dialect);
    const cell = dataset.dialect.strayColumns?.includes(columnIndex) ? numberIn(columnIndex, head) : `c${columnIndex}`;
    const [row = []] = await orEstimated((distinctOf) =>
      reader.query(`SELECT ${distinctOf(cell)} FROM ${csvTable(csvPath, head)}`),
    );
    return Number(row[0] ?? 0);
  });
}
