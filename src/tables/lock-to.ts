import { resolve } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { sqlText } from "./sql-text.ts";

/** Locks a DuckDB to these folders: a table is a stranger's, nothing else can be reached, and no later statement changes that. */
export async function lockTo(connection: DuckDBConnection, folders: readonly string[]): Promise<void> {
  await connection.run(`SET allowed_directories = [${folders.map((folder) => sqlText(resolve(folder))).join(", ")}]`);
  await connection.run("SET enable_external_access = false");
  await connection.run("SET lock_configuration = true");
}
