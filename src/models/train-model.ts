import { allProbabilities, sharesOf } from "./class-chances.ts";
import { coefficientsOf } from "./coefficients.ts";
import { columnImportances, sharesByColumn } from "./column-importances.ts";
import { type ColumnUse, columnUses } from "./column-use.ts";
import { outputNames } from "./contributions.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { buildFeatureSchema, dropReasons, expandColumns, expandedSources, shortName } from "./feature-schema.ts";
import { fitModel, fitOutOfFold, type ModelFit } from "./fit-model.ts";
import { monotoneFeatures, requireDemandsMet } from "./heavy-demands.ts";
import type { HeavyParameters } from "./heavy-parameters.ts";
import { inMebibytes, leastTrainingBytes, type TrainingSize } from "./least-memory.ts";
import type { LightParameters } from "./light-trainer.ts";
import type { Loss } from "./linear-problem.ts";
import {
  type DroppedColumn,
  type ModelDocument,
  type ModelFeature,
  type TrainingMode,
  type TrainingTask,
  trainerLibrary,
  type XgboostModel,
} from "./model.ts";
import { describeInput, type ModelInput } from "./model-input.ts";
import type { RunMetrics } from "./model-metrics.ts";
import { numberBounds } from "./number-bounds.ts";
import { shareOfFolds } from "./out-of-fold.ts";
import { decisionOf, isChosen, type PositiveParameters, requireTwoClasses } from "./positive-class.ts";
import { readWeights, requireSomeWeight } from "./row-weights.ts";
import { splitRows } from "./split-rows.ts";
import { hintsOfTarget, type TargetHint } from "./target-hints.ts";
import { isTargetTwin } from "./target-twin.ts";
import { MAX_CATEGORIES } from "./text-feature.ts";
import { TrainingDataError } from "./training-data-error.ts";
import type { TableColumn, TrainingTable } from "./training-table.ts";
import { readTarget } from "./training-target.ts";
import { predictXgboost } from "./xgboost-json.ts";

/** Fewer rows with a target than this leave nothing to learn from or to test on. */
export const MIN_TRAINING_ROWS = 8;

/** Columns that are named where none can be used. */
const mostNamed = 5;
const HELD_OUT_FRACTION = 0.25;

/** How to train; what is absent has a default. */
export interface TrainParameters extends LightParameters, HeavyParameters, PositiveParameters {
  /** Of the split into training and held-out rows, and of what is drawn in training. Default 42. */
  readonly seed?: number | undefined;
  /** The column that says how much each row counts; it is no feature then. */
  readonly weight?: string | undefined;
}

/** What to train on, and how. */
export interface TrainRequest {
  readonly table: TrainingTable;
  /** Of all columns of the file, also of those that were not read; the table's when absent. */
  readonly columnNames?: readonly string[] | undefined;
  readonly target: string;
  readonly task: TrainingTask;
  /** Columns to learn from; all but the target when absent. */
  readonly features?: readonly string[] | undefined;
  /** Columns of the file that were not read since nothing shall be learnt from them. */
  readonly leftOut?: readonly string[] | undefined;
  readonly mode: TrainingMode;
  readonly parameters: TrainParameters;
  /** What the whole process may hold; when absent, nothing is refused for its size. */
  readonly memoryBytes?: number | undefined;
}

/** A model, how good it is, what it takes, what became of each column of the file, and what is to be known of the target. */
export interface TrainedModel {
  readonly document: ModelDocument;
  readonly metrics: RunMetrics;
  readonly input: ModelInput;
  readonly columns: readonly ColumnUse[];
  readonly hints: readonly TargetHint[];
}

/**
 * Trains on three quarters of the rows that have a target, and measures on the last quarter. Pure and synchronous: the
 * same request gives the same document, byte for byte.
 * @param onFitted called when the model is there and is to be measured
 */
