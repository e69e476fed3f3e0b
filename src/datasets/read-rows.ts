import type { FileStorage } from "../storage/file-storage.ts";
import { readHead } from "../tables/csv-head.ts";
import { csvTable, numberIn } from "../tables/csv-table.ts";
import type { CsvEngines } from "./csv-engines.ts";
import { type Dataset, dialectOf, keptFileOf } from "./dataset-repository.ts";
import { boundRows, type RowsPage, sizeOfPage } from "./rows-page.ts";

/** All 2,000 columns that a file may have don't fit into the engine's memory, and took the event loop 25 ms to hear of. */
const columnsAtOnce = 400;

/** Which rows, and until when they are of use. */
export interface WantedRows {
  readonly owner: string;
  readonly offset: number;
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** Rows of a kept dataset, in the file's order, typed as the checks found its columns. */
export async function readRows(
  { storage, csvEngines }: { storage: FileStorage; csvEngines: CsvEngines },
  dataset: Dataset,
  { owner, offset, limit, signal }: WantedRows,
): Promise<RowsPage> {
  const { columns } = dataset;
  if (offset >= dataset.row_count) return { rows: [], cut: [] };
  const dialect = dialectOf(dataset);
  const size = sizeOfPage(limit, columns.length);
  await using csv = await storage.localFile("dataset", keptFileOf(dataset), signal);
  const head = await readHead(csv.path, dialect);
  const table = csvTable(csv.path, head);
  const isNumber = (place: number): boolean => columns[place]?.type === "number";
  const finite = `lambda number: CASE WHEN isfinite(number) THEN number END`;
  // Awaited here: a copy of a file in a bucket goes with this function.
  return await csvEngines.counts.use({ owner, signal }, async (reader) => {
    const rows: unknown[][] = Array.from({ length: Math.min(size.rows, dataset.row_count - offset) }, () => []);
    for (let from = 0; from < columns.length; from += columnsAtOnce) {
      const places = [...columns.keys()].slice(from, from + columnsAtOnce);
      const cells = (ofNumbers: boolean): string =>
        `[${places.filter((place) => isNumber(place) === ofNumbers).map((place) => `c${place}`)}]::VARCHAR[]`;
      const wanted = `SELECT ${places.map((place) => `c${place}`)} FROM ${table} LIMIT ${rows.length} OFFSET ${offset}`;
      // Said once for all columns: to plan a conversion for each of 1,000 took two seconds. And one text a row: to hear of
      // 20,000 cells one by one held the event loop for 250 ms.
      const answer = await reader.query(
        `SELECT json_array(
          list_transform(list_transform(${cells(true)}, lambda cell: ${numberIn("cell", head)}), ${finite}),
          list_transform(${cells(false)}, lambda cell: left(cell, ${size.cellLength + 1})))::VARCHAR
        FROM (${wanted})`,
      );
      for (const [index, [json]] of answer.entries()) {
        const [numbers, texts] = (JSON.parse(String(json)) as unknown[][]).map((list) => list.values());
        for (const place of places) rows[index]!.push((isNumber(place) ? numbers : texts)!.next().value);
      }
    }
    return boundRows(rows, { firstRow: offset + 1, cellLength: size.cellLength });
  });
}
