import { allProbabilities } from "./class-chances.ts";
import { areTimesAlone } from "./date-parts.ts";
import { classDecider } from "./decide-class.ts";
import { explainRows, type OutputExplanation } from "./explain-rows.ts";
import { expandColumns, toFeatureValue } from "./feature-schema.ts";
import { knownTextFinder } from "./known-category.ts";
import type { BooleanFeature, DateFeature, ModelDocument, ModelFeature } from "./model.ts";
import { codeTexts } from "./text-codes.ts";
import type { TableColumn } from "./training-table.ts";
import { predictXgboost } from "./xgboost-json.ts";

/** What the model says of one row; `probabilities` by class, only for classification. */
export interface Prediction {
  readonly prediction: number | string;
  readonly probabilities?: Record<string, number>;
  /**
   * Columns with a value that the model never saw: its answer is that for none, or for one of the column's rarer values. Twenty
   * at most; absent where there are none.
   */
  readonly unknown?: string[];
  /** By output; only where it is asked for. */
  readonly explanation?: OutputExplanation[];
}

/** How to predict. */
export interface PredictHow {
  /** A value that was not in the training rows is a fault. */
  readonly isStrict?: boolean;
  /** With what each column adds. */
  readonly isExplained?: boolean;
}

/** Predictions, and how many values of all rows the model never saw. */
export interface Predictions {
  readonly predictions: Prediction[];
  readonly unknownValues: number;
}

/** Columns that are named in a row's answer. */
const mostNamed = 20;

/** Rows that the model cannot read. */
export class PredictionInputError extends Error {
  /** Place of the row in the request, from 0. */
  readonly rowIndex: number;
  readonly column: string;

  constructor(rowIndex: number, column: string, message: string) {
    super(message);
    this.name = "PredictionInputError";
    this.rowIndex = rowIndex;
    this.column = column;
  }
}

/** A cell that is none of its column: no number as the other rows write them, no date, no truth. */
export class StrayCell {
  readonly text: string;
  /** What would be one, in words. */
  readonly wanted: string;

  constructor(text: string, wanted: string) {
    this.text = text;
    this.wanted = wanted;
  }
}

/** The rows of a request, as a model asks for them: column by column. */
export interface PredictionRows {
  readonly count: number;
  /**
   * A cell for each row, as the feature takes it: a date as seconds of Unix time, a truth as boolean. Undefined when no row has
   * the column.
   */
  column(feature: ModelFeature): readonly unknown[] | undefined;
}

/** Rows that are objects of column and value; one that lacks a column of the others has no value there. */
export function recordsToRows(records: ReadonlyArray<Record<string, unknown>>): PredictionRows {
  return {
    count: records.length,
    column({ column: name }) {
      let isThere = false;
      const cells = records.map((record) => {
        if (!Object.hasOwn(record, name)) return null;
        isThere = true;
        return record[name];
      });
      return isThere ? cells : undefined;
    },
  };
}

/**
 * Predicts row by row. Unknown columns are ignored, null and empty cells are missing values. A category that was not in the
 * training rows counts as none, or as one of the rarer values where the column has such, and is told, as is text among numbers where the training rows had some. Numbers may come as
 * text, as they do from a CSV.
 * @throws PredictionInputError naming row and column; rows count from 1 in its words, as in those about a CSV
 */
export function predictRows(document: ModelDocument, rows: PredictionRows, how: PredictHow = {}): Predictions {
  const { isStrict = false, isExplained = false } = how;
  if (rows.count === 0) return { predictions: [], unknownValues: 0 };
  const unknown = new Map<number, string[]>();
  let unknownValues = 0;
  const tell = (row: number, column: string, text: string): void => {
    if (isStrict)
      throw new PredictionInputError(
        row,
        column,
        `Row ${row + 1}: column "${column}" has "${text.slice(0, 40)}", which was not in the rows that the model learned from.`,
      );
    unknownValues += 1;
    const columns = unknown.get(row) ?? [];
    if (columns.length < mostNamed) unknown.set(row, [...columns, column]);
  };
  const columns = new Map(
    document.features.map((feature) => [
      feature.column,
      readColumn(feature, rows, { missing: document.missing, tell }),
    ]),
  );
  const places = Int32Array.from({ length: rows.count }, (_, row) => row);
  const expanded = expandColumns(document.features, columns, places, document.mode === "light");
  const outputs = predictXgboost(document.model, expanded, rows.count);
  const { classes } = document;
  const beyond = outputs.findIndex((output) => !Number.isFinite(output));
  if (beyond >= 0) {
    const row = Math.floor(beyond / (outputs.length / rows.count));
    throw new PredictionInputError(row, "", `Row ${row + 1}: its numbers are so large that the model has no answer.`);
  }
  const explanations = isExplained ? explainRows(document, expanded, rows.count) : undefined;
  const besideOf = (row: number) => ({
    ...(unknown.has(row) && { unknown: unknown.get(row)! }),
    ...(explanations && { explanation: explanations[row]! }),
  });
  if (classes === undefined) {
    const predictions = Array.from(outputs, (prediction, row) => ({ prediction, ...besideOf(row) }));
    return { predictions, unknownValues };
  }
  const chances = allProbabilities(outputs, classes.length);
  const decide = classDecider(classes, document.decision);
  const predictions = Array.from({ length: rows.count }, (_, row) => {
    const from = row * classes.length;
    return {
      prediction: classes[decide(chances, from)]!,
      probabilities: Object.fromEntries(classes.map((name, k) => [name, chances[from + k]!])),
      ...besideOf(row),
    };
  });
  return { predictions, unknownValues };
}

