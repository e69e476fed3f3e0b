import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Kysely } from "kysely";
import { v7 as uuidv7 } from "uuid";
import type { Logger } from "../../log.ts";
import { describeSpan, withSpan } from "../../monitoring/spans.ts";
import type { Config } from "../../settings/config.ts";
import type { FileStorage, KeptFile } from "../../storage/file-storage.ts";
import { inTransaction, mayStand } from "../../store/commit.ts";
import type { Tables } from "../../store/schema.ts";
import type { CsvReader } from "../../tables/csv-engine.ts";
import { writeTypedCopy } from "../../tables/typed-table.ts";
import { type Dataset, dialectOf } from "../kept/dataset-repository.ts";
import { hasRoom } from "../kept/quota.ts";
import { setTyped, unwantTyped } from "./typed-repository.ts";

/** What making a typed copy needs. */
export interface TypedCopyParts {
  readonly db: Kysely<Tables>;
  readonly storage: FileStorage;
  readonly config: Pick<Config, "maxStorageBytesPerOwner">;
  readonly log: Logger;
}

/**
 * Makes the typed copy of a dataset where one is wanted. It is no more than a faster way to the same table: where there can't be
 * one, for want of memory, disk or room in its owner's quota, a line tells of it, and the file that was sent is read on.
 * @param csvPath the dataset's table as a plain CSV
 * @throws only the signal's reason, once it is aborted: then it is still wanted
 */
export async function makeTypedCopy(
  parts: TypedCopyParts,
  dataset: Dataset,
  { reader, csvPath, signal }: { readonly reader: CsvReader; readonly csvPath: string; readonly signal: AbortSignal },
): Promise<void> {
  if (!dataset.typed_wanted) return;
  const about = { datasetId: dataset.id };
  await withSpan("dataset typed copy", about, async (span) => {
    try {
      const outcome = await writeAndKeep(parts, dataset, reader, csvPath);
      describeSpan(span, { outcome });
      if (outcome !== "no room") return;
      parts.log.warn(about, "no room in its owner's quota for a dataset's typed copy; its file is read instead");
    } catch (error) {
      signal.throwIfAborted();
      parts.log.warn({ err: error, ...about }, "a dataset's typed copy can't be made; its file is read instead");
    }
    await unwantTyped(parts.db, dataset);
  });
}

async function writeAndKeep(
  { db, storage, config }: TypedCopyParts,
  dataset: Dataset,
  reader: CsvReader,
  csvPath: string,
): Promise<"kept" | "no room" | "unwanted"> {
  const { owner, columns, row_count: rows } = dataset;
  const path = storage.temporaryPath(randomUUID());
  try {
    const query = (sql: string) => reader.query(sql);
    const written = await writeTypedCopy(query, csvPath, { to: path, columns, dialect: dialectOf(dataset), rows });
    if (written !== rows) throw new Error(`The typed copy has ${written} rows, and the dataset ${rows}.`);
    const file = await describeFile(path);
    await storage.keep(path, "typed", file);
    const outcome = await inTransaction(db, async (tx) => {
      if (!(await hasRoom(tx, owner, file.sizeBytes, config.maxStorageBytesPerOwner))) return "no room";
      return (await setTyped(tx, dataset, file)) ? "kept" : "unwanted";
    }).catch(async (error: unknown) => {
      // What may stand keeps its file: the sweep takes it if no row names it after all.
      if (!mayStand(error)) await storage.remove("typed", file.id);
      throw error;
    });
    if (outcome !== "kept") await storage.remove("typed", file.id);
    return outcome;
  } finally {
    await storage.discard(path);
  }
}

/** Under an id of its own: another one of the same dataset is another file, and who reads that one reads on. */
async function describeFile(path: string): Promise<KeptFile> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return { id: uuidv7(), sizeBytes: (await stat(path)).size, sha256: hash.digest("hex") };
}
