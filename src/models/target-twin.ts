import { type TableColumn, textAt } from "./training-table.ts";

/** The target of the rows that are learnt from: numbers, or places of classes. */
export interface LearntTarget {
  readonly rows: Int32Array;
  /** By place in `rows`. */
  readonly values: Float64Array;
  readonly isOfClasses: boolean;
}

/**
 * Whether a column says what the target does: the same number in all rows, or of classes one value for each class and for no
 * other, where none may be a value, too.
 */
export function isTargetTwin(column: TableColumn, { rows, values, isOfClasses }: LearntTarget): boolean {
  if (!isOfClasses)
    return column.kind === "number" && rows.every((row, place) => column.numbers[row] === values[place]);
  const classOf = new Map<string | number, number>();
  const valueIn = new Map<number, string | number>();
  return rows.every((row, place) => {
    const value = column.kind === "text" ? (textAt(column, row) ?? "") : column.numbers[row]! + 0;
    const ofClass = values[place]!;
    if (!classOf.has(value)) classOf.set(value, ofClass);
    if (!valueIn.has(ofClass)) valueIn.set(ofClass, value);
    // Object.is: a missing number is the same as another; and so is -0, to which 0 was added.
    return classOf.get(value) === ofClass && Object.is(valueIn.get(ofClass), value);
  });
}
