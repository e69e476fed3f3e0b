import { dealOut, neverHeldOut, splitsOf } from "./folds.ts";
import { dealOutGroups, groupsOf, holdOutGroups } from "./groups.ts";
import { holdOutLatest } from "./latest-rows.ts";
import { type RowSplit, seededRandom, splitRows } from "./split-rows.ts";
import { TrainingDataError } from "./training-data-error.ts";
import type { TableColumn } from "./training-table.ts";
import type { TrainingTarget } from "./training-target.ts";
import { usualShare, type Validation, type ValidationReport, wholeValidation } from "./validation.ts";

/** One model, measured on the rows that it has not learnt from. */
interface HeldOutPlan {
  readonly report: ValidationReport;
  readonly split: RowSplit;
}

/** Many models, each measured on a fold; the run's own learns from all rows. */
export interface FoldsPlan {
  readonly report: ValidationReport;
  readonly foldCount: number;
  readonly repeats: number;
  /** Rows that are held out once in each repeat. */
  readonly heldOutRows: number;
  /** Repeat by repeat, fold by fold. */
  readonly splits: () => Iterable<RowSplit>;
}

export type ValidationPlan = HeldOutPlan | FoldsPlan;

/** What the rows are parted by. */
export interface PlanFacts {
  readonly target: TrainingTarget;
  readonly targetName: string;
  readonly columns: ReadonlyMap<string, TableColumn>;
  readonly seed: number;
  /** How often rows are dealt into that many folds where nothing is said. */
  readonly usualRepeats: (folds: number) => number;
}

/**
 * Which rows are learnt from, and which are measured on, by places of the target.
 * @throws TrainingDataError TOO_FEW_ROWS, or PARAMETER_UNUSABLE where the rows can't be parted so
 */
export function planValidation(asked: Validation | undefined, facts: PlanFacts): ValidationPlan {
  const validation = wholeValidation(asked, facts.target.rows.length, facts.usualRepeats);
  // Nobody asked for folds: where there are too few rows for them, what there always was still does.
  if (asked === undefined && validation.kind === "folds" && heldOutRowsOf(validation.folds!, facts) < validation.folds!)
    return holdOut(usualShare, facts);
  if (validation.kind === "holdout") return holdOut(validation.share ?? usualShare, facts);
  if (validation.kind === "folds") return dealRows(validation.folds!, validation.repeats!, facts);
  const column = facts.columns.get(validation.column);
  if (column === undefined || validation.column === facts.targetName)
    throw unusable(
      `names "${validation.column}", which is ${column === undefined ? "no column of the table" : "the target"}. Choose another column.`,
    );
  if (validation.kind === "time") {
    const { split, ...found } = holdOutLatest(column, facts.target.rows, validation.share ?? usualShare);
    return { report: { ...validation, ...found }, split };
  }
  const groups = groupsOf(column, facts.target.rows);
  const random = seededRandom(facts.seed);
  const report = { ...validation, groups: groups.named, seed: facts.seed };
  if (validation.folds === undefined)
    return { report, split: holdOutGroups(groups, validation.share ?? usualShare, random) };
  const { folds } = validation;
  const foldOf = dealOutGroups(groups, folds, random);
  return {
    report: { ...report, repeats: 1 },
    foldCount: folds,
    repeats: 1,
    heldOutRows: foldOf.length,
    splits: () => splitsOf(foldOf, folds),
  };
}

function holdOut(share: number, { target, targetName, seed }: PlanFacts): HeldOutPlan {
  const { rows, values, classes } = target;
  const split = splitRows(Int32Array.from(rows.keys()), share, seed, classes && Int32Array.from(values));
  if (split.heldOut.length === 0) {
    const why =
      share < usualShare
        ? `Of ${rows.length} rows a share of ${share}${classes ? ` of each class of "${targetName}"` : ""} is not one row to measure on; add rows, or raise \`share\` of the validation.`
        : `Hardly a class of "${targetName}" has more than one row; add rows, or choose another target.`;
    throw new TrainingDataError("TOO_FEW_ROWS", why);
  }
  return { report: { kind: "holdout", share, seed }, split };
}

const dealer =
  (folds: number, { target: { values, classes } }: PlanFacts) =>
  (random: () => number): Uint8Array =>
    dealOut(values.length, folds, random, classes && values);

const heldOutRowsOf = (folds: number, facts: PlanFacts): number =>
  dealer(folds, facts)(seededRandom(facts.seed)).reduce((sum, fold) => sum + Number(fold !== neverHeldOut), 0);

function dealRows(folds: number, repeats: number, facts: PlanFacts): FoldsPlan {
  const { seed, targetName } = facts;
  const { classes } = facts.target;
  const deal = dealer(folds, facts);
  const heldOutRows = heldOutRowsOf(folds, facts);
  if (heldOutRows < folds)
    throw new TrainingDataError(
      "TOO_FEW_ROWS",
      heldOutRows === 0
        ? `Hardly a class of "${targetName}" has more than one row; add rows, or choose another target.`
        : `${folds} folds are asked for, and ${heldOutRows} rows${classes ? " of classes with more than one" : ""} are there. Ask for fewer \`folds\`, or add rows.`,
    );
  const splits = function* () {
    const random = seededRandom(seed);
    for (let repeat = 0; repeat < repeats; repeat++) yield* splitsOf(deal(random), folds);
  };
  return { report: { kind: "folds", folds, repeats, seed }, foldCount: folds, repeats, heldOutRows, splits };
}

const unusable = (why: string): TrainingDataError =>
  new TrainingDataError("PARAMETER_UNUSABLE", `\`validation\` ${why}`);