export function trainModel(
  request: TrainRequest,
  onProgress: (fraction: number) => void,
  onFitted: () => void = () => {},
): TrainedModel {
  const { table, task, mode, parameters } = request;
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  const targetColumn = columns.get(request.target);
  if (targetColumn === undefined) {
    throw new TrainingDataError(
      "TARGET_NOT_FOUND",
      `There is no column "${request.target}"; choose one of the table's.`,
    );
  }
  const target = readTarget(targetColumn, task);
  const { classes } = target;
  requireTwoClasses(parameters, request.target, classes);
  if (target.rows.length < MIN_TRAINING_ROWS) {
    throw new TrainingDataError(
      "TOO_FEW_ROWS",
      `${target.rows.length} rows have a value for "${request.target}"; training needs at least ${MIN_TRAINING_ROWS}.`,
    );
  }
  const { seed = 42, weight } = parameters;
  if (mode === "heavy") requireDemandsMet(parameters, classes, target.values);
  const rowWeights = weight === undefined ? undefined : readWeights(columns.get(weight), weight, target.rows);
  const places = Int32Array.from(target.rows.keys());
  const split = splitRows(places, HELD_OUT_FRACTION, seed, classes && Int32Array.from(target.values));
  if (split.heldOut.length === 0) {
    throw new TrainingDataError(
      "TOO_FEW_ROWS",
      `Hardly a class of "${request.target}" has more than one row; add rows, or choose another target.`,
    );
  }
  const trainRows = split.kept.map((place) => target.rows[place]!);
  const trainTarget = Float64Array.from(split.kept, (place) => target.values[place]!);
  const testTarget = Float64Array.from(split.heldOut, (place) => target.values[place]!);
  const weights = rowWeights && Float64Array.from(split.kept, (place) => rowWeights[place]!);
  if (weights !== undefined) requireSomeWeight(weights, weight!);
  const schema = buildFeatureSchema(chooseColumns(request, columns), trainRows);
  if (schema.features.length === 0) {
    throw new TrainingDataError(
      "NO_USABLE_FEATURES",
      `No column can be learned from: ${whyDropped(schema.droppedColumns)}. Add or choose other columns.`,
    );
  }
  const impute = mode === "light";
  const loss: Loss = classes === undefined ? "squared" : classes.length === 2 ? "logistic" : "softmax";
  const outputs = loss === "softmax" ? classes!.length : 1;
  requireRoom(request, { features: expandedSources(schema.features).length, trainRows: trainRows.length, outputs });
  const fit: ModelFit = {
    columns: expandColumns(schema.features, columns, trainRows, impute),
    target: trainTarget,
    loss,
    outputs,
    classes,
    weights,
    monotone: monotoneFeatures(parameters.monotoneConstraints, schema.features),
  };
  const how = { mode, parameters, seed };
  const shareOfFit = isChosen(parameters.threshold) ? 1 - shareOfFolds : 1;
  const { model, importances, linear } = fitModel(fit, how, (fraction) => onProgress(fraction * shareOfFit));
  const bounds = boundsOf(model, fit.columns, schema.features, request);
  const decision =
    classes &&
    decisionOf(parameters, classes, trainTarget, () => {
      const chances = fitOutOfFold(fit, how, (fraction) => onProgress(shareOfFit + fraction * shareOfFolds));
      if (!chances.every(Number.isFinite)) throw outOfRange(request, undefined);
      return chances;
    });
  onFitted();
  const testRows = split.heldOut.map((place) => target.rows[place]!);
  const testColumns = expandColumns(schema.features, columns, testRows, impute);
  const predictions = predictXgboost(model, testColumns, testRows.length);
  if (!predictions.every(Number.isFinite)) throw outOfRange(request, undefined);
  const evaluation: Evaluation =
    classes === undefined
      ? { task: "regression", actual: testTarget, predicted: predictions, mean: meanOf(trainTarget) }
      : {
          task: "classification",
          classes,
          actual: testTarget,
          probabilities: allProbabilities(predictions, classes.length),
          priors: sharesOf(trainTarget, classes.length),
          positiveClass: parameters.positiveClass,
          decision,
        };
  const quality = evaluate(evaluation, seed);
  const coefficients = linear && coefficientsOf(schema.features, outputNames(request.target, classes), linear.weights);
  const about = { features: schema.features, model, coefficients, target: request.target, classes };
  const gains = sharesByColumn(schema.features, importances);
  const metrics: RunMetrics = {
    ...quality,
    rows: { train: trainRows.length, test: testRows.length },
    featureImportances: gains,
    importances: columnImportances({ ...about, columns: testColumns, actual: testTarget, gains }, seed),
    ...(linear && { solver: linear.solver }),
  };
  onProgress(1);
  const document: ModelDocument = {
    format: "mlops-backend/model",
    version: 1,
    library: trainerLibrary,
    mode,
    task,
    target: request.target,
    ...(classes === undefined ? {} : { classes }),
    ...(decision && { decision }),
    features: schema.features,
    droppedColumns: schema.droppedColumns,
    ...(table.missing && { missing: table.missing }),
    metrics,
    ...(coefficients && { coefficients }),
    model,
  };
  const learnt = { rows: trainRows, values: trainTarget, isOfClasses: classes !== undefined };
  const twins = schema.features.map(({ column }) => column).filter((name) => isTargetTwin(columns.get(name)!, learnt));
  const uses = columnUses({
    ...schema,
    twins: new Set(twins),
    columnNames: request.columnNames ?? [...columns.keys()],
    columns,
    leftOut: request.leftOut ?? [],
    target: request.target,
    weight,
    rows: target.rows,
    impute,
  });
  const notNeeded = uses.flatMap((use) => (use.as === "left_out" ? [{ name: use.name, reason: use.reason }] : []));
  // Counts are what this objective is for.
  const hints = parameters.objective === "count:poisson" ? [] : hintsOfTarget(trainTarget, classes);
  const input = describeInput({ features: schema.features, notNeeded, bounds, columns, trainRows });
  return { document, metrics, input, columns: uses, hints };
}

