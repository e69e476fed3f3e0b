import { stat } from "node:fs/promises";
import type { ColumnProfile, ColumnSummary } from "../store/schema.ts";
import { type CsvReader, isOutOfMemory } from "../tables/csv-engine.ts";
import { readHead } from "../tables/csv-head.ts";
import { csvTable, numberIn, numeralIn } from "../tables/csv-table.ts";
import type { Dialect } from "../tables/dialect.ts";

const topCount = 5;
const maxValueLength = 100;
// DuckDB gives each column of a table 256 KiB at least: 2,000 columns of a small file would take 488 MiB.
const columnsAtOnce = 100;
const bytesAtOnce = 32 * 1024 * 1024;
/** Above it a file would be read too often for its profile to end. */
const maxExactBytes = 512 * 1024 * 1024;

/** A column as SQL has it. */
interface PlacedColumn extends ColumnSummary {
  readonly cell: string;
  /** The cell as a number where the column is one of numbers. */
  readonly value: string;
  /** What the cell is of the file: without words for missing numbers. */
  readonly source: string;
}

// Half of a pair of surrogates at the cut is no text that PostgreSQL takes.
const short = (value: unknown): string => String(value).slice(0, maxValueLength).toWellFormed();
const finiteOrNull = (value: unknown): number | null =>
  value !== null && Number.isFinite(Number(value)) ? Number(value) : null;

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
  const width = Math.max(1, Math.min(columnsAtOnce, Math.floor((columns.length * bytesAtOnce) / Math.max(1, size))));
  const profiles: ColumnProfile[] = [];
  for (let from = 0; from < columns.length; from += width) {
    const slice = columns.slice(from, from + width).map(({ name, type }, place): PlacedColumn => {
      const cell = `c${from + place}`;
      if (type === "text") return { name, type, cell, value: cell, source: cell };
      return {
        name,
        type,
        cell,
        value: numberIn(from + place, head),
        source: numeralIn(from + place, head),
      };
    });
    const rows = `(SELECT ${slice.map(({ cell, source }) => `${source} AS ${cell}`)} FROM ${csv})`;
    profiles.push(...(await profileSlice(reader, rows, slice, size <= maxExactBytes)));
  }
  return profiles;
}

async function profileSlice(
  reader: CsvReader,
  rows: string,
  slice: readonly PlacedColumn[],
  isExact: boolean,
): Promise<ColumnProfile[]> {
  if (!isExact) return estimate(reader, rows, slice);
  try {
    await reader.query(`CREATE OR REPLACE TABLE slice AS FROM ${rows}`);
  } catch (error) {
    if (isOutOfMemory(error)) return estimate(reader, rows, slice);
    throw error;
  }
  try {
    const profiles: ColumnProfile[] = [];
    for (const column of slice) {
      try {
        profiles.push(await describe(reader, column));
      } catch (error) {
        if (!isOutOfMemory(error)) throw error;
        profiles.push(...(await estimate(reader, "slice", [column])));
      }
    }
    return profiles;
  } finally {
    await reader.query("DROP TABLE slice");
  }
}

const edgesOf = ({ cell, value, type }: PlacedColumn): string[] => [
  `count(${cell})`,
  `min(${value})`,
  `max(${value})`,
  type === "number" ? `avg(${value})` : "NULL",
];

function toProfile({ name, type }: PlacedColumn, row: readonly unknown[]): Omit<ColumnProfile, "topValues"> {
  const [rows, distinct, filled, least, greatest, average] = row;
  const bound = (edge: unknown): number | string | null =>
    edge === null || edge === undefined ? null : type === "number" ? finiteOrNull(edge) : short(edge);
  return {
    name,
    type,
    nullRatio: Number(rows) === 0 ? 0 : 1 - Number(filled) / Number(rows),
    distinct: Number(distinct),
    min: bound(least),
    max: bound(greatest),
    mean: type === "number" ? finiteOrNull(average) : null,
  };
}

/** Of a column of the table. */
async function describe(reader: CsvReader, column: PlacedColumn): Promise<ColumnProfile> {
  const { cell } = column;
  const [row = []] = await reader.query(`SELECT count(*), count(DISTINCT ${cell}), ${edgesOf(column)} FROM slice`);
  const top = await reader.query(
    `SELECT ${cell}, count(*) AS n FROM slice WHERE ${cell} IS NOT NULL GROUP BY ${cell} ORDER BY n DESC, ${cell} LIMIT ${topCount}`,
  );
  const topValues = top.map(([text, count]) => ({ value: short(text), count: Number(count) }));
  return { ...toProfile(column, row), topValues };
}

/** Of columns whose values don't fit into the memory: one pass, which keeps none of them. */
async function estimate(reader: CsvReader, source: string, columns: readonly PlacedColumn[]): Promise<ColumnProfile[]> {
  const asked = columns.flatMap((column) => [`approx_count_distinct(${column.cell})`, ...edgesOf(column)]);
  const [[rows, ...row] = []] = await reader.query(`SELECT count(*), ${asked} FROM ${source}`);
  return columns.map((column, place) => ({
    ...toProfile(column, [rows, ...row.slice(place * 5, place * 5 + 5)]),
    topValues: [],
    note: "The column is too large to be kept in memory: distinct is an estimate, and topValues are left out.",
  }));
}
