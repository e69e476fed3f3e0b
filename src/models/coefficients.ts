import type { LinearWeights } from "./linear-problem.ts";
import type { Coefficient, Coefficients, ModelFeature } from "./model.ts";

/**
 * The weights of a light model with the names of what they are for, in the units of the data.
 * @param outputs what each output is for: a class, or the target
 */
export function coefficientsOf(
  features: readonly ModelFeature[],
  outputs: readonly string[],
  { weights, biases, means, deviations }: LinearWeights,
): Coefficients {
  const named = features.flatMap(namesOf);
  if (named.length * outputs.length !== weights.length)
    throw new Error(`${named.length} features and ${outputs.length} outputs do not have ${weights.length} weights.`);
  return {
    outputs,
    intercepts: Array.from(biases, short),
    features: named.map((name, at) => ({
      ...name,
      mean: means[at]!,
      deviation: deviations[at]!,
      weights: Array.from(weights.subarray(at * outputs.length, (at + 1) * outputs.length), short),
    })),
  };
}

/** Nine digits say which 32-bit float it is. */
const short = (value: number): number => Number(value.toPrecision(9));

/** In the order in which columns are expanded. */
function namesOf(feature: ModelFeature): Pick<Coefficient, "column" | "category" | "others" | "part">[] {
  const { column } = feature;
  if (feature.kind === "text") {
    const others = feature.others === undefined ? [] : [{ column, others: true } as const];
    return [...feature.categories.map((category) => ({ column, category })), ...others];
  }
  if (feature.kind === "date") return feature.parts.map(({ part }) => ({ column, part }));
  return [{ column }];
}
