import { shortName } from "./feature-schema.ts";
import { TrainingDataError } from "./training-data-error.ts";

/** How much rows of each class count, as scikit-learn's `class_weight`: a class that is not named counts 1. */
export type ClassWeight = "balanced" | Readonly<Record<string, number>>;

/** Classes that are named in words. */
const mostNamed = 10;

/**
 * The weight of each class: of those that are balanced all together count the same, rows ÷ (classes × rows of the class).
 * @param target the number of the class of each row that is learnt from
 * @throws TrainingDataError CLASS_UNKNOWN when a weight is for none of the classes
 */
export function weightsOfClasses(
  classWeight: ClassWeight,
  classes: readonly string[],
  target: Float64Array,
): Float64Array {
  if (classWeight !== "balanced") {
    requireKnownClasses("classWeight", Object.keys(classWeight), classes);
    return Float64Array.from(classes, (name) => (Object.hasOwn(classWeight, name) ? classWeight[name]! : 1));
  }
  const counts = new Float64Array(classes.length);
  for (const k of target) counts[k]! += 1;
  return counts.map((count) => target.length / (classes.length * count));
}

/**
 * @param parameter that names them
 * @throws TrainingDataError CLASS_UNKNOWN, which names the classes
 */
export function requireKnownClasses(parameter: string, named: readonly string[], classes: readonly string[]): void {
  const known = new Set(classes);
  const unknown = named.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new TrainingDataError(
    "CLASS_UNKNOWN",
    `\`${parameter}\` names ${tellClasses(unknown)}, and the classes are ${tellClasses(classes)}. Name them as the model does.`,
  );
}

/** In words, the first ten by name. */
export function tellClasses(names: readonly string[]): string {
  const told = names.slice(0, mostNamed).map((name) => `«${shortName(name)}»`);
  const more = names.length > mostNamed ? `, and ${names.length - mostNamed} more` : "";
  return told.join(", ") + more;
}
