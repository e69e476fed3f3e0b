import type { FileStorage } from "../storage/file-storage.ts";
import { readHead } from "../tables/csv-head.ts";
import { csvTable, numberIn, plainNumberIn, valueIn } from "../tables/csv-table.ts";
import { isoInSql } from "../tables/date-form.ts";
import type { ColumnType } from "../tables/dialect.ts";
import { truthInSql } from "../tables/truth.ts";
import type { CsvEngines } from "./csv-engines.ts";
import { type Dataset, dialectOf, keptFileOf } from "./dataset-repository.ts";
import { onTable } from "./on-table.ts";
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
  const kindOf = (place: number): "form" | ColumnType => {
    const { type } = columns[place]!;
    return type === "number" && dialect.numberForms?.[place] !== undefined ? "form" : type;
  };
  const finite = "lambda number: CASE WHEN isfinite(number) THEN number END";
  const table = { ...keptFileOf(dataset), dialect };
  return onTable(storage, csvEngines.counts, { owner, signal }, table, async (reader, csvPath) => {
    const head = await readHead(csvPath, dialect);
    const csv = csvTable(csvPath, head);
    const rows: unknown[][] = Array.from({ length: Math.min(size.rows, dataset.row_count - offset) }, () => []);
    for (let from = 0; from < columns.length; from += columnsAtOnce) {
      const places = [...columns.keys()].slice(from, from + columnsAtOnce);
      const cells = (kind: ReturnType<typeof kindOf>, cellOf: (place: number) => string, type: string): string =>
        `[${places.filter((place) => kindOf(place) === kind).map(cellOf)}]::${type}[]`;
      const text = (place: number): string => `c${place}`;
      const wanted = `SELECT ${places.map(text)} FROM ${csv} LIMIT ${rows.length} OFFSET ${offset}`;
      // Said once for all columns: to plan a conversion for each of 1,000 took two seconds. And one text a row: to hear of
      // 20,000 cells one by one held the event loop for 250 ms.
      const answer = await reader.query(
        `SELECT json_array(
          list_transform(list_transform(${cells("number", text, "VARCHAR")}, lambda cell: ${plainNumberIn("cell", head)}), ${finite}),
          list_transform(${cells("form", (place) => numberIn(place, head), "DOUBLE")}, ${finite}),
          list_transform(${cells("text", text, "VARCHAR")}, lambda cell: left(cell, ${size.cellLength + 1})),
          list_transform(${cells("date", (place) => valueIn(place, "date", head), "TIMESTAMP")}, lambda time: ${isoInSql("time")}),
          list_transform(${cells("boolean", text, "VARCHAR")}, lambda cell: ${truthInSql("cell")}))::VARCHAR
        FROM (${wanted})`,
      );
      for (const [index, [json]] of answer.entries()) {
        const [number, form, texts, date, boolean] = (JSON.parse(String(json)) as unknown[][]).map((list) =>
          list.values(),
        );
        const listOf = { number, form, text: texts, date, boolean };
        for (const place of places) rows[index]!.push(listOf[kindOf(place)]!.next().value);
      }
    }
    return boundRows(rows, { firstRow: offset + 1, cellLength: size.cellLength });
  });
}
