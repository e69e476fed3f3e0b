import { MAX_CLASSES } from "../../models/training-target.ts";
import type { ColumnSummary, DatasetWarning, DatasetWarnings } from "../../store/schema.ts";
import type { Dialect } from "../../tables/dialect.ts";
import type { StrayCells } from "./suspects.ts";

/** What a checked file is warned of by. */
export interface WarningFacts {
  readonly columns: readonly ColumnSummary[];
  readonly dialect: Dialect;
  /** Rows without any value, which are left out. */
  readonly emptyRows: number;
  readonly target: { readonly index: number; readonly missingRows: number; readonly distinct: number };
  /** Of a target of text; absent where there are many. */
  readonly classes: readonly string[] | undefined;
  readonly strays: readonly StrayCells[];
  /** Columns of text in which none were looked for. */
  readonly passedOver: readonly number[];
  /** Columns that may be of dates or booleans, in which none were looked for. */
  readonly datesPassedOver: readonly number[];
}

const mostKept = 50;
const longestText = 80;

// Half of a pair of surrogates at the cut is no text that PostgreSQL takes.
const short = (text: string): string => text.slice(0, longestText).toWellFormed();
const quoted = (text: string): string => `«${short(text)}»`;

/** Classes that are the same but for case and blanks, by the first of each. */
function alikeOf(classes: readonly string[]): string[][] {
  const groups = Map.groupBy(classes, (text) => text.trim().replaceAll(/\s+/g, " ").toLowerCase());
  return [...groups.values()].filter((group) => group.length > 1);
}

/** What was made of the file before its columns were looked at. */
function warningsOfSource({ source, skippedLines }: Dialect): DatasetWarning[] {
  const warnings: DatasetWarning[] = [];
  const { decoded, encoding, isEncodingGuessed, isUntidy, sheet, otherSheets = [] } = source;
  if (isEncodingGuessed && decoded !== undefined)
    warnings.push({
      code: "ENCODING_GUESSED",
      line: decoded.line,
      cell: short(decoded.text),
      message: `The letters look like ${encoding}: line ${decoded.line} is ${quoted(decoded.text)} then. Where that is wrong, name the \`encoding\`.`,
    });
  if (otherSheets.length > 0)
    warnings.push({
      code: "SHEETS_LEFT_OUT",
      message: `The sheet ${quoted(sheet ?? "")} is read, and not ${otherSheets.slice(0, 5).map(quoted).join(", ")}. Name another one as \`sheet\`.`,
    });
  if (skippedLines > 0)
    warnings.push({
      code: "LINES_LEFT_OUT",
      line: 1,
      message: `Above the header ${skippedLines === 1 ? "a line is" : `${skippedLines} lines are`} left out: a title, a comment, blanks, or the name of the delimiter.`,
    });
  if (isUntidy)
    warnings.push({
      code: "LINES_MENDED",
      message:
        "Lines end in several ways, or hold blanks alone, or a Ctrl-Z ends the file: each was taken for a line's end.",
    });
  return warnings;
}

/** The warnings of a file, the gravest first; of many the first 50. */
export function warningsOf({
  columns,
  dialect,
  emptyRows,
  target,
  classes = [],
  strays,
  passedOver,
  datesPassedOver,
}: WarningFacts): DatasetWarnings {
  const warnings: DatasetWarning[] = [];
  const kept = columns.map(({ name }) => name);
  // As many places further to the right as columns before it are left out.
  const placeOf = (index: number): number =>
    dialect.leftOutColumns.reduce((at, place) => (place <= at ? at + 1 : at), index) + 1;
  const at = (index: number) => ({ column: short(kept[index]!), place: placeOf(index) });
  const { name, type } = columns[target.index]!;
  if (type === "text" && target.distinct > MAX_CLASSES)
    warnings.push({
      code: "TOO_MANY_CLASSES",
      ...at(target.index),
      message: `The target ${quoted(name)} has ${target.distinct} classes, and a model of more than ${MAX_CLASSES} is refused. Name another target when you train.`,
    });
  if (target.missingRows > 0)
    warnings.push({
      code: "TARGET_ROWS_MISSING",
      ...at(target.index),
      message: `${target.missingRows} rows have no value of the target ${quoted(name)}: nothing is learnt from them.`,
    });
  for (const alike of alikeOf(classes))
    warnings.push({
      code: "CLASSES_ALIKE",
      ...at(target.index),
      message: `Classes of the target ${quoted(name)} differ by case or blanks alone: ${alike.slice(0, 5).map(quoted).join(", ")}. Each is learnt as a class of its own.`,
    });
  const isFile = dialect.source.format === "csv";
  for (const { of, index, count, numbers, firstCell, firstLine } of strays) {
    const isText = columns[index]!.type === "text";
    warnings.push({
      code: of === "numbers" ? "NUMBERS_AND_TEXT" : "DATES_AND_TEXT",
      ...at(index),
      ...(isFile ? { line: firstLine } : {}),
      cell: short(firstCell),
      message: `Of the values of ${quoted(kept[index]!)}, ${count} of ${count + numbers} are no ${of === "numbers" ? of : `${of} as the others`}, the first in ${isFile ? "line" : "row"} ${firstLine}, ${quoted(firstCell)}. The column is ${isText ? "text" : `one of ${of}, and they are missing`}; \`types\` makes it ${isText ? `one of ${of}, and them missing` : "text"}.`,
    });
  }
  if (passedOver.length > 0)
    warnings.push({
      code: "NUMBERS_AND_TEXT",
      ...at(passedOver[0]!),
      message: `${passedOver.length} further columns, the first of them ${quoted(kept[passedOver[0]!]!)}, have numbers and text and were not looked at: they are text, and \`types\` makes them numbers.`,
    });
  if (datesPassedOver.length > 0)
    warnings.push({
      code: "DATES_AND_TEXT",
      ...at(datesPassedOver[0]!),
      message: `${datesPassedOver.length} further columns, the first of them ${quoted(kept[datesPassedOver[0]!]!)}, begin as dates, times or booleans do and were not looked at: they are text or numbers, and \`types\` makes them that.`,
    });
  warnings.push(...warningsOfSource(dialect));
  if (emptyRows > 0)
    warnings.push({
      code: "LINES_LEFT_OUT",
      message: `${emptyRows === 1 ? "A row has" : `${emptyRows} rows have`} no value in any column, and ${emptyRows === 1 ? "is" : "are"} left out.`,
    });
  for (const place of dialect.leftOutColumns)
    warnings.push({
      code: "COLUMN_LEFT_OUT",
      column: "",
      place: place + 1,
      message: `Column ${place + 1} has no name, and is left out${place === 0 ? " as an index is" : ": it is empty"}.`,
    });
  return { count: warnings.length, first: warnings.slice(0, mostKept) };
}
