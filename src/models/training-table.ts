/** A column of numbers; NaN is a missing cell. */
export interface NumberColumn {
  readonly name: string;
  readonly kind: "number";
  readonly numbers: Float64Array;
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
}
