import type { FileStorage, KeptFile } from "../storage/file-storage.ts";
import { readHead } from "../tables/csv-head.ts";
import { csvTable } from "../tables/csv-table.ts";
import type { Dialect } from "../tables/dialect.ts";
import { isOutOfMemory } from "./csv-engine.ts";
import type { CsvEngines } from "./csv-engines.ts";

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
  dataset: KeptFile & { readonly dialect: Dialect },
  columnIndex: number,
): Promise<number> {
  await using csv = await storage.localFile("dataset", dataset);
  const table = csvTable(csv.path, await readHead(csv.path, dataset.dialect));
  // Awaited here: a copy of a file in a bucket goes with this function.
  return await csvEngines.counts.use({ owner }, async (reader) => {
    const [row = []] = await orEstimated((distinctOf) =>
      reader.query(`SELECT ${distinctOf(`c${columnIndex}`)} FROM ${table}`),
    );
    return Number(row[0] ?? 0);
  });
}
