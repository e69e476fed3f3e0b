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
  readonly mode: "light" | "heavy";
  /** Features of the model, where known: a text column becomes one for each of its values. */
  readonly features?: number;
  /** Rows that are learned from. */
  readonly trainRows?: number;
  /** Models of the mode heavy that grow at once. */
  readonly fits?: number;
  /** Outputs of the model: 1, or its classes where they are more than two. */
  readonly outputs?: number;
}

/**
 * The bytes without which such a training can't be: a floor, so that nothing is refused that would fit. What needs more
 * is found while it trains. A cell of the table is a number, or the pointer to a text; a cell of a feature is a 32-bit
 * float, beside it in a light model the standardised 64-bit one, in a heavy one its bin; an output has probabilities and
 * residuals (light), or margins, gradients and hessians (heavy).
 */
export function leastTrainingBytes(size: TrainingSize): number {
  const { rows, columns, mode, features = 0, trainRows = 0, outputs = 1, fits = 1 } = size;
  const table = rows * columns * 8;
  const featureCells = trainRows * features * (mode === "light" ? 12 : 4 + fits);
  const outputCells = trainRows * outputs * (mode === "light" ? 16 : 24 * fits);
  return idleBytes + table + featureCells + outputCells;
}

/** Bytes in words, in the unit that operators give them to processes; rounded up. */
export const inMebibytes = (bytes: number): string => `${Math.ceil(bytes / mebibyte).toLocaleString("en")} MiB`;
