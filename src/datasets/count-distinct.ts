import type { FileStorage, KeptFile } from "../storage/file-storage.ts";
import { type CsvEngine, csvTable } from "./csv-engine.ts";
import { readHead } from "./csv-header.ts";

/** Distinct values of one column of a kept dataset: tells classes from quantities when a run names another target. */
export async function countDistinct(
  { storage, csvEngine }: { storage: FileStorage; csvEngine: CsvEngine },
  dataset: KeptFile,
  columnIndex: number,
): Promise<number> {
  await using csv = await storage.localFile("dataset", dataset);
  const table = csvTable(csv.path, await readHead(csv.path));
  const [row = []] = await csvEngine.query(`SELECT count(DISTINCT c${columnIndex}) FROM ${table}`);
  return Number(row[0] ?? 0);
}
