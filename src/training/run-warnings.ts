import type { ColumnUse, LeftOutColumn } from "../models/column-use.ts";
import { MAX_CATEGORIES } from "../models/feature-schema.ts";
import type { RunWarning, RunWarnings } from "../store/schema.ts";

/** As many as of a dataset. */
const mostKept = 50;
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
 * Warnings of the columns that the caller named and the model does without, and of numbers that it sees rounded, in the
 * dataset's order; of many the first 50.
 * @param features as asked for; absent where the caller named none and wanted what can be used
 */
export function runWarningsOf(features: readonly string[] | undefined, columns: readonly ColumnUse[]): RunWarnings {
  const wanted = new Set(features);
  const warnings = columns.flatMap((column): RunWarning[] => {
    const name = column.name.slice(0, longestName).toWellFormed();
    if (column.as === "number" && column.rounded > 0)
      return [
        {
          code: "NUMBERS_ROUNDED",
          column: column.name,
          message: `«${name}» has ${column.rounded} whole numbers that 32-bit floats don't hold: beyond 16,777,216 the model sees them rounded to some seven digits, and may take two of them for one. Send their distance from the least instead.`,
        },
      ];
    const warning = column.as === "left_out" && wanted.has(column.name) ? told[column.reason] : undefined;
    if (warning === undefined) return [];
    const { code, message } = warning;
    return [{ code, column: column.name, message: `«${name}» ${message}: the model was trained without it.` }];
  });
  return { count: warnings.length, first: warnings.slice(0, mostKept) };
}
