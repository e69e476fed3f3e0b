import type { TrainingFacts } from "./fit-rows.ts";
import { planValidation } from "./plan-validation.ts";
import type { RowSplit } from "./split-rows.ts";
import { usualSeed } from "./train-request.ts";
import { TrainingDataError } from "./training-data-error.ts";
import type { Validation, ValidationReport } from "./validation.ts";

const innerFolds = 3;

/** On which rows candidates are compared. */
export interface InnerPlan {
  readonly report: ValidationReport;
  /** Places of the target, all of them among those that were given. */
  readonly splits: readonly RowSplit[];
}

/**
 * Parts rows that are learnt from once more, in the way in which the run is measured: what is good for days to come, or for
 * other groups, is another model than what is good for rows between those that were learnt from. Where too few moments or
 * groups are left for that, by folds of rows.
 * @param places of the target that may be looked at
 * @throws TrainingDataError TOO_FEW_ROWS
 */
export function planInner({ request, columns, target }: TrainingFacts, places: Int32Array): InnerPlan {
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
  const partBy = (inner: Validation): InnerPlan => {
    const plan = planValidation(inner, facts);
    const splits = "split" in plan ? [plan.split] : [...plan.splits()];
    const there = (some: Int32Array): Int32Array => some.map((place) => places[place]!);
    return {
      report: plan.report,
      splits: splits.map(({ kept, heldOut }) => ({ kept: there(kept), heldOut: there(heldOut) })),
    };
  };
  const byRows: Validation = { kind: "folds", folds: innerFolds, repeats: 1 };
  const alike = innerOf(validation);
  if (alike === undefined) return partBy(byRows);
  try {
    return partBy(alike);
  } catch (error) {
    if (error instanceof TrainingDataError && error.code === "PARAMETER_UNUSABLE") return partBy(byRows);
    throw error;
  }
}

function innerOf(validation: Validation | undefined): Validation | undefined {
  if (validation?.kind === "time") return { kind: "time", column: validation.column };
  if (validation?.kind === "group") return { kind: "group", column: validation.column, folds: innerFolds };
  return undefined;
}
