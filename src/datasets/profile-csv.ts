import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import type { ColumnProfile, ColumnSummary } from "../store/schema.ts";
import { type CsvEngine, csvTable } from "./csv-engine.ts";
import { readHead } from "./csv-header.ts";

const topCount = 5;
const maxValueLength = 100;
const maxLoadedBytes = 64 * 1024 * 1024;

// Half of a pair of surrogates at the cut is no text that PostgreSQL takes.
const short = (value: unknown): string => String(value).slice(0, maxValueLength).toWellFormed();
const finiteOrNull = (value: unknown): number | null =>
  value !== null && Number.isFinite(Number(value)) ? Number(value) : null;

/**
 * Describes each column of a checked CSV. A file of usual size is read once: with two scans for each of 2,000 columns a
 * profile took minutes, and all others waited for it. A large one is scanned, so that it needs little memory.
 */
export async function profileCsv(
  engine: CsvEngine,
  csvPath: string,
  columns: readonly ColumnSummary[],
): Promise<ColumnProfile[]> {
  const csv = csvTable(csvPath, await readHead(csvPath));
  if ((await stat(csvPath)).size > maxLoadedBytes) return profileTable(engine, csv, columns);
  const table = `profile_${randomUUID().replaceAll("-", "")}`;
  await engine.query(`CREATE TABLE ${table} AS FROM ${csv}`);
  try {
    return await profileTable(engine, table, columns);
  } finally {
    await engine.query(`DROP TABLE ${table}`);
  }
}

async function profileTable(
  engine: CsvEngine,
  table: string,
  columns: readonly ColumnSummary[],
): Promise<ColumnProfile[]> {
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
