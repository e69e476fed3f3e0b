import { momentOf } from "./date-parts.ts";
import { toFeatureValue } from "./feature-schema.ts";
import { numbersAt } from "./in-order.ts";
import type { TrainingTask } from "./model.ts";
import { TrainingDataError } from "./training-data-error.ts";
import { type TableColumn, textAt } from "./training-table.ts";

/** More classes than this are an identifier or a number, and cost a tree each in every round. */
export const MAX_CLASSES = 100;

/** The rows that have a target, and by place what it is: the value, or the number of the class. */
export interface TrainingTarget {
  readonly rows: Int32Array;
  readonly values: Float64Array;
  /** Ascending: numbers by value, text by code unit. */
  readonly classes?: readonly string[];
}

/** Reads the target column for the task. */
export function readTarget(column: TableColumn, task: TrainingTask): TrainingTarget {
  return task === "regression" ? readNumbers(column) : readClasses(column);
}

const columnHolds = { text: "text", date: "dates or times", boolean: "booleans" } as const;

function readNumbers(column: TableColumn): TrainingTarget {
  if (column.kind !== "number") {
    throw new TrainingDataError(
      "TARGET_NOT_NUMERIC",
      `Column "${column.name}" holds ${columnHolds[column.kind]}; choose a numeric target, or the task classification.`,
    );
  }
  const { numbers } = column;
  const rows = rowsWhere(numbers.length, (row) => !Number.isNaN(toFeatureValue(numbers[row]!)));
  return { rows, values: numbersAt(rows, (row) => numbers[row]!) };
}

/** No list that grows: of millions of rows it was larger than a column. */
function rowsWhere(count: number, isWanted: (row: number) => boolean): Int32Array {
  const rows = new Int32Array(count);
  let wanted = 0;
  for (let row = 0; row < count; row++) if (isWanted(row)) rows[wanted++] = row;
  return rows.slice(0, wanted);
}

function readClasses(column: TableColumn): TrainingTarget {
  /** Of each class, in columns of numbers. */
  const values = new Map<string, number>();
  /** By its code, or its number. */
  const known = new Map<number, string>();
  const cells = column.kind === "text" ? column.codes : column.numbers;
  const labelOfRow = (row: number): string => {
    const cell = cells[row]!;
    const label = known.get(cell) ?? labelOf(column, row) ?? "";
    known.set(cell, label);
    return label;
  };
  const isThere = (row: number): boolean => labelOfRow(row) !== "";
  const rows = rowsWhere(cells.length, isThere);
  for (const row of rows) values.set(labelOfRow(row), column.kind === "text" ? Number.NaN : column.numbers[row]!);
  // As they are spelled they may be no numbers: `1,0`, `$10.00`.
  const classes = [...values.keys()].sort(
    column.kind === "number" ? (a, b) => values.get(a)! - values.get(b)! : (a, b) => (a < b ? -1 : 1),
  );
  if (classes.length === 1) {
    throw new TrainingDataError(
      "TARGET_SINGLE_CLASS",
      `Column "${column.name}" has the same value in every row; choose a target with at least two classes.`,
    );
  }
  if (classes.length > MAX_CLASSES) {
    throw new TrainingDataError(
      "TOO_MANY_CLASSES",
      `Column "${column.name}" has ${classes.length} classes, at most ${MAX_CLASSES} are supported; choose another target${
        column.kind === "number" ? ", or the task regression" : ""
      }.`,
    );
  }
  const numberOf = new Map(classes.map((label, place) => [label, place]));
  return { rows, values: numbersAt(rows, (row) => numberOf.get(labelOfRow(row))!), classes };
}

/** As the file spells it where that is known. */
function labelOf(column: TableColumn, row: number): string | null | undefined {
  if (column.kind === "text") return textAt(column, row);
  const value = column.numbers[row]!;
  if (!Number.isFinite(value)) return null;
  if (column.kind === "boolean") return String(value === 1);
  if (column.kind === "date") return momentOf(value, column.written);
  const number = String(value);
  return column.spelled !== undefined && Object.hasOwn(column.spelled, number) ? column.spelled[number] : number;
}
