/** How a column's numbers are written. */
export interface WrittenNumbers {
  readonly decimal: "." | ",";
  /** What stands between groups of three digits, and the sign before or behind each number; absent of plain numbers. */
  readonly form?: {
    readonly decimal: "." | ",";
    readonly thousands: "" | "," | "." | " " | "'";
    readonly before: string;
    readonly after: string;
  };
}

/** A column of numbers; NaN is a missing cell. */
export interface NumberColumn {
  readonly name: string;
  readonly kind: "number";
  readonly numbers: Float64Array;
  /** How its numbers are written, where cells that are none are missing ones. */
  readonly written?: WrittenNumbers | undefined;
}

/** A column of text; null is a missing cell. */
export interface TextColumn {
  readonly name: string;
  readonly kind: "text";
  readonly texts: readonly (string | null)[];
}

/** One column of a table in memory. */
export type TableColumn = NumberColumn | TextColumn;

/** A table in memory, column by column. */
export interface TrainingTable {
  readonly rowCount: number;
  readonly columns: readonly TableColumn[];
  /** Words for a missing value that its sender said. */
  readonly missing?: readonly string[] | undefined;
}
