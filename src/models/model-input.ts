import type { LeftOutColumn } from "./column-use.ts";
import { areTimesAlone, midnightBefore, momentOf } from "./date-parts.ts";
import { fairShare, firstWithin, jsonBytesOf } from "./fair-share.ts";
import { toFeatureValue } from "./feature-schema.ts";
import { countOthers } from "./known-category.ts";
import type { DateFeature, ModelFeature, NumberFeature, TextFeature } from "./model.ts";
import { countCodes } from "./text-feature.ts";
import type { TableColumn } from "./training-table.ts";

/**
 * A column that the model takes; `more` counts the categories that are not shown, and beyond `numbersUpTo` a sum may have no
 * answer (null: any number has one).
 */
export type InputFeature =
  | { readonly name: string; readonly type: "number"; readonly numbersUpTo: number | null }
  | { readonly name: string; readonly type: "boolean" }
  /** `from` and `to` are the first and the last that was learnt from. */
  | { readonly name: string; readonly type: "date" | "time"; readonly from: string; readonly to: string }
  | {
      readonly name: string;
      readonly type: "category";
      readonly categories: readonly string[];
      readonly more: number;
      /** Rarer values, which count as one category; absent where there are none. */
      readonly others?: number;
    };

/** What a model takes, as it is kept beside it and sent: bounded, whatever the table was. */
export interface ModelInput {
  readonly features: readonly InputFeature[];
  /** Whether one of them has `more` categories than are shown. */
  readonly cut: boolean;
  /** A row of typical values; null where none is short enough. */
  readonly example: Readonly<Record<string, number | string | boolean | null>>;
  /** Columns of the table that are not needed. */
  readonly notNeeded: readonly LeftOutColumn[];
}

/** What it is described from: the model's features and bounds, and the rows that it learned from. */
export interface InputFacts {
  readonly features: readonly ModelFeature[];
  readonly notNeeded: readonly LeftOutColumn[];
  /** Of each feature. */
  readonly bounds: readonly (number | null)[];
  readonly columns: ReadonlyMap<string, TableColumn>;
  readonly trainRows: Int32Array;
}

/** A category of more characters is not shown: who cuts it has another category. */
const longestCategory = 200;
/** Of all categories that are shown, as JSON, each with its comma. */
const mostBytes = 128 * 1024;

/** Describes what a model takes. Names stand whole: all of a table have 256 KiB at most in its header. */
export function describeInput({ features, notNeeded, bounds, columns, trainRows }: InputFacts): ModelInput {
  const ranked = features.map((feature) =>
    feature.kind === "text" ? rankCategories(feature, columns.get(feature.column)!, trainRows) : [],
  );
  const share = fairShare(ranked.map(jsonBytesOf), mostBytes);
  const shown = ranked.map((categories) => firstWithin(categories, share));
  const described = features.map((feature, at) => {
    if (feature.kind !== "date") return toInputFeature(feature, new Set(shown[at]), bounds[at]!);
    const { min, max } = rangeOf(columns.get(feature.column)!, trainRows);
    const type = areTimesAlone(feature.written) ? "time" : "date";
    return {
      name: feature.column,
      type,
      from: momentOf(min, feature.written),
      to: momentOf(max, feature.written),
    } as const;
  });
  const typical = (feature: ModelFeature, at: number): number | string | boolean | null => {
    if (feature.kind === "text") return shown[at]![0] ?? null;
    if (feature.kind === "boolean") return feature.mean >= 0.5;
    const column = columns.get(feature.column)!;
    return feature.kind === "date"
      ? typicalMoment(feature, column, trainRows)
      : typicalNumber(feature, column, trainRows);
  };
  return {
    features: described,
    cut: described.some((feature) => feature.type === "category" && feature.more > 0),
    // fromEntries, since an assignment to a column called "__proto__" would be lost.
    example: Object.fromEntries(features.map((feature, at) => [feature.column, typical(feature, at)])),
    notNeeded,
  };
}

function toInputFeature(
  feature: Exclude<ModelFeature, DateFeature>,
  shown: ReadonlySet<string>,
  numbersUpTo: number | null,
): InputFeature {
  if (feature.kind === "boolean") return { name: feature.column, type: "boolean" };
  if (feature.kind === "number") return { name: feature.column, type: "number", numbersUpTo };
  const categories = feature.categories.filter((category) => shown.has(category));
  const [more, others] = [feature.categories.length - categories.length, countOthers(feature)];
  return { name: feature.column, type: "category", categories, more, ...(others > 0 && { others }) };
}

/** Those short enough to be shown, the most frequent first. */
function rankCategories({ categories }: TextFeature, column: TableColumn, rows: Int32Array): string[] {
  const counts = new Map(categories.filter(({ length }) => length <= longestCategory).map((each) => [each, 0]));
  if (column.kind === "text")
    for (const [code, count] of countCodes(column, rows).entries()) {
      const text = column.values[code] ?? "";
      if (counts.has(text)) counts.set(text, count);
    }
  return [...counts].sort(([, one], [, other]) => other - one).map(([category]) => category);
}

/** The mean: of whole numbers a whole one, else to a hundredth of their spread. No cell of any row, yet within the column. */
function typicalNumber({ mean }: NumberFeature, column: TableColumn, rows: Int32Array): number {
  const { min, max, isWhole } = rangeOf(column, rows);
  const rounded = isWhole ? Math.round(mean) : roundTo(mean, (max - min) / 100);
  return Math.min(Math.max(rounded, min), max);
}

/** The day in the middle between the first and the last, or that moment where they are of one day or have none. */
function typicalMoment({ written }: DateFeature, column: TableColumn, rows: Int32Array): string {
  const { min, max } = rangeOf(column, rows);
  const day = midnightBefore((min + max) / 2);
  return momentOf(day < min || areTimesAlone(written) ? Math.round((min + max) / 2) : day, written);
}

/** Of numbers that a 32-bit float holds. */
function rangeOf(column: TableColumn, rows: Int32Array): { min: number; max: number; isWhole: boolean } {
  if (column.kind === "text") throw new Error(`The column «${column.name}» is text, and its feature is none of it.`);
  let [min, max, isWhole] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, true];
  for (const row of rows) {
    const number = column.numbers[row]!;
    if (Number.isNaN(toFeatureValue(number))) continue;
    min = Math.min(min, number);
    max = Math.max(max, number);
    isWhole &&= Number.isInteger(number);
  }
  return { min, max, isWhole };
}

/** To a power of ten that is no more than `step`, and one digit at least. */
function roundTo(number: number, step: number): number {
  const digits = Math.floor(Math.log10(Math.abs(number))) - Math.floor(Math.log10(step)) + 1;
  return Number(number.toPrecision(Math.min(Math.max(digits, 1), 17)));
}
