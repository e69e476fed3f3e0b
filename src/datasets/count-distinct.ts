import type { FileStorage } from "../storage/file-storage.ts";
import { type CsvEngine, csvTable } from "./csv-engine.ts";

/** Distinct values of one column of a kept dataset: tells classes from quantities when a run names another target. */
export async function countDistinct(
  { storage, csvEngine }: { storage: FileStorage; csvEngine: CsvEngine },
  datasetId: string,
  column: { readonly index: number; readonly columnCount: number },
): Promise<number> {
  const table = csvTable(storage.path("dataset", datasetId), column.columnCount);
  const [row = []] = await csvEngine.query(`SELECT count(DISTINCT c${column.index}) FROM ${table}`);
  return Number(row[0] ?? 0);
}