function readColumn(
  feature: ModelFeature,
  rows: PredictionRows,
  {
    missing = [],
    tell,
  }: { missing?: readonly string[] | undefined; tell: (row: number, column: string, text: string) => void },
): TableColumn {
  const name = feature.column;
  const sent = rows.column(feature);
  if (sent === undefined) {
    throw new PredictionInputError(0, name, `Column "${name}" is in no row; the model was trained with it.`);
  }
  const words = new Set(missing);
  const cells = words.size === 0 ? sent : sent.map((cell) => (isScalar(cell) && words.has(String(cell)) ? null : cell));
  if (feature.kind === "text") {
    const categoryOf = knownTextFinder(feature);
    const texts = cells.map((cell, row) => {
      const value = readValue(cell, row, name);
      if (value === null) return null;
      const known = categoryOf(value);
      if (known === undefined) tell(row, name, String(value));
      return known ?? String(value);
    });
    return { name, kind: "text", ...codeTexts(texts) };
  }
  if (feature.kind !== "number") return readTyped(feature, cells, tell);
  // A number that stands for a missing value does so however it is spelled.
  const values = new Set(missing.flatMap((word) => (numeral.test(word) ? [toFeatureValue(Number(word))] : [])));
  const numbers = new Float64Array(rows.count);
  for (let row = 0; row < numbers.length; row++) {
    const cell = cells[row];
    const number = readNumber(cell);
    if (number !== undefined) numbers[row] = values.has(number) ? Number.NaN : number;
    else if (feature.written !== undefined && (isScalar(cell) || cell instanceof StrayCell)) {
      numbers[row] = Number.NaN;
      tell(row, name, cell instanceof StrayCell ? cell.text : String(cell));
    } else throw noNumberFault(cell, row, name);
  }
  return { name, kind: "number", numbers };
}

/** A column of dates, times or truths. One that is no truth is as good as none, and so is one that is no date where the table had such. */
function readTyped(
  feature: DateFeature | BooleanFeature,
  cells: readonly unknown[],
  tell: (row: number, column: string, text: string) => void,
): TableColumn {
  const { column: name } = feature;
  const numbers = Float64Array.from(cells, (cell, row) => {
    if (cell === null || cell === undefined) return Number.NaN;
    if (isScalar(cell)) return Number(cell);
    if (!(cell instanceof StrayCell)) throw noNumberFault(cell, row, name, wantedOf(feature));
    if (feature.kind === "date" && !feature.hasStrays) throw noNumberFault(cell, row, name);
    tell(row, name, cell.text);
    return Number.NaN;
  });
  if (feature.kind === "boolean") return { name, kind: "boolean", numbers };
  return { name, kind: "date", numbers, written: feature.written, hasStrays: feature.hasStrays };
}

function wantedOf(feature: DateFeature | BooleanFeature): string {
  if (feature.kind === "boolean") return "true or false";
  return areTimesAlone(feature.written) ? "a time" : "a date";
}

/** A cell that is there and not nested. */
export type Scalar = string | number | boolean;

/** Whether a cell of a request is one. */
export const isScalar = (cell: unknown): cell is Scalar => ["string", "number", "boolean"].includes(typeof cell);

function readValue(cell: unknown, row: number, column: string): string | number | boolean | null {
  if (cell === null || cell === undefined || cell === "") return null;
  if (isScalar(cell)) return cell;
  throw new PredictionInputError(row, column, `Row ${row + 1}: column "${column}" must be text, not ${kindOf(cell)}.`);
}

const numeral = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Undefined for what is no number. */
function readNumber(cell: unknown): number | undefined {
  if (cell === null || cell === undefined) return Number.NaN;
  if (typeof cell === "number") return toFeatureValue(cell);
  if (typeof cell === "string") {
    // Nearly every cell is one; the rest, which costs five times as much, is for the others.
    if (numeral.test(cell)) return toFeatureValue(Number(cell));
    // As DuckDB reads a column of numbers: a row of the training data must be one that the model can predict.
    const text = cell.replace(/^[ \t-\r]+|[ \t-\r]+$/g, "").replace(/(?<=\d)_(?=\d)/g, "");
    if (text === "" || /^[+-]?(nan|inf|infinity)$/i.test(text)) return Number.NaN;
    if (numeral.test(text)) return toFeatureValue(Number(text));
  }
  return undefined;
}

function noNumberFault(cell: unknown, row: number, column: string, kind = "a number"): PredictionInputError {
  const [wanted, found] =
    cell instanceof StrayCell ? [cell.wanted, `"${cell.text.slice(0, 40)}"`] : [kind, kindOf(cell)];
  return new PredictionInputError(row, column, `Row ${row + 1}: column "${column}" must be ${wanted}, not ${found}.`);
}

function kindOf(cell: unknown): string {
  if (typeof cell === "string") return `"${cell.slice(0, 40)}"`;
  return Array.isArray(cell) ? "a list" : typeof cell === "object" ? "an object" : `a ${typeof cell}`;
}
