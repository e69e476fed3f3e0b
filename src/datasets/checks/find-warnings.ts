import type { ColumnSummary, DatasetWarnings } from "../../store/schema.ts";
import { type CsvReader, isOutOfMemory } from "../../tables/csv-engine.ts";
import type { CsvHead } from "../../tables/csv-head.ts";
import { isMissing } from "../../tables/dialect.ts";
import { type CountedTarget, describeTarget } from "./count-target.ts";
import { warningsOf } from "./dataset-warnings.ts";
import type { StrayCells } from "./suspects.ts";

/** What the checks counted in a good file. */
export interface CheckedCounts {
  readonly columns: readonly ColumnSummary[];
  readonly rowCount: number;
  /** Rows without any value, which are left out. */
  readonly emptyRows: number;
  readonly targetIndex: number;
  readonly target: CountedTarget;
  readonly strays: readonly StrayCells[];
  readonly passedOver: readonly number[];
  readonly datesPassedOver: readonly number[];
}

/** A warning is not worth an upload: where the engine's memory does not suffice, it is left out. */
async function orElse<Value>(fallback: Value, finding: Promise<Value>): Promise<Value> {
  try {
    return await finding;
  } catch (error) {
    if (isOutOfMemory(error)) return fallback;
    throw error;
  }
}

/** What the sender of a good file is warned of. A file without anything to tell is not read again. */
export async function findWarnings(
  reader: CsvReader,
  csvPath: string,
  head: CsvHead,
  { columns, rowCount, emptyRows, targetIndex, target, strays, passedOver, datesPassedOver }: CheckedCounts,
): Promise<DatasetWarnings> {
  const { type } = columns[targetIndex]!;
  const describing = describeTarget(reader, csvPath, head, { index: targetIndex, type, counted: target });
  const { distinct, filled, classes } = await orElse(target, describing);
  return warningsOf({
    columns,
    dialect: head.dialect,
    emptyRows,
    target: { index: targetIndex, missingRows: rowCount - filled, distinct },
    classes: classes?.filter((text) => !isMissing(text, head.dialect, "text")),
    strays,
    passedOver,
    datesPassedOver,
  });
}
