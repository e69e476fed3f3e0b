import { randomUUID } from "node:crypto";
import { DomainError, isSystemError } from "../../errors.ts";
import type { FileStorage, KeptFile } from "../../storage/file-storage.ts";
import type { CsvReader } from "../../tables/csv-engine.ts";
import type { Dialect } from "../../tables/dialect.ts";
import { plainCopy } from "../../tables/plain-copy.ts";
import type { Asker, EnginePool } from "./engine-pool.ts";

/** Of a copy whose upload was held to less: what was taken then can be read later, whatever the setting says now. */
const maxBytes = Number.MAX_SAFE_INTEGER;

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
  work: (reader: CsvReader, csvPath: string, signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  await using file = await storage.localFile("dataset", table);
  const copyPath = storage.temporaryPath(randomUUID());
  try {
    return await pool.use(asker, async (reader, signal) => {
      const { path } = await plainCopy(file.path, table.dialect.source, { copyPath, maxBytes, signal });
      return work(reader, path, signal);
    });
  } catch (error) {
    // Removed while the work waited for an engine.
    if (isSystemError(error, "ENOENT") && !(await storage.exists("dataset", table.id)))
      throw new DomainError("FILE_MISSING_IN_STORAGE", "The dataset's file is gone.", { cause: error });
    throw error;
  } finally {
    await storage.discard(copyPath);
  }
}
