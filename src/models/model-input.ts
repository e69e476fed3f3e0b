import type { LeftOutColumn } from "./column-use.ts";
import type { ModelFeature, NumberFeature, TextFeature, XgboostModel } from "./model.ts";
import type { TableColumn } from "./training-table.ts";

/** A column that the model takes; `more` counts the categories that are not shown. */
export type InputFeature =
  | { readonly name: string; readonly type: "number" }
  | { readonly name: string; readonly type: "category"; readonly categories: readonly string[]; readonly more: number };

/** What a model takes, as it is kept beside it and sent: bounded, whatever the table was. */
export interface ModelInput {
  readonly features: readonly InputFeature[];
  /** Whether one of them has `more` categories than are shown. */
  readonly cut: boolean;
  /** A row of typical values; null where none is short enough. */
  readonly example: Readonly<Record<string, number | string | null>>;
  /** Columns of the table that are not needed. */
  readonly notNeeded: readonly LeftOutColumn[];
  /** A sum of larger numbers may have no answer; null where any number has one. */
  readonly numbersUpTo: number | null;
}

/** What it is described from: the model, and the rows that it learned from. */
export interface InputFacts {
  readonly features: readonly ModelFeature[];
  readonly notNeeded: readonly LeftOutColumn[];
  readonly model: XgboostModel;
  readonly columns: ReadonlyMap<string, TableColumn>;
  readonly trainRows: Int32Array;
}

/** A category of more characters is not shown: who cuts it has another category. */
const longestCategory = 200;
/** Of all categories that are shown, each with its quotes and comma. */
const mostCharacters = 128 * 1024;
const charactersOf = (category: string): number => category.length + 4;

/** The largest number of 32 bits. */
const largestFloat = 2 ** 128 - 2 ** 104;

/** Describes what a model takes. Names stand whole: all of a table have 256 KiB at most. */
export function describeInput({ features, notNeeded, model, columns, trainRows }: InputFacts): ModelInput {
  const numbersUpTo = largestNumber(model);
  const ranked = features.map((feature) =>
    feature.kind === "text" ? rankCategories(feature, columns.get(feature.column)!, trainRows) : [],
  );
  const share = fairShare(
    ranked.map((categories) => categories.reduce((sum, category) => sum + charactersOf(category), 0)),
    mostCharacters,
  );
  const shown = ranked.map((categories) => firstWithin(categories, share));
  const described = features.map((feature, at) => toInputFeature(feature, new Set(shown[at])));
  const typical = (feature: ModelFeature, at: number): number | string | null => {
    if (feature.kind === "text") return shown[at]![0] ?? null;
    const value = typicalNumber(feature, columns.get(feature.column)!, trainRows);
    return Math.abs(value) <= (numbersUpTo ?? largestFloat) ? value : null;
  };
  return {
    features: described,
    cut: described.some((feature) => feature.type === "category" && feature.more > 0),
    // fromEntries, since an assignment to a column called "__proto__" would be lost.
    example: Object.fromEntries(features.map((feature, at) => [feature.column, typical(feature, at)])),
    notNeeded,
    numbersUpTo,
  };
}

function toInputFeature(feature: ModelFeature, shown: ReadonlySet<string>): InputFeature {
  if (feature.kind === "number") return { name: feature.column, type: "number" };
  const categories = feature.categories.filter((category) => shown.has(category));
  return { name: feature.column, type: "category", categories, more: feature.categories.length - categories.length };
}

/** Those short enough to be shown, the most frequent first. */
function rankCategories({ categories }: TextFeature, column: TableColumn, rows: Int32Array): string[] {
  const counts = new Map(categories.filter(({ length }) => length <= longestCategory).map((each) => [each, 0]));
  if (column.kind === "text")
    for (const row of rows) {
      const text = column.texts[row] ?? "";
      const count = counts.get(text);
      if (count !== undefined) counts.set(text, count + 1);
    }
  return [...counts].sort(([, one], [, other]) => other - one).map(([category]) => category);
}

/** What each may have of `most`, so that who wants little gets it whole and all others the same. */
function fairShare(wanted: readonly number[], most: number): number {
  let left = most;
  for (const [at, size] of wanted.toSorted((one, other) => one - other).entries()) {
    const share = Math.floor(left / (wanted.length - at));
    if (size > share) return share;
    left -= size;
  }
  return most;
}

function firstWithin(categories: readonly string[], share: number): string[] {
  let characters = 0;
  return categories.filter((category) => {
    characters += charactersOf(category);
    return characters <= share;
  });
}

/** The mean, of whole numbers a whole one: no cell of any row. */
function typicalNumber({ mean }: NumberFeature, column: TableColumn, rows: Int32Array): number {
  const isWhole =
    column.kind === "number" &&
    rows.every((row) => Number.isInteger(column.numbers[row]) || Number.isNaN(column.numbers[row]));
  return isWhole ? Math.round(mean) : Number(mean.toPrecision(4));
}

/** Up to a power of ten, with a wide berth: a sum of 32 bits that goes beyond its largest number on the way is no answer. */
function largestNumber({ learner }: XgboostModel): number | null {
  const { gradient_booster: booster } = learner;
  // Trees compare numbers, and add none of them.
  if (booster.name === "gbtree") return null;
  const weights = booster.model.weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
  const largest = largestFloat / 4 / weights;
  return largest >= largestFloat ? null : 10 ** Math.floor(Math.log10(largest));
}
