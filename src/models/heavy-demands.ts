import { shortName, widthOf } from "./feature-schema.ts";
import type { HeavyParameters } from "./heavy-parameters.ts";
import type { ModelFeature } from "./model.ts";
import { TrainingDataError } from "./training-data-error.ts";

/**
 * What a heavy model's parameters ask of the data.
 * @param values of the target, or numbers of classes
 * @throws TrainingDataError PARAMETER_UNUSABLE or TARGET_NEGATIVE where it is not so
 */
export function requireDemandsMet(
  { scalePosWeight, monotoneConstraints, objective }: HeavyParameters,
  classes: readonly string[] | undefined,
  values: Float64Array,
): void {
  const classCount = classes?.length ?? 0;
  if (classCount > 2 && scalePosWeight !== undefined)
    throw unusable(`\`scalePosWeight\` is for two classes, and the target has ${classCount}. Leave it out.`);
  if (classCount > 2 && monotoneConstraints !== undefined)
    throw unusable(
      `\`monotoneConstraints\` are for numbers or two classes, and the target has ${classCount}: their chances sum up to 1. Leave them out.`,
    );
  if (objective !== "count:poisson") return;
  const negative = values.find((value) => value < 0);
  if (negative !== undefined)
    throw new TrainingDataError(
      "TARGET_NEGATIVE",
      `The objective count:poisson is for counts, and the target has ${negative}. Choose another objective or target.`,
    );
}

/**
 * The monotone constraints by the model's own features; undefined where there are none. Of a date it is the days that are
 * constrained: month and weekday begin anew.
 * @throws TrainingDataError PARAMETER_UNUSABLE for a column of text
 */
export function monotoneFeatures(
  constraints: HeavyParameters["monotoneConstraints"],
  features: readonly ModelFeature[],
): Int8Array | undefined {
  if (constraints === undefined) return undefined;
  const byFeature = features.flatMap((feature) => {
    const rule = Object.hasOwn(constraints, feature.column) ? constraints[feature.column]! : 0;
    if (feature.kind === "date") return feature.parts.map(({ part }) => (part === "days" ? rule : 0));
    if (feature.kind !== "text") return [rule];
    if (rule !== 0)
      throw unusable(
        `\`monotoneConstraints\` names «${shortName(feature.column)}», which is text and has no order. Leave it out there.`,
      );
    return new Array<number>(widthOf(feature)).fill(0);
  });
  return byFeature.some((rule) => rule !== 0) ? Int8Array.from(byFeature) : undefined;
}

const unusable = (message: string): TrainingDataError => new TrainingDataError("PARAMETER_UNUSABLE", message);
