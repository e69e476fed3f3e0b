import type { ColumnUse, LeftOutColumn } from "../models/column-use.ts";
import { MAX_CATEGORIES } from "../models/feature-schema.ts";

export const runWarningCodes = ["COLUMN_CONSTANT", "COLUMN_EMPTY", "COLUMN_HAS_TOO_MANY_CATEGORIES"] as const;

/** A column that was asked for and could not be used. */
export interface RunWarning {
  readonly code: (typeof runWarningCodes)[number];
  readonly column: string;
  readonly message: string;
}

const longestName = 80;

/** What a reason means to who asked for the column; nobody is warned of what they left out themselves. */
const told: Record<LeftOutColumn["reason"], Pick<RunWarning, "code" | "message"> | undefined> = {
  constant: { code: "COLUMN_CONSTANT", message: "has one value in all rows that were learnt from" },
  empty: { code: "COLUMN_EMPTY", message: "has no value in the rows that were learnt from" },
  too_many_categories: {
    code: "COLUMN_HAS_TOO_MANY_CATEGORIES",
    message: `is text with more than ${MAX_CATEGORIES} different values`,
  },
  not_asked_for: undefined,
  target: undefined,
};

/**
 * Warnings of the columns that the caller named, in the dataset's order.
 * @param features as asked for; null where the caller named none and wanted what can be used
 */
export function runWarningsOf(features: readonly string[] | null, columns: readonly ColumnUse[]): RunWarning[] {
  const wanted = new Set(features);
  return columns.flatMap((column) => {
    const warning = column.as === "left_out" && wanted.has(column.name) ? told[column.reason] : undefined;
    if (warning === undefined) return [];
    const { code, message } = warning;
    const name = column.name.slice(0, longestName).toWellFormed();
    return [{ code, column: column.name, message: `«${name}» ${message}: the model was trained without it.` }];
  });
}
