import { resolve } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

/** DuckDB, locked to the storage folder: it must never read what a user names. */
export interface CsvEngine {
  /** Rows of one statement as plain arrays. */
  query(sql: string): Promise<unknown[][]>;
  close(): void;
}

/** SQL text in quotes. */
export const sqlText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * The table function over a CSV file with columns c0, c1, …, as text where not said otherwise: nothing is sniffed.
 * A ragged row is an error that names its line, as is a cell that is no number in a column of type DOUBLE.
 */
export function csvTable(
  csvPath: string,
  columnCount: number,
  typeOf: (index: number) => "VARCHAR" | "DOUBLE" = () => "VARCHAR",
): string {
  const columns = Array.from({ length: columnCount }, (_, index) => `'c${index}': '${typeOf(index)}'`).join(", ");
  return `read_csv(${sqlText(resolve(csvPath))}, auto_detect = false, header = true, columns = {${columns}},
    delim = ',', quote = '"', escape = '"', nullstr = '', max_line_size = 1048576)`;
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
