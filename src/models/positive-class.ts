import { chooseThreshold, type ThresholdAim } from "./choose-threshold.ts";
import { sharesOf } from "./class-chances.ts";
import { requireKnownClasses, tellClasses } from "./class-weights.ts";
import type { Decision } from "./decide-class.ts";
import { rarerOfTwo } from "./rated-rows.ts";
import { TrainingDataError } from "./training-data-error.ts";

/** Of fewer a fold without them leaves so little that their chances are next to none, and every row is said to be one. */
const leastRowsOfClass = 10;

/** What can be said of two classes, whatever the model. */
export interface PositiveParameters {
  /** The class that is looked for. Default: the rarer one of the training rows, of equals the second. */
  readonly positiveClass?: string | undefined;
  /** The chance of it that is enough, or by what it is chosen. Default: the likelier class is said. */
  readonly threshold?: number | ThresholdAim | undefined;
}

/** Whether a threshold is to be found out, for which more models are learnt. */
export const isChosen = (threshold: PositiveParameters["threshold"]): threshold is ThresholdAim =>
  threshold !== undefined && typeof threshold !== "number";

/**
 * Holds parameters that are for two classes to what the table has.
 * @throws TrainingDataError PARAMETER_UNUSABLE where there are not two, CLASS_UNKNOWN where the positive one is none of them
 */
export function requireTwoClasses(
  { positiveClass, threshold }: PositiveParameters,
  target: string,
  classes: readonly string[] | undefined,
): void {
  if (positiveClass === undefined && threshold === undefined) return;
  if (classes?.length !== 2) {
    const found = classes === undefined ? "holds numbers here" : `has ${classes.length}: ${tellClasses(classes)}`;
    throw new TrainingDataError(
      "PARAMETER_UNUSABLE",
      `\`${positiveClass === undefined ? "threshold" : "positiveClass"}\` is for two classes, and "${target}" ${found}. Leave it out, or choose another target.`,
    );
  }
  if (positiveClass !== undefined) requireKnownClasses("positiveClass", [positiveClass], classes);
}

/**
 * How one of two classes is said; undefined where no threshold is asked for.
 * @param target the number of the class of each row that is learnt from
 * @param outOfFold chances of the second class of these rows, by models that were learnt without them: chances of rows that
 * a model knows are too good to choose by, and the held-out rows are for measuring
 * @throws TrainingDataError PARAMETER_UNUSABLE where a class has too few rows for a threshold to be chosen
 */
export function decisionOf(
  { positiveClass, threshold }: PositiveParameters,
  classes: readonly string[],
  target: Float64Array,
  outOfFold: () => Float64Array,
): Decision | undefined {
  if (threshold === undefined) return undefined;
  const positive = positiveClass === undefined ? rarerOfTwo(sharesOf(target, 2)) : classes.indexOf(positiveClass);
  if (!isChosen(threshold)) return { positiveClass: classes[positive]!, threshold };
  for (const k of [0, 1]) {
    const rows = target.reduce((sum, value) => sum + Number(value === k), 0);
    if (rows < leastRowsOfClass)
      throw new TrainingDataError(
        "PARAMETER_UNUSABLE",
        `\`threshold\` can't be chosen: of ${tellClasses([classes[k]!])} ${rows} rows are learnt from at once, and ${leastRowsOfClass} are the least. Say a number, or a \`validation\` that leaves more of them (more folds, or a smaller share), or leave it out.`,
      );
  }
  const chances = outOfFold();
  const ofPositive = positive === 1 ? chances : chances.map((chance) => 1 - chance);
  const isPositive = Array.from(target, (k) => k === positive);
  return { positiveClass: classes[positive]!, threshold: chooseThreshold(threshold, isPositive, ofPositive) };
}
