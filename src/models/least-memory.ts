const mebibyte = 1024 * 1024;

/**
 * What a process that trains holds before it has a row: Node, DuckDB and our code. With 40 rows it took 140 MiB on Linux
 * (docs/adr/0020-a-training-is-a-process.md); somewhat less, so that nothing is refused that would fit.
 */
const idleBytes = 110 * mebibyte;

/** What is known of a training's size: before it is loaded its rows and columns, afterwards the rest too. */
export interface TrainingSize {
  readonly rows: number;
  /** Columns that are loaded, the target among them. */
  readonly columns: number;
  /** Those of them that are text. */
  readonly textColumns: number;
  readonly mode: "light" | "heavy";
  /** Features of the model that are numbers, where known. */
  readonly numberFeatures?: number;
  /** Features that are categories, of which a text column has one for each, and the columns that they are of. */
  readonly categoryFeatures?: number;
  readonly categoryColumns?: number;
  /** Rows that are learned from. */
  readonly trainRows?: number;
  /** Models of the mode heavy that grow at once. */
  readonly fits?: number;
  /** Outputs of the model: 1, or its classes where they are more than two. */
  readonly outputs?: number;
}

/**
 * The bytes without which such a training can't be: a floor, so that nothing is refused that would fit. What needs more
 * is found while it trains. A cell of the table is a number of 64 bits, or the code of a text, of one byte or more. Of a
 * feature a light model has the standardised 64-bit floats; a heavy one has its bins, a byte each, and so has a column of
 * categories. Each row that is learnt from has its target, and of each output probabilities and residuals (light), or margins,
 * gradients and hessians (heavy).
 */
export function leastTrainingBytes(size: TrainingSize): number {
  const { rows, columns, textColumns, mode, trainRows = 0, outputs = 1, fits = 1 } = size;
  const { numberFeatures = 0, categoryFeatures = 0, categoryColumns = 0 } = size;
  const table = rows * (8 * (columns - textColumns) + textColumns);
  const ofFeatures =
    mode === "light" ? 8 * (numberFeatures + categoryFeatures) : fits * (numberFeatures + categoryColumns);
  const ofOutputs = outputs * (mode === "light" ? 16 : 24 * fits);
  return idleBytes + table + trainRows * (8 + ofFeatures + ofOutputs);
}

/** Bytes in words, in the unit that operators give them to processes; rounded up. */
export const inMebibytes = (bytes: number): string => `${Math.ceil(bytes / mebibyte).toLocaleString("en")} MiB`;
