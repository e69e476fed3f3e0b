import type { DateFeature, ModelFeature } from "../models/model.ts";
import { type PredictionRows, StrayCell } from "../models/predict-rows.ts";
import { exampleOfDates, isoForm, secondsOf } from "../tables/date-form.ts";
import { truthOf } from "../tables/truth.ts";

/**
 * The same rows with dates and truths as a model takes them: seconds of Unix time, and booleans.
 * @param missing the model's own words for a missing value
 */
export function withTypedCells(rows: PredictionRows, missing: readonly string[] = []): PredictionRows {
  const isMissing = (cell: unknown): boolean =>
    cell === null || cell === undefined || cell === "" || missing.includes(String(cell));
  return {
    count: rows.count,
    column(feature) {
      const read = readerOf(feature);
      const cells = rows.column(feature);
      return read === undefined ? cells : cells?.map((cell) => (isMissing(cell) ? null : read(cell)));
    },
  };
}

function readerOf(feature: ModelFeature): ((cell: unknown) => unknown) | undefined {
  if (feature.kind === "date") return (cell) => dateIn(cell, feature);
  return feature.kind === "boolean" ? truthIn : undefined;
}

const shown = (cell: unknown): string => (typeof cell === "string" ? cell : (JSON.stringify(cell) ?? ""));

/** By ISO 8601, or as the table wrote it. */
function dateIn(cell: unknown, { written }: DateFeature): number | StrayCell {
  const isText = typeof cell === "string" || typeof cell === "number";
  const seconds = isText ? (secondsOf(String(cell), written) ?? secondsOf(String(cell), isoForm)) : undefined;
  return seconds ?? new StrayCell(shown(cell), `a date as ${exampleOfDates(written)} or ${exampleOfDates(isoForm)}`);
}

function truthIn(cell: unknown): boolean | StrayCell {
  if (typeof cell === "boolean") return cell;
  if (cell === 1 || cell === 0) return cell === 1;
  return (typeof cell === "string" ? truthOf(cell) : undefined) ?? new StrayCell(shown(cell), "true or false");
}
