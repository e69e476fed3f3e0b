import type { ModelDocument } from "../../src/models/model.ts";
import { type Prediction, predictRows, recordsToRows } from "../../src/models/predict-rows.ts";

/** Predicts rows as JSON has them: objects of column and value. */
export function predictRecords(document: ModelDocument, records: readonly Record<string, unknown>[]): Prediction[] {
  return predictRows(document, recordsToRows(records)).predictions;
}
