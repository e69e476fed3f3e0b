import type { ColumnUse, LeftOutColumn } from "../models/column-use.ts";
import { dropReasons, shortName } from "../models/feature-schema.ts";
import type { DroppedColumn } from "../models/model.ts";
import type { RunWarning, RunWarnings } from "../store/schema.ts";

/** As many as of a dataset. */
const mostKept = 50;

/** Of columns that were asked for; nobody is warned of what they left out themselves. */
const codes: Record<DroppedColumn["reason"], RunWarning["code"]> = {
  constant: "COLUMN_CONSTANT",
  constant_when_rounded: "NUMBERS_ROUNDED",
  empty: "COLUMN_EMPTY",
  identifier: "COLUMN_IS_IDENTIFIER",
  out_of_range: "COLUMN_EMPTY",
  too_many_categories: "COLUMN_HAS_TOO_MANY_CATEGORIES",
};

const isDropped = (reason: LeftOutColumn["reason"]): reason is DroppedColumn["reason"] => Object.hasOwn(codes, reason);

/**
 * Warnings of the columns that the caller named and the model does without, of those that say what the target does, and of
 * numbers that it sees rounded, in the dataset's order; of many the first 50.
 * @param features as asked for; absent where the caller named none and wanted what can be used
 */
export function runWarningsOf(features: readonly string[] | undefined, columns: readonly ColumnUse[]): RunWarnings {
  const wanted = new Set(features);
  const warnings = columns.flatMap((column): RunWarning[] => {
    const name = shortName(column.name);
    if (column.as !== "left_out") return warningsOfLearnt(column, name);
    if (!isDropped(column.reason)) return [];
    const code = codes[column.reason];
    if (code !== "NUMBERS_ROUNDED" && !wanted.has(column.name)) return [];
    const message = `«${name}» ${dropReasons[column.reason]}: the model was trained without it.`;
    return [{ code, column: column.name, message }];
  });
  return { count: warnings.length, first: warnings.slice(0, mostKept) };
}

function warningsOfLearnt(column: Exclude<ColumnUse, { as: "left_out" }>, name: string): RunWarning[] {
  const warnings: RunWarning[] = [];
  if (column.equalsTarget)
    warnings.push({
      code: "COLUMN_EQUALS_TARGET",
      column: column.name,
      message: `«${name}» says what the target does in all rows that were learnt from: the model copies it, and its metrics promise nothing for rows where it is not known yet. Leave it out (\`features\`, or \`leftOut\` of the dataset) unless it is known whenever you predict.`,
    });
  if (column.as === "number" && column.rounded > 0)
    warnings.push({
      code: "NUMBERS_ROUNDED",
      column: column.name,
      message: `«${name}» has ${column.rounded} whole numbers that 32-bit floats don't hold: beyond 16,777,216 the model sees them rounded to some seven digits, and may take two of them for one. Send their distance from the least instead.`,
    });
  return warnings;
}
