import { DomainError } from "../../errors.ts";
import type { ColumnType } from "../../tables/column-type.ts";
import type { CsvReader } from "../../tables/csv-engine.ts";
import { readHead } from "../../tables/csv-head.ts";
import { csvTable, plainNumberIn, valueIn } from "../../tables/csv-table.ts";
import { momentInSql } from "../../tables/date-form.ts";
import type { Dialect } from "../../tables/dialect.ts";
import { truthInSql } from "../../tables/truth.ts";
import { typedCopy } from "../../tables/typed-table.ts";
import type { CsvEngines } from "../engines/csv-engines.ts";
import { onTable } from "../engines/on-table.ts";
import { type Dataset, dialectOf, keptFileOf } from "../kept/dataset-repository.ts";
import { onTypedCopy, type TypedReadingParts } from "../typed/on-typed-copy.ts";
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

/** What a column holds; `form` where its numbers are written in one of their own. */
type Kind = "form" | ColumnType;

/** A table as SQL with columns c0, c1, …, and the values of those at some places, which are of one kind, as a list. */
interface ReadableTable {
  readonly sql: string;
  valuesIn(kind: Kind, places: readonly number[]): string;
}

const cellOf = (place: number): string => `c${place}`;
const sqlTypes = {
  number: "DOUBLE",
  form: "DOUBLE",
  text: "VARCHAR",
  date: "TIMESTAMP",
  time: "TIMESTAMP",
  boolean: "BOOLEAN",
} as const;
const listOf = (places: readonly number[], type: string, cell = cellOf): string => `[${places.map(cell)}]::${type}[]`;

const typedTable = (path: string): ReadableTable => ({
  sql: typedCopy(path),
  valuesIn: (kind, places) => listOf(places, sqlTypes[kind]),
});

async function tableOfFile(csvPath: string, dialect: Dialect): Promise<ReadableTable> {
  const head = await readHead(csvPath, dialect);
  // Said once for all columns: to plan a conversion for each of 1,000 took two seconds.
  const readAs = { number: plainNumberIn("cell", head), boolean: truthInSql("cell") };
  return {
    sql: csvTable(csvPath, head),
    valuesIn: (kind, places) =>
      kind === "number" || kind === "boolean"
        ? `list_transform(${listOf(places, "VARCHAR")}, lambda cell: ${readAs[kind]})`
        : listOf(places, sqlTypes[kind], (place) => valueIn(place, kind === "form" ? "number" : kind, head)),
  };
}

/** Rows of a kept dataset, in the file's order, typed as the checks found its columns. */
export async function readRows(
  parts: TypedReadingParts & { readonly csvEngines: CsvEngines },
  dataset: Dataset,
  wanted: WantedRows,
): Promise<RowsPage> {
  if (wanted.offset >= dataset.row_count) return { rows: [], cut: [] };
  const { counts } = parts.csvEngines;
  const { signal } = wanted;
  const isUnreadable = (error: unknown): boolean => !(error instanceof DomainError);
  const ofCopy = await onTypedCopy(parts, dataset, { signal, isUnreadable }, (path) =>
    counts.use(wanted, (reader) => readPage(reader, typedTable(path), dataset, wanted)),
  );
  if (ofCopy !== undefined) return ofCopy;
  const dialect = dialectOf(dataset);
  return onTable(parts.storage, counts, wanted, { ...keptFileOf(dataset), dialect }, async (reader, csvPath) =>
    readPage(reader, await tableOfFile(csvPath, dialect), dataset, wanted),
  );
}

async function readPage(
  reader: CsvReader,
  table: ReadableTable,
  dataset: Dataset,
  { offset, limit }: Pick<WantedRows, "offset" | "limit">,
): Promise<RowsPage> {
  const { columns } = dataset;
  const { numberForms = {} } = dialectOf(dataset);
  const size = sizeOfPage(limit, columns.length);
  const kindOf = (place: number): Kind => {
    const { type } = columns[place]!;
    return type === "number" && numberForms[place] !== undefined ? "form" : type;
  };
  const finite = "lambda number: CASE WHEN isfinite(number) THEN number END";
  const rows: unknown[][] = Array.from({ length: Math.min(size.rows, dataset.row_count - offset) }, () => []);
  for (let from = 0; from < columns.length; from += columnsAtOnce) {
    const places = [...columns.keys()].slice(from, from + columnsAtOnce);
    const values = (kind: Kind): string =>
      table.valuesIn(
        kind,
        places.filter((place) => kindOf(place) === kind),
      );
    const wanted = `SELECT ${places.map(cellOf)} FROM ${table.sql} LIMIT ${rows.length} OFFSET ${offset}`;
    // One text a row: to hear of 20,000 cells one by one held the event loop for 250 ms.
    const answer = await reader.query(
      `SELECT json_array(
        list_transform(${values("number")}, ${finite}),
        list_transform(${values("form")}, ${finite}),
        list_transform(${values("text")}, lambda cell: left(cell, ${size.cellLength + 1})),
        list_transform(${values("date")}, lambda moment: ${momentInSql("moment", "date")}),
        list_transform(${values("time")}, lambda moment: ${momentInSql("moment", "time")}),
        ${values("boolean")})::VARCHAR
      FROM (${wanted})`,
    );
    for (const [index, [json]] of answer.entries()) {
      const [number, form, text, date, time, boolean] = (JSON.parse(String(json)) as unknown[][]).map((list) =>
        list.values(),
      );
      const cells = { number, form, text, date, time, boolean };
      for (const place of places) rows[index]!.push(cells[kindOf(place)]!.next().value);
    }
  }
  return boundRows(rows, { firstRow: offset + 1, cellLength: size.cellLength });
}
