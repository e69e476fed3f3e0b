import { areTimesAlone, datePartOf, midnightBefore, partsOf } from "./date-parts.ts";
import { categoryFeatures, TableFeature } from "./feature-column.ts";
import type { DroppedColumn, ModelFeature, TextFeature } from "./model.ts";
import { LEAST_ROWS_OF_CATEGORY, MAX_CATEGORIES, textFeature, withinOtherBytes } from "./text-feature.ts";
import type { BooleanColumn, DateColumn, NumberColumn, TableColumn, TextColumn } from "./training-table.ts";

/** What is wrong with a column that nothing is learnt from, after its name. */
export const dropReasons: Readonly<Record<DroppedColumn["reason"], string>> = {
  constant: "has one value in all rows that were learnt from",
  constant_when_rounded:
    "has several values, which are one as 32-bit floats of some seven digits (subtract their least from them, or scale them)",
  empty: "has no value in the rows that were learnt from",
  identifier: "is text with a value of its own in nearly each of the rows that were learnt from",
  out_of_range:
    "has numbers beyond 3.4e38 alone in the rows that were learnt from, which no 32-bit float is (scale them)",
  too_many_categories: `is text with more than ${MAX_CATEGORIES} different values, none of which is in ${LEAST_ROWS_OF_CATEGORY} of the rows that were learnt from`,
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
    const feature = featureOf(column, rows);
    if (typeof feature === "string") droppedColumns.push({ name: column.name, reason: feature });
    else features.push(feature);
  }
  return { features: withinOtherBytes(features), droppedColumns };
}

/**
 * The same columns from more rows, with the categories and means of all of these: whatever was of use in some is in all.
 * @param measured the schema of some of the rows
 */
export function widenFeatureSchema(
  measured: FeatureSchema,
  columns: ReadonlyMap<string, TableColumn>,
  rows: Int32Array,
): FeatureSchema {
  const features = measured.features.map(({ column: name }) => {
    const feature = featureOf(columns.get(name)!, rows, true);
    if (typeof feature === "string") throw new Error(`"${name}" was of use in some rows, and is ${feature} in all.`);
    return feature;
  });
  return { features: withinOtherBytes(features), droppedColumns: measured.droppedColumns };
}

function featureOf(column: TableColumn, rows: Int32Array, isChosen = false): ModelFeature | DroppedColumn["reason"] {
  if (column.kind === "number") return numberFeature(column, rows);
  if (column.kind === "text") return textFeature(column, rows, isChosen);
  return column.kind === "date" ? dateFeature(column, rows) : booleanFeature(column, rows);
}

/** XGBoost works on 32-bit floats; what does not fit them is as good as missing. */
export function toFeatureValue(value: number): number {
  const rounded = Math.fround(value);
  return Number.isFinite(rounded) ? rounded : Number.NaN;
}

