import { allProbabilities, sharesOf } from "./class-chances.ts";
import { coefficientsOf } from "./coefficients.ts";
import { sharesByColumn } from "./column-importances.ts";
import { outputNames } from "./contributions.ts";
import type { Decision } from "./decide-class.ts";
import type { Evaluation } from "./evaluate.ts";
import { type FeatureColumn, floatsAt } from "./feature-column.ts";
import {
  buildFeatureSchema,
  dropReasons,
  expandedSources,
  type FeatureSchema,
  featureColumns,
  shortName,
  widenFeatureSchema,
} from "./feature-schema.ts";
import { type FittedModel, fitModel, fitOutOfFold, type ModelFit } from "./fit-model.ts";
import { monotoneFeatures } from "./heavy-demands.ts";
import { fitsAtOnce } from "./heavy-trainer.ts";
import { placesOf } from "./in-order.ts";
import { inMebibytes, leastTrainingBytes, type TrainingSize } from "./least-memory.ts";
import type { Coefficients, DroppedColumn, ModelFeature, XgboostModel } from "./model.ts";
import { numberBounds } from "./number-bounds.ts";
import { shareOfFolds } from "./out-of-fold.ts";
import { decisionOf, isChosen } from "./positive-class.ts";
import { requireSomeWeight } from "./row-weights.ts";
import { MAX_CATEGORIES } from "./text-feature.ts";
import { type TrainParameters, type TrainRequest, usualSeed } from "./train-request.ts";
import { TrainingDataError } from "./training-data-error.ts";
import type { TableColumn } from "./training-table.ts";
import type { TrainingTarget } from "./training-target.ts";
import { outputsOf, predictXgboost } from "./xgboost-json.ts";

/** Columns that are named where none can be used. */
const mostNamed = 5;
/** From fewer nothing is learnt. */
const leastRows = 4;
/** Rows that a model is asked of at once. */
const blockRows = 16_384;

/** What all fits of one training share. */
export interface TrainingFacts {
  readonly request: TrainRequest;
  readonly columns: ReadonlyMap<string, TableColumn>;
  /** Those that may be learnt from. */
  readonly candidates: readonly TableColumn[];
  readonly target: TrainingTarget;
  /** How much each row of the target counts; all the same when absent. */
  readonly weights: Float64Array | undefined;
}

/** A model of some rows, and all that was found out from these. */
export interface RowsFit extends FittedModel {
  readonly schema: FeatureSchema;
  readonly decision: Decision | undefined;
  /** Of a light model. */
  readonly coefficients: Coefficients | undefined;
  /** What splits or weights say of each column: shares, the largest first. */
  readonly gains: Readonly<Record<string, number>>;
  /** Up to where numbers of each source column may go. */
  readonly bounds: readonly (number | null)[];
  /** Rows of the table that were learnt from, and their targets. */
  readonly rows: Int32Array;
  readonly values: Float64Array;
}

/**
 * Learns from some of the rows that have a target, and from nothing else: which columns can be used, their categories and
 * means, the model, and its threshold.
 * @param places of the target
 * @throws TrainingDataError
 */
export function fitRows(facts: TrainingFacts, places: Int32Array, onProgress: (fraction: number) => void): RowsFit {
  requireEnough(facts, places);
  const schema = schemaOf(facts, places);
  if (schema.features.length > 0) return fitFeatures(facts, schema, places, onProgress);
  throw new TrainingDataError(
    "NO_USABLE_FEATURES",
    `No column can be learned from: ${whyDropped(schema.droppedColumns)}. Add or choose other columns.`,
  );
}

/**
 * A model as `measured`, of all rows that have a target, those that were held out from it too: nothing that these would have to
 * say is asked for anew, neither which columns are of use, nor how many rounds there are, nor the threshold.
 * @throws TrainingDataError
 */
