import { readFile } from "node:fs/promises";
import { DomainError } from "../errors.ts";
import type { ModelDocument } from "../models/model.ts";
import type { KeptFile, LocalFile } from "../storage/file-storage.ts";
import { isFileMissing } from "../storage/storage-fault.ts";

/** What is kept of models that were used; the least recently used ones go first. */
interface ModelCacheLimits {
  readonly models: number;
  /** Of their files. */
  readonly bytes: number;
}

/** The models of one thread, or of the event loop. */
export interface ModelCache {
  has(id: string): boolean;
  /** @throws DomainError FILE_MISSING_IN_STORAGE, and what `open` throws */
  read(file: Pick<KeptFile, "id" | "sizeBytes">, open: () => Promise<LocalFile>): Promise<ModelDocument>;
}

/** Keeps the models used last: parsing a large one costs more than a prediction. */
export function createModelCache(limits: ModelCacheLimits): ModelCache {
  // A Map keeps the order of insertion: the first is the one unused for longest.
  const cache = new Map<string, { document: ModelDocument; sizeBytes: number }>();

  const forgetTooMany = (): void => {
    let bytes = [...cache.values()].reduce((sum, entry) => sum + entry.sizeBytes, 0);
    for (const [id, entry] of cache) {
      if (cache.size <= limits.models && bytes <= limits.bytes) return;
      cache.delete(id);
      bytes -= entry.sizeBytes;
    }
  };

  return {
    has: (id) => cache.has(id),
    async read({ id, sizeBytes }, open) {
      const cached = cache.get(id);
      if (cached !== undefined) {
        cache.delete(id);
        cache.set(id, cached);
        return cached.document;
      }
      const document = JSON.parse(await readText(open)) as ModelDocument;
      cache.set(id, { document, sizeBytes });
      forgetTooMany();
      return document;
    },
  };
}

async function readText(open: () => Promise<LocalFile>): Promise<string> {
  try {
    await using model = await open();
    return await readFile(model.path, "utf8");
  } catch (error) {
    if (!isFileMissing(error)) throw error;
    throw new DomainError("FILE_MISSING_IN_STORAGE", "The model's file is not where it should be. Train it again.", {
      cause: error,
    });
  }
}
