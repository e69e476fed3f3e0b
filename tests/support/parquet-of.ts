import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

/** A CSV's table as a Parquet file, its types found by DuckDB, as a pipeline would write it. */
export async function parquetOf(csv: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "parquet-"));
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    await writeFile(join(folder, "table.csv"), csv);
    await connection.run(
      `COPY (FROM read_csv('${folder}/table.csv', header = true)) TO '${folder}/table.parquet' (FORMAT parquet)`,
    );
    return await readFile(join(folder, "table.parquet"));
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true });
  }
}