/** What the numbers of some rows are like; undefined where there is none. */
function spreadOf(
  numberIn: (row: number) => number,
  rows: Int32Array,
): { mean: number; isConstant: boolean } | undefined {
  let [count, mean, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const row of rows) {
    const value = numberIn(row);
    if (Number.isNaN(value)) continue;
    count++;
    mean += (value - mean) / count;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return count === 0 ? undefined : { mean: Math.fround(mean), isConstant: min === max };
}

function booleanFeature({ name, numbers }: BooleanColumn, rows: Int32Array): ModelFeature | DroppedColumn["reason"] {
  const spread = spreadOf((row) => numbers[row]!, rows);
  if (spread === undefined) return "empty";
  return spread.isConstant ? "constant" : { column: name, kind: "boolean", mean: spread.mean };
}

function dateFeature(column: DateColumn, rows: Int32Array): ModelFeature | DroppedColumn["reason"] {
  const { name, numbers, written, hasStrays } = column;
  let first = Number.POSITIVE_INFINITY;
  for (const row of rows) if (numbers[row]! < first) first = numbers[row]!;
  if (first === Number.POSITIVE_INFINITY) return "empty";
  const origin = areTimesAlone(written) ? 0 : midnightBefore(first);
  const parts = partsOf(written).flatMap((part) => {
    const spread = spreadOf((row) => toFeatureValue(datePartOf(part, numbers[row]!, origin)), rows);
    return spread === undefined || spread.isConstant ? [] : [{ part, mean: spread.mean }];
  });
  return parts.length === 0 ? "constant" : { column: name, kind: "date", origin, parts, written, hasStrays };
}

function numberFeature(
  { name, numbers, written }: NumberColumn,
  rows: Int32Array,
): ModelFeature | DroppedColumn["reason"] {
  const spread = spreadOf((row) => toFeatureValue(numbers[row]!), rows);
  if (spread === undefined) return rows.some((row) => !Number.isNaN(numbers[row]!)) ? "out_of_range" : "empty";
  // A value that is only ever there or missing could be split on by a tree, but not by a linear model.
  if (spread.isConstant) {
    const held = rows.filter((row) => !Number.isNaN(toFeatureValue(numbers[row]!)));
    return held.every((row) => numbers[row] === numbers[held[0]!]) ? "constant" : "constant_when_rounded";
  }
  return { column: name, kind: "number", mean: spread.mean, ...(written && { written }) };
}

/** How many of the model's own features it becomes. */
export function widthOf(feature: ModelFeature): number {
  if (feature.kind === "text") return feature.categories.length + (feature.others === undefined ? 0 : 1);
  return feature.kind === "date" ? feature.parts.length : 1;
}

/** For each of the model's own features, the place of its source column in the schema. */
export function expandedSources(features: readonly ModelFeature[]): number[] {
  return features.flatMap((feature, source) => new Array<number>(widthOf(feature)).fill(source));
}

/** By code of a text, which of the feature's own it is: -1 where it is none. */
function placesOfCodes({ categories, others }: TextFeature, { values }: TextColumn): Int32Array {
  const places = new Map(categories.map((category, place) => [category, place]));
  const other = others === undefined ? -1 : categories.length;
  return Int32Array.from(values, (text) => (text === null || text === "" ? -1 : (places.get(text) ?? other)));
}

/** The model's own features in some rows, still in the table; `impute` puts the mean where a number or date is missing, else it stays NaN. */
export function featureColumns(
  features: readonly ModelFeature[],
  columns: ReadonlyMap<string, TableColumn>,
  rows: Int32Array,
  impute: boolean,
): TableFeature[] {
  const found: TableFeature[] = [];
  for (const feature of features) {
    const column = columns.get(feature.column);
    if (column === undefined || column.kind !== feature.kind) {
      throw new Error(`The table has no ${feature.kind} column "${feature.column}".`);
    }
    const add = (valueIn: (row: number) => number, mean: number): void => {
      const missing = impute ? mean : Number.NaN;
      const floatIn = (row: number): number => {
        const value = toFeatureValue(valueIn(row));
        return Number.isNaN(value) ? missing : value;
      };
      found.push(new TableFeature(floatIn, rows));
    };
    if (column.kind === "date" && feature.kind === "date") {
      for (const { part, mean } of feature.parts)
        add((row) => datePartOf(part, column.numbers[row]!, feature.origin), mean);
    } else if (column.kind !== "text" && (feature.kind === "number" || feature.kind === "boolean")) {
      const { numbers } = column;
      add((row) => numbers[row]!, feature.mean);
    } else if (column.kind === "text" && feature.kind === "text") {
      const places = placesOfCodes(feature, column);
      const { codes } = column;
      found.push(...categoryFeatures({ count: widthOf(feature), in: (row) => places[codes[row]!]! }, rows));
    }
  }
  return found;
}

/** The same as floats, one array each. */
export const expandColumns = (...all: Parameters<typeof featureColumns>): Float32Array[] =>
  featureColumns(...all).map((column) => column.floats());
