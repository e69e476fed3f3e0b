import { DomainError } from "../errors.ts";
import { MAX_CLASSES } from "../models/training-target.ts";
import type { ColumnSummary } from "../store/schema.ts";
import type { CsvReader } from "../tables/csv-engine.ts";
import type { CsvHead } from "../tables/csv-head.ts";
import type { ColumnCounts } from "./count-cells.ts";
import { type CountedTarget, countNumbers } from "./count-target.ts";
import { findStrays, type StrayCells } from "./find-strays.ts";

/** The columns of a counted file. */
export interface TypedColumns {
  readonly columns: ColumnSummary[];
  /** Cells between numbers that are none, whatever became of their column. */
  readonly strays: readonly StrayCells[];
  /** Columns of text in which none were looked for. */
  readonly passedOver: readonly number[];
  /** Columns of numbers with such cells. */
  readonly strayColumns: readonly number[];
  /** Cells with a value in all columns. */
  readonly filledCells: number;
  readonly target: CountedTarget;
}

/** Whether a column is one of numbers, some of them missing. */
const isNumeric = ({ filled, words, numbers }: ColumnCounts): boolean => numbers > 0 && words + numbers === filled;

/**
 * The type of each column: what its sender says, else one of numbers where all its values are, or nearly all. A target that
 * can be learnt as classes is left one of text: a rare class must not be lost for being a word among digits.
 * @throws DomainError FIELD_INVALID where a column that is said to be one of numbers has none
 */
export async function typeColumns(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  counted: { readonly columns: readonly ColumnCounts[]; readonly targetIndex: number; readonly target: CountedTarget },
): Promise<TypedColumns> {
  const { names, saidTypes } = head;
  const { targetIndex } = counted;
  const numeric = names.map((_, index) => saidTypes.get(index) !== "text" && isNumeric(counted.columns[index]!));
  const { strays, passedOver } = await findStrays(
    reader,
    csvPath,
    head,
    counted.columns.map(({ filled, words, numbers }, index) => ({
      type: numeric[index] ? "number" : "text",
      numbers,
      values: filled - words,
    })),
  );
  const isOfClasses = counted.target.distinct <= MAX_CLASSES;
  const isNumbers = ({ index, areNearly }: StrayCells): boolean =>
    saidTypes.get(index) === "number" || (areNearly && !(index === targetIndex && isOfClasses));
  /** How many numbers each column of numbers with strays has. */
  const numbersBesideStrays = new Map(strays.filter(isNumbers).map(({ index, numbers }) => [index, numbers]));
  const strayColumns = [...numbersBesideStrays.keys()];
  const columns = names.map((name, index): ColumnSummary => {
    const { filled, words } = counted.columns[index]!;
    const isSaid = saidTypes.get(index) === "number";
    const isNumber = numeric[index] || numbersBesideStrays.has(index) || (isSaid && filled === words);
    if (isSaid && !isNumber)
      throw new DomainError(
        "FIELD_INVALID",
        `\`types\` says that «${name.slice(0, 80)}» has numbers, and it has none.`,
      );
    return { name, type: isNumber ? "number" : "text" };
  });
  const filledCells = counted.columns.reduce(
    (sum, { filled, numbers }, index) => sum + (numbersBesideStrays.get(index) ?? (numeric[index] ? numbers : filled)),
    0,
  );
  const target = numbersBesideStrays.has(targetIndex)
    ? await countNumbers(reader, csvPath, { ...head, dialect: { ...head.dialect, strayColumns } }, targetIndex)
    : counted.target;
  return { columns, strays, passedOver, strayColumns, filledCells, target };
}
