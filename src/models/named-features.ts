import { areTimesAlone, type DatePart } from "./date-parts.ts";
import type { ModelDocument, ModelFeature } from "./model.ts";

/** What stands before the metrics in a model's file. */
export type ModelHead = Pick<
  ModelDocument,
  "mode" | "task" | "target" | "classes" | "decision" | "features" | "missing" | "library"
>;

/** What a model in XGBoost's format says of its features and of itself, all of it text. */
export interface ModelNames {
  readonly attributes: Readonly<Record<string, string>>;
  readonly feature_names: readonly string[];
  readonly feature_types: readonly string[];
}

/** A column as the attribute `columns` has it: what its features are made of. */
type NamedColumn =
  | { readonly column: string; readonly kind: "number" | "boolean" | "time" }
  | { readonly column: string; readonly kind: "text"; readonly categories: readonly string[]; readonly others: 0 | 1 }
  | { readonly column: string; readonly kind: "date"; readonly origin: number; readonly parts: readonly DatePart[] };

/** Names the features of a model, and says in its attributes how they are made of a table (docs/models.md). */
export function namesOfModel(head: ModelHead): ModelNames {
  const { mode, task, target, classes, decision, features, missing, library } = head;
  const named = features.flatMap(featuresOf);
  const json: Record<string, unknown> = {
    columns: features.map(toColumn),
    // What stands in for a missing value.
    fills: named.map(({ fill }) => (mode === "light" ? fill : null)),
    missing: missing ?? [],
    ...(classes && { classes }),
    ...(decision && { decision }),
  };
  return {
    attributes: {
      library: `${library.name} ${library.version}`,
      task,
      target,
      ...Object.fromEntries(Object.entries(json).map(([name, value]) => [name, JSON.stringify(value)])),
    },
    feature_names: toUsableNames(named.map(({ name }) => name)),
    feature_types: named.map(({ type }) => type),
  };
}

interface NamedFeature {
  readonly name: string;
  /** XGBoost's; a dump of the model writes whole borders for `int`. */
  readonly type: "float" | "int";
  readonly fill: number | null;
}

/** In the order in which columns are expanded. */
function featuresOf(feature: ModelFeature): NamedFeature[] {
  const { column } = feature;
  if (feature.kind === "number") return [{ name: column, type: "float", fill: feature.mean }];
  if (feature.kind === "boolean") return [{ name: column, type: "int", fill: feature.mean }];
  if (feature.kind === "date")
    return feature.parts.map(({ part, mean }) => ({
      name: `${column}.${part}`,
      type: part === "days" ? "float" : "int",
      fill: mean,
    }));
  const categories = [...feature.categories, ...(feature.others === undefined ? [] : ["(other)"])];
  return categories.map((category) => ({ name: `${column}=${category}`, type: "int", fill: null }));
}

function toColumn(feature: ModelFeature): NamedColumn {
  const { column, kind } = feature;
  if (kind === "text")
    return { column, kind, categories: feature.categories, others: feature.others === undefined ? 0 : 1 };
  if (kind === "date" && areTimesAlone(feature.written)) return { column, kind: "time" };
  if (kind === "date") return { column, kind, origin: feature.origin, parts: feature.parts.map(({ part }) => part) };
  return { column, kind };
}

/**
 * XGBoost's Python package takes no brackets and no «<», its reader of JSON no control characters, and each name may stand
 * once.
 */
function toUsableNames(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((name) => {
    const usable = name
      .toWellFormed()
      .replaceAll("[", "(")
      .replaceAll("]", ")")
      .replaceAll("<", "‹")
      .replace(/\p{Cc}/gu, " ");
    let unique = usable;
    for (let number = 2; used.has(unique); number++) unique = `${usable} (${number})`;
    used.add(unique);
    return unique;
  });
}
