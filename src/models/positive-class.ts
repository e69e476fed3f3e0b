import { requireKnownClasses, tellClasses } from "./class-weights.ts";
import { TrainingDataError } from "./training-data-error.ts";

/** What can be said of two classes, whatever the model. */
export interface PositiveParameters {
  /** The class that is looked for. Default: the rarer one of the training rows, of equals the second. */
  readonly positiveClass?: string | undefined;
}

/**
 * Holds parameters that are for two classes to what the table has.
 * @throws TrainingDataError PARAMETER_UNUSABLE where there are not two, CLASS_UNKNOWN where it is none of them
 */
export function requireTwoClasses(
  { positiveClass }: PositiveParameters,
  target: string,
  classes: readonly string[] | undefined,
): void {
  if (positiveClass === undefined) return;
  if (classes?.length !== 2) {
    const found = classes === undefined ? "holds numbers here" : `has ${classes.length}: ${tellClasses(classes)}`;
    throw new TrainingDataError(
      "PARAMETER_UNUSABLE",
      `\`positiveClass\` is for two classes, and "${target}" ${found}. Leave it out, or choose another target.`,
    );
  }
  requireKnownClasses("positiveClass", [positiveClass], classes);
}
