import type { ColumnProfile, ColumnSummary } from "../store/schema.ts";
import { type CsvEngine, csvTable } from "./csv-engine.ts";
import { readHead } from "./csv-header.ts";

const topCount = 5;
const maxValueLength = 100;

const short = (value: unknown): string => String(value).slice(0, maxValueLength);
const finiteOrNull = (value: unknown): number | null =>
  value !== null && Number.isFinite(Number(value)) ? Number(value) : null;

/** Describes each column of a checked CSV, one scan a column, so that a wide file needs little memory. */
export async function profileCsv(
  engine: CsvEngine,
  csvPath: string,
  columns: readonly ColumnSummary[],
): Promise<ColumnProfile[]> {
  const table = csvTable(csvPath, await readHead(csvPath));
  const profiles: ColumnProfile[] = [];
  for (const [index, { name, type }] of columns.entries()) {
    const cell = `c${index}`;
    const value = type === "number" ? `try_cast(${cell} AS DOUBLE)` : cell;
    const mean = type === "number" ? `avg(${value})` : "NULL";
    const [row = []] = await engine.query(
      `SELECT count(*), count(${cell}), count(DISTINCT ${cell}), min(${value}), max(${value}), ${mean} FROM ${table}`,
    );
    const [rows, filled, distinct, least, greatest, average] = row;
    const top = await engine.query(
      `SELECT ${cell}, count(*) AS n FROM ${table} WHERE ${cell} IS NOT NULL GROUP BY ${cell} ORDER BY n DESC, ${cell} LIMIT ${topCount}`,
    );
    const bound = (edge: unknown): number | string | null =>
      edge === null || edge === undefined ? null : type === "number" ? finiteOrNull(edge) : short(edge);
    profiles.push({
      name,
      type,
      nullRatio: Number(rows) === 0 ? 0 : 1 - Number(filled) / Number(rows),
      distinct: Number(distinct),
      min: bound(least),
      max: bound(greatest),
      mean: type === "number" ? finiteOrNull(average) : null,
      topValues: top.map(([text, count]) => ({ value: short(text), count: Number(count) })),
    });
  }
  return profiles;
}
