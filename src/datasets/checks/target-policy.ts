import type { ColumnType } from "../../tables/column-type.ts";

/** What a target column looks like to the checks. */
export interface TargetColumn {
  readonly type: ColumnType;
  readonly distinct: number;
}

const usualNames = ["target", "label", "y"];
// Few distinct numbers are codes of classes more often than quantities.
const maxNumericClasses = 20;

/** The column to predict when the caller names none: one named target, label or y, else the last. */
export function chooseTarget(columnNames: readonly string[]): string {
  const named = usualNames.map((usual) => columnNames.find((name) => name.toLowerCase() === usual));
  return named.find((name) => name !== undefined) ?? columnNames.at(-1) ?? "";
}

/** A numeric target with more than 20 distinct values is regression, anything else classification. */
export function taskOf(target: TargetColumn): "classification" | "regression" {
  return target.type === "number" && target.distinct > maxNumericClasses ? "regression" : "classification";
}