export function refitAll(facts: TrainingFacts, measured: RowsFit, onProgress: (fraction: number) => void): RowsFit {
  const { request, columns, target } = facts;
  const { decision, model } = measured;
  const { gradient_booster: booster } = model.learner;
  const parameters: TrainParameters = {
    ...request.parameters,
    ...(booster.name === "gbtree" && {
      rounds: booster.model.iteration_indptr.length - 1,
      earlyStopping: "none" as const,
    }),
    ...decision,
  };
  const schema = widenFeatureSchema(measured.schema, columns, target.rows);
  const places = Int32Array.from(target.rows.keys());
  return fitFeatures({ ...facts, request: { ...request, parameters } }, schema, places, onProgress);
}

/** The same, also where no column varies among these rows: the model says the same of every row then, as ours of such rows would. */
export function fitFold(facts: TrainingFacts, places: Int32Array, onProgress: (fraction: number) => void): RowsFit {
  requireEnough(facts, places);
  return fitFeatures(facts, schemaOf(facts, places), places, onProgress);
}

const schemaOf = ({ candidates, target }: TrainingFacts, places: Int32Array): FeatureSchema =>
  buildFeatureSchema(
    candidates,
    places.map((place) => target.rows[place]!),
  );

function fitFeatures(
  facts: TrainingFacts,
  schema: FeatureSchema,
  places: Int32Array,
  onProgress: (fraction: number) => void,
): RowsFit {
  const { request, target } = facts;
  const { mode, parameters } = request;
  const { seed = usualSeed, threshold } = parameters;
  const { classes } = target;
  const rows = places.map((place) => target.rows[place]!);
  const fit = modelFit(facts, schema, places);
  const how = { mode, parameters, seed };
  const shareOfFit = isChosen(threshold) ? 1 - shareOfFolds : 1;
  const fitted = fitModel(fit, how, (fraction) => onProgress(fraction * shareOfFit));
  const bounds = boundsOf(fitted.model, fit.columns, schema.features, request);
  const decision =
    classes &&
    decisionOf(parameters, classes, fit.target, () => {
      const chances = fitOutOfFold(fit, how, (fraction) => onProgress(shareOfFit + fraction * shareOfFolds));
      if (!chances.every(Number.isFinite)) throw outOfRange(request, undefined);
      return chances;
    });
  const { linear, importances } = fitted;
  const coefficients = linear && coefficientsOf(schema.features, outputNames(request.target, classes), linear.weights);
  const gains = sharesByColumn(schema.features, importances);
  return { ...fitted, schema, decision, coefficients, gains, bounds, rows, values: fit.target };
}

function modelFit(facts: TrainingFacts, { features }: FeatureSchema, places: Int32Array): ModelFit {
  const { request, columns, target, weights: ofRows } = facts;
  const { parameters } = request;
  const { classes } = target;
  const weights = ofRows && Float64Array.from(places, (place) => ofRows[place]!);
  if (weights !== undefined) requireSomeWeight(weights, parameters.weight!);
  const loss = classes === undefined ? "squared" : classes.length === 2 ? "logistic" : "softmax";
  const outputs = outputNames(request.target, classes).length;
  const size = { features: expandedSources(features).length, outputs };
  const fits = request.mode === "heavy" ? fitsAtOnce(parameters, { ...size, rows: places.length }) : 1;
  requireRoom(request, features, { outputs, trainRows: places.length, fits });
  const rows = places.map((place) => target.rows[place]!);
  return {
    columns: featureColumns(features, columns, rows, request.mode === "light"),
    target: Float64Array.from(places, (place) => target.values[place]!),
    loss,
    outputs,
    classes,
    weights,
    ofCategories: expandedSources(features).map((source) => features[source]!.kind === "text"),
    monotone: monotoneFeatures(parameters.monotoneConstraints, features),
  };
}

/** What a model says of rows, and the rows as its features. */
export interface AskedRows {
  readonly evaluation: Evaluation;
  readonly columns: readonly FeatureColumn[];
}

