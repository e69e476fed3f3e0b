import { boundsOf, fromBoundedSource, type MetricDefinition } from "./metric-definition.ts";

/** All combinations of a metric's closed sets that may come; undefined where one of its sets isn't closed. */
export function combinationsOf(definition: MetricDefinition): Record<string, string>[] | undefined {
  let combinations: Record<string, string>[] = [{}];
  for (const [attribute, values] of Object.entries(definition.attributes)) {
    if (values === fromBoundedSource) return undefined;
    combinations = combinations.flatMap((combination) =>
      values.map((value) => ({ ...combination, [attribute]: value })),
    );
  }
  return combinations.filter((combination) => !isImpossible(definition, combination));
}

const isImpossible = ({ impossible = [] }: MetricDefinition, combination: Record<string, string>): boolean =>
  impossible.some((one) => Object.entries(one).every(([attribute, value]) => combination[attribute] === value));

/** Most attribute sets that a metric keeps, `other` and the overflow included. */
export function attributeSetLimit(definition: MetricDefinition): number {
  if (definition.seriesLimit !== undefined) return definition.seriesLimit;
  const sets = Object.values(definition.attributes).map((values) =>
    values === fromBoundedSource ? 1 : values.length + (values.some((value) => value === "other") ? 0 : 1),
  );
  // One for the overflow: a limit of N keeps N − 1 sets (seen on Node 24, November 2026).
  return sets.reduce((product, size) => product * size, 1) + 1;
}

/** Most series that a metric can have in the exposition. */
export function seriesCeiling(definition: MetricDefinition, latencyBounds?: readonly number[]): number {
  const perSet = definition.kind === "histogram" ? boundsOf(definition, latencyBounds).length + 3 : 1;
  const isPlain = Object.keys(definition.attributes).length === 0;
  return perSet * (isPlain ? 1 : attributeSetLimit(definition));
}

/**
 * Attributes as they may be recorded: only declared ones, a value outside its closed set becomes `other`.
 * A declared attribute that is not given becomes "" where the set knows it, else `other`.
 */
export function allowedAttributes(
  definition: MetricDefinition,
  given: Readonly<Record<string, string | number | undefined>>,
): Record<string, string> {
  const allowed: Record<string, string> = {};
  for (const [attribute, values] of Object.entries(definition.attributes)) {
    // Half a character would be written as U+FFFD: two values for one series.
    const value = String(given[attribute] ?? "").toWellFormed();
    if (values === fromBoundedSource) allowed[attribute] = value === "" ? "other" : value;
    else allowed[attribute] = isMember(values, value) ? value : "other";
  }
  return allowed;
}

const sets = new WeakMap<readonly string[], ReadonlySet<string>>();
function isMember(values: readonly string[], value: string): boolean {
  let set = sets.get(values);
  if (set === undefined) {
    set = new Set(values);
    sets.set(values, set);
  }
  return set.has(value);
}
