import { DomainError } from "../../errors.ts";
import { MAX_CLASSES } from "../../models/training-target.ts";
import type { ColumnSummary, ReadColumn } from "../../store/schema.ts";
import type { ColumnType } from "../../tables/column-type.ts";
import type { CsvReader } from "../../tables/csv-engine.ts";
import type { CsvHead } from "../../tables/csv-head.ts";
import { type DateForm, typeOfForm } from "../../tables/date-form.ts";
import type { ColumnCounts } from "./count-cells.ts";
import { type CountedTarget, countNumbers } from "./count-target.ts";
import { findDatesAndTruths } from "./dates-and-truths.ts";
import { findStrays } from "./find-strays.ts";
import { type CountedColumn, type FoundStray, type StrayCells, withLines } from "./suspects.ts";

/** The columns of a counted file. */
export interface TypedColumns {
  readonly columns: (ReadColumn & Pick<ColumnSummary, "missing">)[];
  /** Cells between numbers that are none, whatever became of their column. */
  readonly strays: readonly StrayCells[];
  /** Columns of text in which none were looked for. */
  readonly passedOver: readonly number[];
  /** Columns that may be of dates or booleans and were not looked at. */
  readonly datesPassedOver: readonly number[];
  /** Columns of numbers, dates and times with such cells. */
  readonly strayColumns: readonly number[];
  /** Of each column of dates or times. */
  readonly dateForms: Readonly<Record<number, DateForm>>;
  /** Cells with a value in all columns. */
  readonly filledCells: number;
  readonly target: CountedTarget;
}

const saidAs = {
  number: "has numbers, and it has none",
  date: "has dates, and it has none in a form that is known",
  time: "has times of a day or of a length (14:30, 2:30 PM, 27:30:00), and it has none",
  boolean: "has booleans (true and false, yes and no), and it has other values",
} as const;

function saidFault(name: string, said: ColumnType, isTarget: boolean): DomainError {
  const short = name.slice(0, 80);
  return new DomainError(
    "FIELD_INVALID",
    isTarget && said !== "number"
      ? `\`types\` makes the target «${short}» a ${said}: it is number or text, since classes are told as they are spelled.`
      : `\`types\` says that «${short}» ${saidAs[said as keyof typeof saidAs]}.`,
  );
}

/** Whether a column is one of numbers, some of them missing. */
const isNumeric = ({ filled, words, numbers }: ColumnCounts): boolean => numbers > 0 && words + numbers === filled;

/** Cells with a value in a column that is all of numbers, or of text. */
const valuesOf = ({ filled, numbers }: ColumnCounts, type: ColumnType): number =>
  type === "number" ? numbers : filled;

/**
 * The type of each column: what its sender says, else one of numbers, dates or times where all its values are, or nearly all, or a
 * boolean. A target is never one of dates, times or a boolean, since classes are told as they are spelled; and one that can be learnt as
 * classes is one of numbers only where all its values are: a rare class must not be lost for being a word among digits.
 * @throws DomainError FIELD_INVALID where a column has nothing of the type that it is said to be, DATE_ORDER_UNKNOWN
 */
export async function typeColumns(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  counted: {
    readonly columns: readonly ColumnCounts[];
    readonly rowCount: number;
    readonly targetIndex: number;
    readonly target: CountedTarget;
  },
): Promise<TypedColumns> {
  const { names, saidTypes } = head;
  const { targetIndex, rowCount } = counted;
  const numeric = names.map(
    (_, index) => (saidTypes.get(index) ?? "number") === "number" && isNumeric(counted.columns[index]!),
  );
  const columnsCounted = counted.columns.map(({ filled, words, numbers }, index): CountedColumn => {
    return { type: numeric[index] ? "number" : "text", numbers, values: filled - words };
  });
  const others = columnsCounted.map((column, index) => (index === targetIndex ? undefined : column));
  const { dates, booleans, ...found } = await findDatesAndTruths(reader, csvPath, head, others);
  const typed = columnsCounted.map(
    (column, index): CountedColumn => (dates.has(index) || booleans.has(index) ? { ...column, type: "other" } : column),
  );
  const { strays: straysOfNumbers, passedOver } = await findStrays(reader, csvPath, head, typed);
  const strays = await withLines(csvPath, head, [...straysOfNumbers, ...found.strays]);
  const isOfClasses = counted.target.distinct <= MAX_CLASSES;
  const isNumbers = ({ index, areNearly }: FoundStray): boolean =>
    saidTypes.get(index) === "number" || (areNearly && !(index === targetIndex && isOfClasses));
  /** How many numbers each column of numbers with strays has. */
  const numbersBesideStrays = new Map(straysOfNumbers.filter(isNumbers).map(({ index, numbers }) => [index, numbers]));
  const straysOfDates = found.strays.filter(({ index }) => dates.has(index)).map(({ index }) => index);
  const strayColumns = [...numbersBesideStrays.keys(), ...straysOfDates].sort((one, other) => one - other);
  const columns = names.map((name, index) => {
    const column = counted.columns[index]!;
    const said = saidTypes.get(index);
    const isNumber =
      numeric[index] || numbersBesideStrays.has(index) || (said === "number" && column.filled === column.words);
    const dateForm = dates.get(index);
    const type =
      dateForm !== undefined ? typeOfForm(dateForm) : booleans.has(index) ? "boolean" : isNumber ? "number" : "text";
    if (said !== undefined && said !== type) throw saidFault(name, said, index === targetIndex);
    const values = found.filled.get(index) ?? numbersBesideStrays.get(index) ?? valuesOf(column, type);
    return { name, type, missing: rowCount - values } as const;
  });
  const filledCells = counted.columns.reduce(
    (sum, { filled, numbers }, index) =>
      sum + (found.filled.get(index) ?? numbersBesideStrays.get(index) ?? (numeric[index] ? numbers : filled)),
    0,
  );
  const target = numbersBesideStrays.has(targetIndex)
    ? await countNumbers(reader, csvPath, { ...head, dialect: { ...head.dialect, strayColumns } }, targetIndex)
    : counted.target;
  const dateForms = Object.fromEntries(dates);
  return {
    columns,
    strays,
    passedOver,
    datesPassedOver: found.passedOver,
    strayColumns,
    dateForms,
    filledCells,
    target,
  };
}