/**
 * What a model says of rows, and what they are.
 * @param places of the target
 * @throws TrainingDataError NUMBERS_OUT_OF_RANGE
 */
export function askRows({ request, columns, target }: TrainingFacts, fit: RowsFit, places: Int32Array): AskedRows {
  const rows = places.map((place) => target.rows[place]!);
  const expanded = featureColumns(fit.schema.features, columns, rows, request.mode === "light");
  const predicted = predictInBlocks(fit.model, expanded, rows.length);
  if (!predicted.every(Number.isFinite)) throw outOfRange(request, undefined);
  const actual = Float64Array.from(places, (place) => target.values[place]!);
  const { classes } = target;
  if (classes === undefined) {
    return { columns: expanded, evaluation: { task: "regression", actual, predicted, mean: meanOf(fit.values) } };
  }
  const evaluation: Evaluation = {
    task: "classification",
    classes,
    actual,
    probabilities: allProbabilities(predicted, classes.length),
    priors: sharesOf(fit.values, classes.length),
    positiveClass: request.parameters.positiveClass,
    decision: fit.decision,
  };
  return { columns: expanded, evaluation };
}

/** Of many rows the features are brought out of the table part by part. */
function predictInBlocks(model: XgboostModel, columns: readonly FeatureColumn[], count: number): Float64Array {
  const outputs = outputsOf(model);
  const said = new Float64Array(count * outputs);
  for (let from = 0; from < count; from += blockRows) {
    const places = placesOf(Math.min(blockRows, count - from)).map((place) => from + place);
    const block = columns.map((column) => floatsAt(column, places));
    said.set(predictXgboost(model, block, places.length), from * outputs);
  }
  return said;
}

/**
 * By time or by group it may be that too little is on the side that is learnt from.
 * @throws TrainingDataError PARAMETER_UNUSABLE
 */
export function requireEnough({ request, target }: TrainingFacts, places: Int32Array): void {
  const { validation } = request.parameters;
  if (validation?.kind !== "time" && validation?.kind !== "group") return;
  const first = target.values[places[0]!];
  const hasClasses = target.classes === undefined || places.some((place) => target.values[place] !== first);
  if (places.length >= leastRows && hasClasses) return;
  const what = places.length < leastRows ? `fewer than ${leastRows} rows` : "rows of one class alone";
  throw new TrainingDataError(
    "PARAMETER_UNUSABLE",
    `\`validation\` by «${shortName(validation.column)}» leaves ${what} to learn from. Choose another \`share\` or other \`folds\`, or another kind.`,
  );
}

/** What the columns become is known only now; before it is made, it must be seen to fit. */
function requireRoom(
  { table, mode, memoryBytes = Number.POSITIVE_INFINITY }: TrainRequest,
  features: readonly ModelFeature[],
  known: Required<Pick<TrainingSize, "trainRows" | "outputs" | "fits">>,
): void {
  const texts = features.filter(({ kind }) => kind === "text");
  const categoryFeatures = expandedSources(texts).length;
  const all = expandedSources(features).length;
  const neededBytes = leastTrainingBytes({
    rows: table.rowCount,
    columns: table.columns.length,
    textColumns: table.columns.filter(({ kind }) => kind === "text").length,
    mode,
    numberFeatures: all - categoryFeatures,
    categoryFeatures,
    categoryColumns: texts.length,
    ...known,
  });
  if (neededBytes <= memoryBytes) return;
  throw new TrainingDataError(
    "TOO_MANY_FEATURES",
    `The columns become ${all} features, a text column one for each of its ${MAX_CATEGORIES} most frequent values and one for the others: with ${table.rowCount} rows ${inMebibytes(neededBytes)} are needed at least, and TRAINING_MEMORY_BYTES allows ${inMebibytes(memoryBytes)}. Name fewer columns in \`features\`, or let the operator raise it.`,
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
  columns: readonly FeatureColumn[],
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

function meanOf(values: Float64Array): number {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += (values[i]! - mean) / (i + 1);
  return mean;
}
