import { requireEnough, type TrainingFacts } from "./fit-rows.ts";
import { planValidation } from "./plan-validation.ts";
import type { RowSplit } from "./split-rows.ts";
import { usualSeed } from "./train-request.ts";
import { TrainingDataError } from "./training-data-error.ts";
import { enoughRows, type Validation, type ValidationReport } from "./validation.ts";

/** On which rows candidates are compared. */
export interface InnerPlan {
  readonly report: ValidationReport;
  /** Places of the target, all of them among those that were given. */
  readonly splits: readonly RowSplit[];
}

/**
 * Parts rows that are learnt from once more, in the way in which the run is measured: what is good for days to come, or for
 * other groups, is another model than what is good for rows between those that were learnt from. Where too few moments or
 * groups are left for that, or one class alone, by folds of rows.
 * @param places of the target that may be looked at
 * @throws TrainingDataError TOO_FEW_ROWS
 */
export function planInner(ofAll: TrainingFacts, places: Int32Array): InnerPlan {
  const { request, columns, target } = ofAll;
  const { rows, values, classes } = target;
  const { validation, seed = usualSeed } = request.parameters;
  const facts = {
    target: {
      rows: places.map((place) => rows[place]!),
      values: Float64Array.from(places, (place) => values[place]!),
      ...(classes && { classes }),
    },
    targetName: request.target,
    columns,
    seed,
    usualRepeats: () => 1,
  };
  const partBy = (way: Validation): InnerPlan => {
    const plan = planValidation(way, facts);
    const splits = "split" in plan ? [plan.split] : [...plan.splits()];
    const there = (some: Int32Array): Int32Array => some.map((place) => places[place]!);
    const inner = splits.map(({ kept, heldOut }) => ({ kept: there(kept), heldOut: there(heldOut) }));
    for (const { kept } of inner) requireEnough(ofAll, kept);
    return { report: plan.report, splits: inner };
  };
  const ways = waysToPart(validation, places.length);
  for (const [at, way] of ways.entries()) {
    try {
      return partBy(way);
    } catch (error) {
      if (at === ways.length - 1 || !(error instanceof TrainingDataError)) throw error;
    }
  }
  throw new Error("There is no way to part rows.");
}

/** Those that follow are for what is left of too little. */
function waysToPart(validation: Validation | undefined, rowCount: number): Validation[] {
  // Of few rows chance decides much of what a few folds say, and more of them cost little.
  const isFew = rowCount < enoughRows;
  const folds = isFew ? 5 : 3;
  const byRows: Validation[] = [
    { kind: "folds", folds, repeats: isFew ? 2 : 1 },
    { kind: "folds", folds: 2, repeats: 1 },
  ];
  if (validation?.kind === "time") return [{ kind: "time", column: validation.column }, ...byRows];
  if (validation?.kind === "group") return [{ kind: "group", column: validation.column, folds }, ...byRows];
  return byRows;
}
