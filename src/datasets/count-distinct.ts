import type { FileStorage } from "../storage/file-storage.ts";
import { type CsvEngine, csvTable } from "./csv-engine.ts";
import { readHead } from "./csv-header.ts";

/** Distinct values of one column of a kept dataset: tells classes from quantities when a run names another target. */
export async function countDistinct(
  { storage, csvEngine }: { storage: FileStorage; csvEngine: CsvEngine },
  datasetId: string,
  columnIndex: number,
): Promise<number> {
  const csvPath = storage.path("dataset", datasetId);
  const table = csvTable(csvPath, await readHead(csvPath));
  const [row = []] = await csvEngine.query(`SELECT count(DISTINCT c${columnIndex}) FROM ${table}`);
  return Number(row[0] ?? 0);
}
