import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { sqlText } from "../../src/tables/sql-text.ts";
import type { AnyTable } from "./any-table.ts";

/** What a query of DuckDB answers as a Parquet file; it may read `files` by their names. */
export async function parquetOfQuery(query: string, files: Record<string, string> = {}): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "parquet-"));
  const instance = await DuckDBInstance.create(":memory:", { threads: "1", file_search_path: folder });
  const connection = await instance.connect();
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    await connection.run(`COPY (${query}) TO '${folder}/table.parquet' (FORMAT parquet)`);
    return await readFile(join(folder, "table.parquet"));
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true });
  }
}

/** A CSV's table as a Parquet file, its types found by DuckDB, as a pipeline would write it. */
export const parquetOf = (csv: string): Promise<Buffer> =>
  parquetOfQuery("FROM read_csv('table.csv', header = true)", { "table.csv": csv });

const sqlTypes = { number: "DOUBLE", text: "VARCHAR", date: "TIMESTAMP", time: "TIME", boolean: "BOOLEAN" } as const;

/** A table as a Parquet file with columns of its types. */
export function parquetOfTable(table: AnyTable): Promise<Buffer> {
  const columns = table.map(({ name, type, cells }) => {
    // A number in quotes: written without, DuckDB makes a DECIMAL of it, and of that another DOUBLE at times.
    const values = cells.map((cell) => (cell === null ? "NULL" : sqlText(String(cell))));
    return `unnest([${values}]::${sqlTypes[type]}[]) AS "${name.replaceAll('"', '""')}"`;
  });
  return parquetOfQuery(`SELECT ${columns.join(", ")}`);
}
