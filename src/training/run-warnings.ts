import type { ColumnUse, LeftOutColumn } from "../models/column-use.ts";
import { dropReasons, shortName } from "../models/feature-schema.ts";
import type { DroppedColumn } from "../models/model.ts";
import type { TargetHint } from "../models/target-hints.ts";
import type { RunWarning, RunWarnings } from "../store/schema.ts";

/** As many as of a dataset. */
const mostKept = 50;
/** Of classes that a warning names. */
const namedClasses = 5;

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

/** A target, and what is to be known of it. */
interface HintedTarget {
  readonly name: string;
  readonly hints: readonly TargetHint[];
}

/**
 * Warnings of the target, then of the columns that the caller named and the model does without, of those that say what the target
 * does, and of numbers that it sees rounded, in the dataset's order; of many the first 50.
 * @param features as asked for; absent where the caller named none and wanted what can be used
 */
export function runWarningsOf(
  features: readonly string[] | undefined,
  columns: readonly ColumnUse[],
  target: HintedTarget,
): RunWarnings {
  const wanted = new Set(features);
  const ofTarget = target.hints.map(
    (hint): RunWarning => ({
      code: hint.code,
      column: target.name,
      message: `«${shortName(target.name)}» ${wordsOf(hint)}`,
    }),
  );
  const ofColumns = columns.flatMap((column): RunWarning[] => {
    const name = shortName(column.name);
    if (column.as !== "left_out") return warningsOfLearnt(column, name);
    if (!isDropped(column.reason)) return [];
    const code = codes[column.reason];
    if (code !== "NUMBERS_ROUNDED" && !wanted.has(column.name)) return [];
    const message = `«${name}» ${dropReasons[column.reason]}: the model was trained without it.`;
    return [{ code, column: column.name, message }];
  });
  const warnings = [...ofTarget, ...ofColumns];
  return { count: warnings.length, first: warnings.slice(0, mostKept) };
}

function wordsOf(hint: TargetHint): string {
  if (hint.code === "TARGET_FEW_COUNTS")
    return `has ${hint.distinct} different whole numbers, up to ${hint.most}: the model says numbers between them, and may say less than 0 (not so by the objective count:poisson of the mode heavy). Round what it says, or take them as classes by the task classification.`;
  if (hint.code === "TARGET_CLASS_NOT_MEASURED") {
    const { classes } = hint;
    const named = classes.slice(0, namedClasses).map((name) => `«${shortName(name)}»`);
    const more = classes.length > named.length ? ` and ${classes.length - named.length} more` : "";
    return `has rows of ${named.join(", ")}${more} that are learnt from, and none among those that were measured on: no metric says how well that is found. Send more rows of it, or measure on others (\`validation\`).`;
  }
  // Rounded down: 100 % would say that there is no other class.
  const percent = Math.floor(hint.share * 1000) / 10;
  const instead = hint.classes === 2 ? "metrics.positive and metrics.averagePrecision" : "metrics.balancedAccuracy";
  return `is «${shortName(hint.class)}» in ${percent} % of the rows: who always says so has that accuracy, which alone misleads. Look at ${instead}.`;
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