/** What the columns become is known only now; before it is made, it must be seen to fit. */
function requireRoom(
  { table, mode, memoryBytes = Number.POSITIVE_INFINITY }: TrainRequest,
  known: Required<Pick<TrainingSize, "features" | "trainRows" | "outputs">>,
): void {
  const neededBytes = leastTrainingBytes({ rows: table.rowCount, columns: table.columns.length, mode, ...known });
  if (neededBytes <= memoryBytes) return;
  throw new TrainingDataError(
    "TOO_MANY_FEATURES",
    `The columns become ${known.features} features, a text column one for each of its ${MAX_CATEGORIES} most frequent values and one for the others: with ${table.rowCount} rows ${inMebibytes(neededBytes)} are needed, and TRAINING_MEMORY_BYTES allows ${inMebibytes(memoryBytes)}. Name fewer columns in \`features\`, or let the operator raise it.`,
  );
}

/** The first five, each with its reason. */
function whyDropped(columns: readonly DroppedColumn[]): string {
  if (columns.length === 0) return "there is none but the target";
  const told = columns.slice(0, mostNamed).map(({ name, reason }) => `«${shortName(name)}» ${dropReasons[reason]}`);
  const more = columns.length - told.length;
  return [...told, ...(more > 0 ? [`and so ${more} more`] : [])].join("; ");
}

/** Up to where numbers of each source column may go. */
function boundsOf(
  model: XgboostModel,
  columns: readonly Float32Array[],
  features: readonly ModelFeature[],
  request: TrainRequest,
): (number | null)[] {
  const { upTo, fault } = numberBounds(model, columns);
  const sources = expandedSources(features);
  if (fault !== undefined)
    throw outOfRange(request, fault.feature === undefined ? undefined : features[sources[fault.feature]!]!.column);
  const bounds = features.map((): number | null => null);
  for (const [at, source] of sources.entries()) bounds[source] = upTo[at]!;
  return bounds;
}

function outOfRange({ target, mode, task }: TrainRequest, column: string | undefined): TrainingDataError {
  const ofTarget = task === "regression" ? `those of the target "${target}"` : undefined;
  const ofColumn =
    mode === "heavy" ? undefined : column === undefined ? "those of some column" : `those of "${column}"`;
  const whose = [ofColumn, ofTarget].filter((each) => each !== undefined).join(" or ");
  const instead = mode === "light" ? ", or train in the mode heavy" : "";
  return new TrainingDataError(
    "NUMBERS_OUT_OF_RANGE",
    `Some numbers are too large or too small for a model of 32-bit floats: ${whose}. Scale them to be nearer to 1, or subtract what they have in common${instead}.`,
  );
}

function chooseColumns(request: TrainRequest, columns: ReadonlyMap<string, TableColumn>): TableColumn[] {
  if (request.features === undefined) {
    const aside = new Set([request.target, request.parameters.weight]);
    return request.table.columns.filter(({ name }) => !aside.has(name));
  }
  return [...new Set(request.features)].map((name) => {
    const column = columns.get(name);
    if (column === undefined || name === request.target) {
      throw new TrainingDataError(
        "FEATURE_NOT_FOUND",
        name === request.target
          ? `"${name}" is the target and cannot be a feature too; leave it out of the features.`
          : `There is no column "${name}"; choose features among the table's columns.`,
      );
    }
    return column;
  });
}

function meanOf(values: Float64Array): number {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += (values[i]! - mean) / (i + 1);
  return mean;
}
