import { resolve } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import type { CsvHead } from "./csv-header.ts";

/** DuckDB, locked to the storage folder: it must never read what a user names. */
export interface CsvEngine {
  /** Rows of one statement as plain arrays. */
  query(sql: string): Promise<unknown[][]>;
  close(): void;
}

/** SQL text in quotes. */
export const sqlText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * The table of a CSV file with columns c0, c1, …, as text where not said otherwise: nothing is sniffed.
 * A ragged row is an error that names its record, as is a cell that is no number in a column of type DOUBLE.
 */
export function csvTable(
  csvPath: string,
  { names, lineEnd, hasMarkBeforeQuote }: CsvHead,
  typeOf: (index: number) => "VARCHAR" | "DOUBLE" = () => "VARCHAR",
): string {
  const read = (header: boolean, type: typeof typeOf): string => {
    const columns = names.map((_, index) => `'c${index}': '${type(index)}'`).join(", ");
    // DuckDB takes the first line end for that of all, also when it stands within the quotes of a column's name.
    return `read_csv(${sqlText(resolve(csvPath))}, auto_detect = false, header = ${header}, columns = {${columns}},
      delim = ',', quote = '"', escape = '"', nullstr = '', max_line_size = 1048576,
      new_line = ${sqlText(JSON.stringify(lineEnd).slice(1, -1))})`;
  };
  if (!hasMarkBeforeQuote) return read(true, typeOf);
  // Skipping a header, DuckDB 1.5 takes a quote behind a byte order mark for text and loses its place; reading it as a
  // row, it does not.
  const cells = names.map((_, index) =>
    typeOf(index) === "DOUBLE" ? `CAST(c${index} AS DOUBLE) AS c${index}` : `c${index}`,
  );
  return `(SELECT ${cells.join(", ")} FROM (FROM ${read(false, () => "VARCHAR")} OFFSET 1))`;
}

/**
 * Opens an engine that reads below `folder` only. One thread: a second one makes a check of 10 MiB 15 % dearer
 * (docs/performance.md), and uploads at the same time have a thread each anyway.
 */
export async function openCsvEngine(folder: string): Promise<CsvEngine> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1", memory_limit: "512MB" });
  const setup = await instance.connect();
  await setup.run(`SET allowed_directories = [${sqlText(resolve(folder))}]`);
  await setup.run("SET enable_external_access = false");
  await setup.run("SET lock_configuration = true");
  setup.closeSync();
  return {
    async query(sql) {
      const connection: DuckDBConnection = await instance.connect();
      try {
        return (await (await connection.run(sql)).getRows()) as unknown[][];
      } finally {
        connection.closeSync();
      }
    },
    close: () => instance.closeSync(),
  };
}
