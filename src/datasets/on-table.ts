import { randomUUID } from "node:crypto";
import type { FileStorage, KeptFile } from "../storage/file-storage.ts";
import type { Dialect } from "../tables/dialect.ts";
import { plainCsv } from "../tables/plain-csv.ts";
import type { CsvReader } from "./csv-engine.ts";
import type { Asker, EnginePool } from "./engine-pool.ts";

/** A kept dataset's file, and how it is written. */
export type KeptTable = KeptFile & { readonly dialect: Dialect };

/**
 * Works on the table of a kept dataset as plain CSV, with an engine of the pool; the file and its copy go with the work.
 * @throws what the pool and the storage throw
 */
export async function onTable<Value>(
  storage: FileStorage,
  pool: EnginePool,
  asker: Asker,
  table: KeptTable,
  work: (reader: CsvReader, csvPath: string) => Promise<Value>,
): Promise<Value> {
  await using file = await storage.localFile("dataset", table);
  const copyPath = storage.temporaryPath(randomUUID());
  try {
    return await pool.use(asker, async (reader) => {
      const parts = { copyPath, query: reader.query, signal: asker.signal };
      return work(reader, (await plainCsv(file.path, table.dialect.source, parts)).path);
    });
  } finally {
    await storage.discard(copyPath);
  }
}
