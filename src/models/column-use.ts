import { areTimesAlone, type DatePart } from "./date-parts.ts";
import { toFeatureValue } from "./feature-schema.ts";
import { countOthers } from "./known-category.ts";
import type { DroppedColumn, ModelFeature } from "./model.ts";
import { type NumberColumn, type TableColumn, textAt } from "./training-table.ts";

/** Why nothing is learnt from a column. */
export const leftOutReasons = [
  "constant",
  "constant_when_rounded",
  "empty",
  "identifier",
  "out_of_range",
  "too_many_categories",
  "not_asked_for",
  "left_out_in_dataset",
  "target",
  "weight",
  "group",
] as const;

/** A column of the table that the model takes nothing of. */
export interface LeftOutColumn {
  readonly name: string;
  readonly reason: (typeof leftOutReasons)[number];
}

/** Of rows that have a target. */
interface NumberUse {
  readonly name: string;
  readonly as: "number";
  readonly missing: number;
  readonly imputed: number;
  /** Whole numbers whose last digits a model of 32-bit floats does not see. */
  readonly rounded: number;
}

/** What training did with a column; `missing` counts its cells without a value that a 32-bit float holds, in rows that have a target. */
export type ColumnUse =
  | (LearntColumn & { readonly equalsTarget?: true })
  | (LeftOutColumn & { readonly as: "left_out" });

/** A column that something is learnt from; `equalsTarget` where nothing else could be, since it says what the target does. */
type LearntColumn =
  | NumberUse
  | { readonly name: string; readonly as: "boolean" | "time"; readonly missing: number; readonly imputed: number }
  | {
      readonly name: string;
      readonly as: "date";
      readonly missing: number;
      readonly imputed: number;
      readonly parts: readonly DatePart[];
    }
  | {
      readonly name: string;
      readonly as: "categories";
      readonly missing: number;
      readonly categories: number;
      /** Rarer values, which share one feature; absent where there are none. */
      readonly others?: number;
    };

/** What a training knows when it is over. */
export interface UseFacts {
  /** All of the file, in its order. */
  readonly columnNames: readonly string[];
  readonly columns: ReadonlyMap<string, TableColumn>;
  readonly target: string;
  /** The column of weights. */
  readonly weight?: string | undefined;
  /** The column whose rows are kept together in validation. */
  readonly group?: string | undefined;
  readonly features: readonly ModelFeature[];
  readonly droppedColumns: readonly DroppedColumn[];
  /** Names of columns that the dataset's owner wants nothing to be learnt from. */
  readonly leftOut: readonly string[];
  /** Those with a target. */
  readonly rows: Int32Array;
  /** Names of features that say what the target does. */
  readonly twins: ReadonlySet<string>;
  /** Whether the mean stands in for a missing number. */
  readonly impute: boolean;
}

/** The fate of each column of the file, in its order. */
export function columnUses(facts: UseFacts): ColumnUse[] {
  const { columnNames, columns, target, weight, group, rows, impute } = facts;
  const features = new Map(facts.features.map((feature) => [feature.column, feature]));
  const leftOut = new Set(facts.leftOut);
  const reasonOf = (name: string): LeftOutColumn["reason"] => {
    if (name === target) return "target";
    if (name === weight) return "weight";
    const dropped = reasons.get(name);
    if (name === group && dropped === undefined) return "group";
    return dropped ?? (leftOut.has(name) ? "left_out_in_dataset" : "not_asked_for");
  };
  const reasons = new Map(facts.droppedColumns.map(({ name, reason }) => [name, reason]));
  return columnNames.map((name): ColumnUse => {
    const feature = features.get(name);
    if (feature === undefined) return { name, as: "left_out", reason: reasonOf(name) };
    const learnt = learntColumn(feature, columns.get(name)!, { rows, impute });
    return facts.twins.has(name) ? { ...learnt, equalsTarget: true } : learnt;
  });
}

function learntColumn(
  feature: ModelFeature,
  column: TableColumn,
  { rows, impute }: Pick<UseFacts, "rows" | "impute">,
): LearntColumn {
  const { name } = column;
  const missing = countMissing(column, rows);
  const imputed = impute ? missing : 0;
  if (column.kind === "number") return { name, as: "number", missing, imputed, rounded: countRounded(column, rows) };
  if (feature.kind === "boolean") return { name, as: "boolean", missing, imputed };
  if (feature.kind === "date") {
    if (areTimesAlone(feature.written)) return { name, as: "time", missing, imputed };
    return { name, as: "date", missing, imputed, parts: feature.parts.map(({ part }) => part) };
  }
  if (feature.kind === "number") throw new Error(`The column «${name}» is text, and its feature a number.`);
  const others = countOthers(feature);
  return { name, as: "categories", missing, categories: feature.categories.length, ...(others > 0 && { others }) };
}

function countRounded({ numbers }: NumberColumn, rows: Int32Array): number {
  let rounded = 0;
  for (const row of rows) {
    const number = numbers[row]!;
    // Of a fraction nobody expects all digits.
    if (Number.isInteger(number) && toFeatureValue(number) !== number) rounded += 1;
  }
  return rounded;
}

function countMissing(column: TableColumn, rows: Int32Array): number {
  let missing = 0;
  for (const row of rows) {
    if (column.kind === "text" ? !textAt(column, row) : Number.isNaN(toFeatureValue(column.numbers[row]!)))
      missing += 1;
  }
  return missing;
}
