import { DomainError } from "../../errors.ts";
import type { ColumnSummary, DatasetWarnings } from "../../store/schema.ts";
import type { CsvReader } from "../../tables/csv-engine.ts";
import { type CsvHead, headerHint, readHead } from "../../tables/csv-head.ts";
import type { Wished } from "../../tables/detect-dialect.ts";
import { type Dialect, isMissing, isNumeral, withNumberForms } from "../../tables/dialect.ts";
import { examplesOf } from "../../tables/examples.ts";
import { matcherOf } from "../../tables/number-form.ts";
import { namesColumns } from "../../tables/table-source.ts";
import { countCells } from "./count-cells.ts";
import { spelledClasses } from "./count-target.ts";
import { findWarnings } from "./find-warnings.ts";
import { chooseTarget, taskOf } from "./target-policy.ts";
import { typeColumns } from "./type-columns.ts";

/** Limits of what is taken. */
export interface CsvLimits {
  readonly minDataRows: number;
  /** 0 to 1. */
  readonly maxEmptyRatio: number;
}

/** What its sender says of a table. */
export interface WishedTable extends Wished {
  readonly target?: string | undefined;
  /** Names of columns that trainings shall not learn from. */
  readonly leftOut?: readonly string[] | undefined;
}

/** What the checks found in a good file. */
export interface CheckedCsv {
  readonly columns: ColumnSummary[];
  readonly rowCount: number;
  readonly target: string;
  readonly task: "classification" | "regression";
  readonly dialect: Dialect;
  /** As it was said; each is a column. */
  readonly leftOut: readonly string[];
  readonly warnings: DatasetWarnings;
}

/** Whether the first line is a row like others: numbers stand where theirs do, and each of its texts is one of theirs, too. */
function hasNoHeader({ names, looks, firstRows, dialect }: CsvHead): boolean {
  const isNumber = (name: string, index: number): boolean => {
    const form = dialect.numberForms?.[index];
    if (isMissing(name, dialect, "number")) return true;
    return form === undefined ? isNumeral(name, dialect) : matcherOf(form).test(name);
  };
  const isOneOfRows = (name: string, index: number): boolean =>
    looks[index] === "text" ? firstRows.some((cells) => cells[index]?.trim() === name) : isNumber(name, index);
  return firstRows.length > 0 && looks.some((look) => look !== "text") && names.every(isOneOfRows);
}

/** @throws DomainError FIELD_INVALID where what is left out is no column, is the target, or leaves nothing to learn from */
function requireFeatures(
  leftOut: readonly string[],
  { names, target }: { readonly names: readonly string[]; readonly target: string },
): void {
  const known = new Set(names);
  const unknown = leftOut.find((name) => !known.has(name));
  if (unknown !== undefined)
    throw new DomainError(
      "FIELD_INVALID",
      `\`leftOut\` names «${unknown.slice(0, 80)}», and the table has no such column. It has: ${names.slice(0, 20).join(", ").slice(0, 400)}.`,
    );
  if (leftOut.includes(target))
    throw new DomainError(
      "FIELD_INVALID",
      `\`leftOut\` names «${target.slice(0, 80)}», which is the target. Name another \`target\`, or take it out of \`leftOut\`.`,
    );
  if (leftOut.length > 0 && new Set(leftOut).size >= names.length - 1)
    throw new DomainError(
      "FIELD_INVALID",
      "`leftOut` names all columns but the target: nothing is left to learn from.",
    );
}

/**
 * Reads a CSV file once, or more often where it is wide or its first rows mislead, and says what it holds.
 * @throws DomainError naming what is wrong and where
 */
export async function checkCsv(
  reader: CsvReader,
  csvPath: string,
  { target: wishedTarget, leftOut = [], ...wished }: WishedTable,
  limits: CsvLimits,
): Promise<CheckedCsv> {
  const head = await readHead(csvPath, undefined, wished);
  const { names } = head;
  if (wished.header === undefined && !namesColumns(head.dialect.source) && hasNoHeader(head)) {
    throw new DomainError(
      "HEADER_MISSING",
      `The first line, «${names.join(head.dialect.delimiter).slice(0, 80)}», looks like the rows below it. The first line must name the columns. ${headerHint}`,
    );
  }
  const target = wishedTarget ?? chooseTarget(names);
  const targetIndex = names.indexOf(target);
  if (targetIndex < 0) {
    throw new DomainError(
      "TARGET_UNKNOWN",
      `The file has no column «${target.slice(0, 80)}». It has: ${names.slice(0, 20).join(", ").slice(0, 400)}.`,
    );
  }
  requireFeatures(leftOut, { names, target });
  const counts = await countCells(reader, csvPath, targetIndex, head);
  const { rows, emptyRows, filledUnnamed, hasWordsInNumbers } = counts;
  const rowCount = rows - emptyRows;
  const [unnamed] = filledUnnamed;
  if (unnamed !== undefined)
    throw new DomainError(
      "COLUMN_NAMES_INVALID",
      `Column ${unnamed + 1} has no name, and values in it. Only the first column, as an index is, and empty ones are left out without a name.`,
    );
  if (rowCount < limits.minDataRows) {
    throw new DomainError(
      "TOO_FEW_ROWS",
      `The file has ${rowCount} rows below its header; ${limits.minDataRows} are the least.`,
    );
  }
  const typed = await typeColumns(reader, csvPath, head, { ...counts, rowCount, targetIndex });
  const { strays, passedOver, datesPassedOver, strayColumns, dateForms } = typed;
  const { distinct } = typed.target;
  const cellCount = rowCount * names.length;
  // Divided once: 1 - 7 / 10 is more than 0.3.
  const emptyRatio = (cellCount - typed.filledCells) / cellCount;
  if (emptyRatio > limits.maxEmptyRatio) {
    throw new DomainError(
      "TOO_MANY_EMPTY_CELLS",
      `${(emptyRatio * 100).toFixed(1)} % of the cells are empty; ${(limits.maxEmptyRatio * 100).toFixed(1)} % are the most.`,
    );
  }
  if (distinct < 2) {
    throw new DomainError(
      "TARGET_SINGLE_CLASS",
      `The target «${target.slice(0, 80)}» has ${distinct} distinct values: there is nothing to learn.`,
    );
  }
  const task = taskOf({ type: typed.columns[targetIndex]!.type, distinct });
  const spelled =
    task === "classification" && typed.columns[targetIndex]!.type === "number"
      ? await spelledClasses(reader, csvPath, head, targetIndex)
      : undefined;
  const examples = examplesOf(
    head,
    typed.columns.map(({ type }) => type),
  );
  const columns = typed.columns.map((column, index) => ({
    ...column,
    ...(index === targetIndex && spelled !== undefined && { spelled }),
    ...(examples !== undefined && { examples: examples[index]! }),
  }));
  const numberForms = Object.fromEntries(
    Object.entries(head.dialect.numberForms ?? {}).filter(([index]) => columns[Number(index)]!.type === "number"),
  );
  const dialect = withNumberForms(
    {
      ...head.dialect,
      hasWordsInNumbers,
      ...(emptyRows > 0 && { emptyRows }),
      ...(strayColumns.length > 0 && { strayColumns }),
      ...(Object.keys(dateForms).length > 0 && { dateForms }),
    },
    numberForms,
  );
  const warnings = await findWarnings(reader, csvPath, head, {
    columns,
    rowCount,
    emptyRows,
    targetIndex,
    target: typed.target,
    strays,
    passedOver,
    datesPassedOver,
  });
  return {
    dialect,
    leftOut,
    warnings,
    columns,
    rowCount,
    target,
    task,
  };
}
