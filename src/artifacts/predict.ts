import { readFile } from "node:fs/promises";
import { DomainError } from "../errors.ts";
import type { FileStorage, KeptFile } from "../storage/file-storage.ts";
import { isFileMissing } from "../storage/storage-fault.ts";
import type { ModelDocument } from "../training/trainers/model.ts";
import { type Prediction, PredictionInputError, predictRows } from "../training/trainers/predict-rows.ts";

const maxCachedModels = 8;
const maxCachedBytes = 64 * 1024 * 1024;

/** Reads models and keeps the last used ones: parsing a large model costs more than a prediction. */
export function createModelReader(storage: FileStorage): (file: KeptFile) => Promise<ModelDocument> {
  // A Map keeps the order of insertion: the first is the one unused for longest.
  const cache = new Map<string, { document: ModelDocument; sizeBytes: number }>();

  const forgetTooMany = (): void => {
    let bytes = [...cache.values()].reduce((sum, entry) => sum + entry.sizeBytes, 0);
    for (const [id, entry] of cache) {
      if (cache.size <= maxCachedModels && bytes <= maxCachedBytes) return;
      cache.delete(id);
      bytes -= entry.sizeBytes;
    }
  };

  return async (file) => {
    const { id, sizeBytes } = file;
    const cached = cache.get(id);
    if (cached !== undefined) {
      cache.delete(id);
      cache.set(id, cached);
      return cached.document;
    }
    let text: string;
    try {
      await using model = await storage.localFile("artifact", file);
      text = await readFile(model.path, "utf8");
    } catch (error) {
      if (!isFileMissing(error)) throw error;
      throw new DomainError("FILE_MISSING_IN_STORAGE", "The model's file is not where it should be. Train it again.", {
        cause: error,
      });
    }
    const document = JSON.parse(text) as ModelDocument;
    cache.set(id, { document, sizeBytes });
    forgetTooMany();
    return document;
  };
}

/** @throws DomainError PREDICTION_INPUT_INVALID naming the row and column */
export function predict(document: ModelDocument, rows: readonly Record<string, unknown>[]): Prediction[] {
  try {
    return predictRows(document, rows);
  } catch (error) {
    if (!(error instanceof PredictionInputError)) throw error;
    throw new DomainError("PREDICTION_INPUT_INVALID", error.message, {
      cause: error,
      fields: [
        { path: `rows.${error.rowIndex}${error.column === "" ? "" : `.${error.column}`}`, message: error.message },
      ],
    });
  }
}
