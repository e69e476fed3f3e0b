import { shortName } from "./feature-schema.ts";
import { TrainingDataError } from "./training-data-error.ts";
import type { TableColumn } from "./training-table.ts";

/**
 * How much each of the rows counts, by a column of the table: as much as so many rows that are the same.
 * @param rows those that have a target
 * @throws TrainingDataError WEIGHT_UNUSABLE where a weight is missing, negative or not finite
 */
export function readWeights(column: TableColumn | undefined, name: string, rows: Int32Array): Float64Array {
  if (column === undefined || column.kind !== "number")
    throw unusable(name, "is no column of numbers", "Name one that is");
  const { numbers } = column;
  const weights = Float64Array.from(rows, (row) => numbers[row]!);
  const faulty = weights.findIndex((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY));
  if (faulty < 0) return weights;
  const weight = weights[faulty]!;
  const found = Number.isNaN(weight) ? "no weight" : `the weight ${weight}`;
  throw unusable(
    name,
    `has ${found} in row ${rows[faulty]! + 1}`,
    "Every row with a target needs one from 0 on; correct the table, or leave `weight` out",
  );
}

/** @throws TrainingDataError WEIGHT_UNUSABLE where no row counts */
export function requireSomeWeight(weights: Float64Array, name: string): void {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total > 0 && total < Number.POSITIVE_INFINITY) return;
  const why =
    total > 0
      ? "sums up to more than a number holds"
      : "is 0 in all rows that were to be learnt from, those of one fold where it is measured by folds";
  throw unusable(name, why, "Correct the table, say another `validation`, or leave `weight` out");
}

function unusable(name: string, why: string, advice: string): TrainingDataError {
  return new TrainingDataError("WEIGHT_UNUSABLE", `The column of weights «${shortName(name)}» ${why}. ${advice}.`);
}
