import type { DroppedColumn, ModelFeature } from "./model.ts";
import type { TableColumn } from "./training-table.ts";

/** More categories than this make a text column an identifier rather than a feature. */
export const MAX_CATEGORIES = 50;

/** What is wrong with a column that nothing is learnt from, after its name. */
export const dropReasons: Readonly<Record<DroppedColumn["reason"], string>> = {
  constant: "has one value in all rows that were learnt from",
  constant_when_rounded:
    "has several values, which are one as 32-bit floats of some seven digits (subtract their least from them, or scale them)",
  empty: "has no value in the rows that were learnt from",
  out_of_range:
    "has numbers beyond 3.4e38 alone in the rows that were learnt from, which no 32-bit float is (scale them)",
  too_many_categories: `is text with more than ${MAX_CATEGORIES} different values`,
};

/** A column's name as words hold it. */
export const shortName = (name: string): string => name.slice(0, 80).toWellFormed();

/** What the usable columns become, and those left out with the reason. */
export interface FeatureSchema {
  readonly features: readonly ModelFeature[];
  readonly droppedColumns: readonly DroppedColumn[];
}

/** Decides from the training rows alone how columns become features: the held-out rows must not be peeked at. */
export function buildFeatureSchema(columns: readonly TableColumn[], rows: Int32Array): FeatureSchema {
  const features: ModelFeature[] = [];
  const droppedColumns: DroppedColumn[] = [];
  for (const column of columns) {
    const feature = column.kind === "number" ? numberFeature(column, rows) : textFeature(column, rows);
    if (typeof feature === "string") droppedColumns.push({ name: column.name, reason: feature });
    else features.push(feature);
  }
  return { features, droppedColumns };
}

/** XGBoost works on 32-bit floats; what does not fit them is as good as missing. */
export function toFeatureValue(value: number): number {
  const rounded = Math.fround(value);
  return Number.isFinite(rounded) ? rounded : Number.NaN;
}

function numberFeature(
  column: Extract<TableColumn, { kind: "number" }>,
  rows: Int32Array,
): ModelFeature | DroppedColumn["reason"] {
  let count = 0;
  let mean = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let hasNumber = false;
  let first: number | undefined;
  let isConstant = true;
  for (const row of rows) {
    const number = column.numbers[row]!;
    const value = toFeatureValue(number);
    hasNumber ||= !Number.isNaN(number);
    if (Number.isNaN(value)) continue;
    first ??= number;
    isConstant &&= number === first;
    count++;
    mean += (value - mean) / count;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (count === 0) return hasNumber ? "out_of_range" : "empty";
  // A value that is only ever there or missing could be split on by a tree, but not by a linear model.
  if (min === max) return isConstant ? "constant" : "constant_when_rounded";
  const { name, written } = column;
  return { column: name, kind: "number", mean: Math.fround(mean), ...(written && { written }) };
}

function textFeature(
  column: Extract<TableColumn, { kind: "text" }>,
  rows: Int32Array,
): ModelFeature | DroppedColumn["reason"] {
  const categories = new Set<string>();
  let hasMissing = false;
  for (const row of rows) {
    const text = column.texts[row] ?? null;
    if (text === null || text === "") hasMissing = true;
    else categories.add(text);
    if (categories.size > MAX_CATEGORIES) return "too_many_categories";
  }
  if (categories.size === 0) return "empty";
  if (categories.size === 1 && !hasMissing) return "constant";
  return { column: column.name, kind: "text", categories: [...categories].sort() };
}

/** For each of the model's own features, the place of its source column in the schema. */
export function expandedSources(features: readonly ModelFeature[]): number[] {
  return features.flatMap((feature, source) =>
    feature.kind === "number" ? [source] : feature.categories.map(() => source),
  );
}

/** The model's own features, one array each; `impute` puts the mean where a number is missing, else it stays NaN. */
export function expandColumns(
  features: readonly ModelFeature[],
  columns: ReadonlyMap<string, TableColumn>,
  rows: Int32Array,
  impute: boolean,
): Float32Array[] {
  const expanded: Float32Array[] = [];
  for (const feature of features) {
    const column = columns.get(feature.column);
    if (column === undefined || column.kind !== feature.kind) {
      throw new Error(`The table has no ${feature.kind} column "${feature.column}".`);
    }
    if (column.kind === "number" && feature.kind === "number") {
      const values = new Float32Array(rows.length);
      for (let place = 0; place < rows.length; place++) {
        const value = toFeatureValue(column.numbers[rows[place]!]!);
        values[place] = impute && Number.isNaN(value) ? feature.mean : value;
      }
      expanded.push(values);
    } else if (column.kind === "text" && feature.kind === "text") {
      const places = new Map(feature.categories.map((category, place) => [category, place]));
      const indicators = feature.categories.map(() => new Float32Array(rows.length));
      for (let place = 0; place < rows.length; place++) {
        const category = places.get(column.texts[rows[place]!] ?? "");
        if (category !== undefined) indicators[category]![place] = 1;
      }
      for (const indicator of indicators) expanded.push(indicator);
    }
  }
  return expanded;
}
