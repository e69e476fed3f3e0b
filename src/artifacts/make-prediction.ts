import { DomainError } from "../errors.ts";
import { PredictionInputError, type Predictions, predictRows } from "../models/predict-rows.ts";
import type { KeptFile, LocalFile } from "../storage/file-storage.ts";
import { requireExplainable } from "./explanation-limits.ts";
import type { ModelCache } from "./model-cache.ts";
import { type PredictionBody, readPredictionRows } from "./read-prediction-rows.ts";

/** One prediction, wherever it is made. */
export interface PredictionTask {
  readonly task: "classification" | "regression";
  readonly model: Pick<KeptFile, "id" | "sizeBytes">;
  readonly body: PredictionBody;
  /** A category that the model never saw is a fault. */
  readonly isStrict: boolean;
  /** With what each column adds. */
  readonly isExplained: boolean;
}

/** The answer as it is sent. */
export interface PredictionAnswer {
  /** JSON in UTF-8. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rows: number;
  /** Values that the model never saw. */
  readonly unknownValues: number;
}

/**
 * All the work of a prediction: body into rows, model, answer. The event loop and the threads do it by this function.
 * @param openModel the model's file, asked for where the cache has no such model
 * @throws DomainError for what is wrong with the body, FILE_MISSING_IN_STORAGE, PREDICTION_TOO_LARGE or EXPLANATION_UNAVAILABLE
 */
export async function makePrediction(
  { task, model, body, isStrict, isExplained }: PredictionTask,
  models: ModelCache,
  openModel: () => Promise<LocalFile>,
): Promise<PredictionAnswer> {
  const document = await models.read(model, openModel);
  const { rows, encoding } = readPredictionRows(body, document.missing);
  if (isExplained) requireExplainable(document, rows.count);
  const { predictions, unknownValues } = predicted(() => predictRows(document, rows, { isStrict, isExplained }));
  // What is as everybody expects is not said.
  const read = encoding === "utf-8" ? {} : { encoding };
  const { decision } = document;
  const about = { artifactId: model.id, task, ...read, ...(decision && { decision }) };
  return { bytes: encoded({ ...about, predictions }), rows: rows.count, unknownValues };
}

function encoded(answer: object): Uint8Array<ArrayBuffer> {
  try {
    return new TextEncoder().encode(JSON.stringify(answer));
  } catch (error) {
    // A string has an end at 512 MiB: a thousand rows of a hundred classes with names of many kilobytes.
    if (!(error instanceof RangeError)) throw error;
    throw new DomainError("PREDICTION_TOO_LARGE", "The answer would be too large. Send fewer rows at once.", {
      cause: error,
    });
  }
}

function predicted(predict: () => Predictions): Predictions {
  try {
    return predict();
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
