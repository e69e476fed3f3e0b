import type { DateFeature, ModelFeature } from "../models/model.ts";
import { isScalar, type PredictionRows, type Scalar, StrayCell } from "../models/predict-rows.ts";
import { exampleOfDates, isoFormOf, secondsAsWritten, typeOfForm } from "../tables/date-form.ts";
import { truthOf } from "../tables/truth.ts";

/**
 * The same rows with dates, times and truths as a model takes them: seconds of Unix time or since midnight, and booleans.
 * @param missing the model's own words for a missing value
 */
export function withTypedCells(rows: PredictionRows, missing: readonly string[] = []): PredictionRows {
  const readOf = (cell: unknown, read: (cell: Scalar) => unknown): unknown => {
    // Nested ones are refused where the model reads them: as text they may be none, or deeper than the stack.
    if (!isScalar(cell)) return cell ?? null;
    const isBlank = typeof cell === "string" && cell.trim() === "";
    return isBlank || missing.includes(String(cell)) ? null : read(cell);
  };
  return {
    count: rows.count,
    column(feature) {
      const read = readerOf(feature);
      const cells = rows.column(feature);
      return read === undefined ? cells : cells?.map((cell) => readOf(cell, read));
    },
  };
}

function readerOf(feature: ModelFeature): ((cell: Scalar) => unknown) | undefined {
  if (feature.kind === "date") return (cell) => dateIn(cell, feature);
  return feature.kind === "boolean" ? truthIn : undefined;
}

/** By ISO 8601, or as the table wrote it. */
function dateIn(cell: Scalar, { written }: DateFeature): number | StrayCell {
  // Beside a missing one pandas writes whole numbers as fractions.
  const text = written.separator === "" ? String(cell).replace(/(?<=\d)\.0(?=\s*$)/, "") : String(cell);
  const seconds = secondsAsWritten(text, written);
  if (seconds !== undefined) return seconds;
  const type = typeOfForm(written);
  const examples = new Set([exampleOfDates(written), exampleOfDates(isoFormOf(type))]);
  return new StrayCell(text, `a ${type} as ${[...examples].join(" or ")}`);
}

/** JSON's, 1 and 0 (as text too, since a CSV has no other), or a word. */
function truthIn(cell: Scalar): boolean | StrayCell {
  const text = String(cell);
  if (/^\s*[01]\s*$/.test(text)) return Number(text) === 1;
  return truthOf(text) ?? new StrayCell(text, "true or false");
}
