import { stat } from "node:fs/promises";
import type { ColumnProfile, ColumnSummary } from "../../store/schema.ts";
import { type CsvReader, isOutOfMemory } from "../../tables/csv-engine.ts";
import { readHead } from "../../tables/csv-head.ts";
import { csvTable, textIn, valueIn } from "../../tables/csv-table.ts";
import type { Dialect } from "../../tables/dialect.ts";
import { type ColumnFigures, figuresOf, type PlacedColumn, shortText } from "./column-figures.ts";
import { edgesOf, histogramsOf } from "./column-histograms.ts";

// DuckDB gives each column of a table 256 KiB at least: 2,000 columns of a small file would take 488 MiB.
const columnsAtOnce = 100;
const bytesAtOnce = 32 * 1024 * 1024;
/** Above it a file would be read too often for its profile to end. */
const maxExactBytes = 512 * 1024 * 1024;
/** Exact quantiles keep their values outside of DuckDB's memory: 40 MB of so many. */
const maxExactCells = 2_000_000;
const widestInDetail = 200;
const manyRows = `The column has more than ${maxExactCells.toLocaleString("en")} rows: its quantiles are estimates.`;

/** How much of each column is told. */
interface Detail {
  readonly topCount: number;
  readonly bins: number;
}

// A profile is parsed and written in one go: that of a wide table must not become large by its details.
const detailOf = (columnCount: number): Detail =>
  columnCount > widestInDetail ? { topCount: 5, bins: 10 } : { topCount: 10, bins: 20 };

/**
 * Describes each column of a checked CSV. Some columns at a time are read into a table, so that memory is bounded, and
 * the file is read a few times only: with two scans for each of 2,000 columns a profile took minutes, and all others
 * waited for it. What does not fit all the same is estimated, and says so.
 */
export async function profileCsv(
  reader: CsvReader,
  csvPath: string,
  { columns, dialect }: { readonly columns: readonly ColumnSummary[]; readonly dialect: Dialect },
): Promise<ColumnProfile[]> {
  const head = await readHead(csvPath, dialect);
  const csv = csvTable(csvPath, head);
  const { size } = await stat(csvPath);
  const isExact = size <= maxExactBytes;
  const widthInMemory = Math.max(1, Math.floor((columns.length * bytesAtOnce) / Math.max(1, size)));
  // An estimate keeps no values: all its columns go in one pass.
  const width = isExact ? Math.min(columnsAtOnce, widthInMemory) : columnsAtOnce;
  // What is missing is NULL in the rows already: to look for it again takes half of a number's time.
  const wordless = { dialect: { ...head.dialect, missing: [], missingNumbers: [] } };
  const profiles: ColumnProfile[] = [];
  for (let from = 0; from < columns.length; from += width) {
    const slice = columns.slice(from, from + width).map(({ name, type }, place): PlacedColumn => {
      const cell = `c${from + place}`;
      return { name, type, cell, value: valueIn(from + place, type, wordless) };
    });
    const cells = slice.map(({ type, cell }, place) => `${textIn(from + place, type, head)} AS ${cell}`);
    const how = { isExact, detail: detailOf(columns.length) };
    profiles.push(...(await profileSlice(reader, `(SELECT ${cells} FROM ${csv})`, slice, how)));
  }
  return profiles;
}

async function profileSlice(
  reader: CsvReader,
  rows: string,
  slice: readonly PlacedColumn[],
  { isExact, detail }: { readonly isExact: boolean; readonly detail: Detail },
): Promise<ColumnProfile[]> {
  if (!isExact) return estimate(reader, rows, slice);
  const made = await unlessTooLarge(() => reader.query(`CREATE OR REPLACE TABLE slice AS FROM ${rows}`));
  if (made === undefined) return estimate(reader, rows, slice);
  const rowCount = Math.max(1, Number(made[0]?.[0]));
  const width = Math.max(1, Math.floor(maxExactCells / rowCount));
  try {
    const profiles: ColumnProfile[] = [];
    for (let from = 0; from < slice.length; from += width)
      profiles.push(...(await describe(reader, slice.slice(from, from + width), { rowCount, detail })));
    return profiles;
  } finally {
    await reader.query("DROP TABLE slice");
  }
}

async function unlessTooLarge<Value>(ask: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isOutOfMemory(error)) return undefined;
    throw error;
  }
}

/** Of columns of the table. */
async function describe(
  reader: CsvReader,
  columns: readonly PlacedColumn[],
  how: { readonly rowCount: number; readonly detail: Detail },
): Promise<ColumnProfile[]> {
  const isEstimate = how.rowCount > maxExactCells;
  const figures = await unlessTooLarge(() => figuresOf(reader, "slice", columns, { isEstimate }));
  const profiles: ColumnProfile[] = [];
  if (figures === undefined) {
    if (columns.length === 1) return estimate(reader, "slice", columns);
    for (const column of columns) profiles.push(...(await describe(reader, [column], how)));
    return profiles;
  }
  for (const { column, told } of figures) {
    const counted = await unlessTooLarge(() => countValues(reader, column, how.detail));
    if (counted === undefined) profiles.push(...(await estimate(reader, "slice", [column])));
    else
      profiles.push({ ...told, ...counted, ...(isEstimate && told.quantiles !== undefined ? { note: manyRows } : {}) });
  }
  return withHistograms(reader, figures, profiles, how.detail);
}

/** Profiles of columns of the table with their histograms, but for those that are estimated: they have no values at the top. */
async function withHistograms(
  reader: CsvReader,
  figures: readonly ColumnFigures[],
  profiles: readonly ColumnProfile[],
  { bins }: Detail,
): Promise<ColumnProfile[]> {
  const binned = profiles.flatMap(({ distinct, topValues }, place) => {
    const { column, range } = figures[place] ?? {};
    if (column === undefined || range === undefined || topValues.length === 0) return [];
    return [{ column, edges: edgesOf(column, range, Math.min(bins, distinct)) }];
  });
  const histograms = await histogramsOf(reader, "slice", binned);
  return profiles.map((profile, place) => {
    const histogram = histograms.get(figures[place]?.column.cell ?? "");
    return histogram === undefined ? profile : { ...profile, histogram };
  });
}

/** How often each value of a column occurs: how many there are, and the most frequent ones. */
async function countValues(
  reader: CsvReader,
  { cell }: PlacedColumn,
  { topCount }: Detail,
): Promise<Pick<ColumnProfile, "distinct" | "topValues">> {
  const [[distinct, top] = []] = await reader.query(
    `SELECT count(*), to_json(min({'less': -count, 'value': value}, ${topCount}))::VARCHAR
     FROM (SELECT ${cell} AS value, count(*) AS count FROM slice WHERE ${cell} IS NOT NULL GROUP BY value)`,
  );
  const values = JSON.parse(String(top ?? "[]")) as { readonly less: number; readonly value: string }[];
  return {
    distinct: Number(distinct),
    topValues: values.map(({ less, value }) => ({ value: shortText(value), count: -less })),
  };
}

/** Of columns whose values don't fit into the memory: one pass, which keeps none of them. */
async function estimate(reader: CsvReader, source: string, columns: readonly PlacedColumn[]): Promise<ColumnProfile[]> {
  const figures = await figuresOf(reader, source, columns, { isEstimate: true });
  return figures.map(({ told, distinct }) => ({
    ...told,
    distinct,
    topValues: [],
    note: `The column is too large to be kept in memory: ${told.quantiles === undefined ? "distinct is an estimate, and topValues are left out" : "distinct and quantiles are estimates, and topValues and the histogram are left out"}.`,
  }));
}
