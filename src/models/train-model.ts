import { sharesOf } from "./class-chances.ts";
import { joinImportances } from "./column-importances.ts";
import { type ColumnUse, columnUses } from "./column-use.ts";
import { outputNames } from "./contributions.ts";
import { buildFeatureSchema, expandedSources } from "./feature-schema.ts";
import { fitRows, type RowsFit, refitAll, type TrainingFacts } from "./fit-rows.ts";
import { requireDemandsMet } from "./heavy-demands.ts";
import type { KeptMeasures } from "./kept-measures.ts";
import { type FactsOfFold, measureFolds, measureHeldOut } from "./measure-model.ts";
import { type ModelDocument, trainerLibrary } from "./model.ts";
import { describeInput, type ModelInput } from "./model-input.ts";
import type { RunMetrics } from "./model-metrics.ts";
import { planValidation, type ValidationPlan } from "./plan-validation.ts";
import { requireTwoClasses } from "./positive-class.ts";
import { rarerOfTwo } from "./rated-rows.ts";
import { readWeights } from "./row-weights.ts";
import { hintsOfTarget, type TargetHint } from "./target-hints.ts";
import { isTargetTwin } from "./target-twin.ts";
import { type TrainParameters, type TrainRequest, usualSeed } from "./train-request.ts";
import { TrainingDataError } from "./training-data-error.ts";
import type { TableColumn } from "./training-table.ts";
import { readTarget } from "./training-target.ts";
import { type FitSize, usualRepeats } from "./usual-repeats.ts";
import { askedBy, groupColumnOf } from "./validation.ts";

/** Fewer rows with a target than this leave nothing to learn from or to test on. */
export const MIN_TRAINING_ROWS = 8;

/** A model, how good it is, what it takes, what became of each column of the file, and what is to be known of the target. */
export interface TrainedModel {
  readonly document: ModelDocument;
  readonly metrics: RunMetrics;
  readonly input: ModelInput;
  readonly columns: readonly ColumnUse[];
  readonly hints: readonly TargetHint[];
  readonly kept: KeptMeasures;
}

/**
 * Trains on rows that have a target, and measures on rows that were not learnt from, as `validation` has it. Pure and
 * synchronous: the same request gives the same document, byte for byte.
 * @param onFitted called when the model is there and is to be measured
 * @throws TrainingDataError
 */
export function trainModel(
  request: TrainRequest,
  onProgress: (fraction: number) => void,
  onFitted: () => void = () => {},
): TrainedModel {
  const facts = readFacts(request);
  return trainPlanned(facts, planOf(facts, request.mode), { onProgress, onFitted });
}

/**
 * On which rows a training is measured.
 * @param mode of the run, which may be a search for the best
 * @throws TrainingDataError
 */
export function planOf(facts: TrainingFacts, mode: FitSize["mode"]): ValidationPlan {
  const { request, columns, target } = facts;
  const { seed = usualSeed, validation, refit } = request.parameters;
  const size = { ...sizeOf(facts), mode };
  // By folds there is no measured model that could be kept.
  return planValidation(validation ?? (refit === false ? { kind: "holdout" } : undefined), {
    target,
    targetName: request.target,
    columns,
    seed,
    usualRepeats: (folds) => usualRepeats(size, folds),
  });
}

/** Places of the target that the model of a run learns from. */
export const learntPlaces = ({ target }: TrainingFacts, plan: ValidationPlan): Int32Array =>
  "split" in plan ? plan.split.kept : Int32Array.from(target.rows.keys());

/** Who hears of a training. */
interface PlannedHooks {
  readonly onProgress: (fraction: number) => void;
  readonly onFitted: () => void;
  /** Of one whose parameters were searched for: by what a fold's model is learnt. The model's file has the parameters then. */
  readonly factsOfFold?: FactsOfFold;
}

/**
 * Trains, and measures as it is planned.
 * @throws TrainingDataError
 */
export function trainPlanned(facts: TrainingFacts, plan: ValidationPlan, hooks: PlannedHooks): TrainedModel {
  const { onProgress, onFitted, factsOfFold } = hooks;
  const shareOfFit = shareOfFirst(facts, plan);
  const onRest = (fraction: number): void => onProgress(shareOfFit + fraction * (1 - shareOfFit));
  const first = fitRows(facts, learntPlaces(facts, plan), (fraction) => onProgress(fraction * shareOfFit));
  const fit = isRefitted(facts, plan) ? refitAll(facts, first, onRest) : first;
  onFitted();
  const { quality, kept } =
    "split" in plan
      ? measureHeldOut(facts, first, plan.split.heldOut)
      : measureFolds(withPositiveClass(facts, fit), fit, plan, onRest, factsOfFold);
  const metrics: RunMetrics = {
    ...quality,
    importances: joinImportances([quality.importances], fit.gains),
    rows: { train: fit.rows.length, test: "split" in plan ? plan.split.heldOut.length : plan.heldOutRows },
    validation: plan.report,
    featureImportances: fit.gains,
    ...(fit.linear && { solver: fit.linear.solver }),
  };
  onProgress(1);
  return { ...describe(facts, fit, metrics, factsOfFold && foundParameters(facts, plan)), kept };
}

/** With all that a run needs to make the same model by them: its mode may be measured otherwise where nothing is said. */
function foundParameters({ request: { parameters } }: TrainingFacts, { report }: ValidationPlan): TrainParameters {
  return { seed: usualSeed, ...parameters, validation: askedBy(report) };
}

function sizeOf({ request, candidates, target }: TrainingFacts): Omit<FitSize, "mode"> {
  const { classes, rows } = target;
  const features = () => expandedSources(buildFeatureSchema(candidates, rows).features).length;
  const outputs = outputNames(request.target, classes).length;
  return { parameters: request.parameters, rows: rows.length, features, outputs };
}

/** By folds there is no model that leaves rows out. */
const isRefitted = ({ request: { parameters } }: TrainingFacts, plan: ValidationPlan): boolean =>
  "split" in plan && (parameters.refit ?? true);

/** What of the way the first model is: each fold's learns from fewer rows, and one of all rows has no stop to find. */
function shareOfFirst(facts: TrainingFacts, plan: ValidationPlan): number {
  if (!("split" in plan)) return 1 / (1 + plan.repeats * (plan.foldCount - 1));
  return isRefitted(facts, plan) ? 0.6 : 1;
}

/** The same class is looked for in every fold: where both are as frequent, the rarer one would go to and fro. */
function withPositiveClass(facts: TrainingFacts, { values }: RowsFit): TrainingFacts {
  const { request, target } = facts;
  const { classes } = target;
  if (classes?.length !== 2 || request.parameters.positiveClass !== undefined) return facts;
  const positiveClass = classes[rarerOfTwo(sharesOf(values, 2))];
  return { ...facts, request: { ...request, parameters: { ...request.parameters, positiveClass } } };
}

/**
 * What a request is about.
 * @throws TrainingDataError
 */
export function readFacts(request: TrainRequest): TrainingFacts {
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
  requireTwoClasses(parameters, request.target, target.classes);
  if (target.rows.length < MIN_TRAINING_ROWS) {
    throw new TrainingDataError(
      "TOO_FEW_ROWS",
      `${target.rows.length} rows have a value for "${request.target}"; training needs at least ${MIN_TRAINING_ROWS}.`,
    );
  }
  const { weight } = parameters;
  if (mode === "heavy") requireDemandsMet(parameters, target.classes, target.values);
  const weights = weight === undefined ? undefined : readWeights(columns.get(weight), weight, target.rows);
  return { request, columns, candidates: chooseColumns(request, columns), target, weights };
}

function describe(
  { request, columns, target: { classes, rows } }: TrainingFacts,
  fit: RowsFit,
  metrics: RunMetrics,
  found: TrainParameters | undefined,
): Omit<TrainedModel, "kept"> {
  const { table, task, mode, parameters } = request;
  const { schema, decision, coefficients, model } = fit;
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
    ...(found && { parameters: found }),
    ...(coefficients && { coefficients }),
    model,
  };
  const learnt = { rows: fit.rows, values: fit.values, isOfClasses: classes !== undefined };
  const twins = schema.features.map(({ column }) => column).filter((name) => isTargetTwin(columns.get(name)!, learnt));
  const uses = columnUses({
    ...schema,
    twins: new Set(twins),
    columnNames: request.columnNames ?? [...columns.keys()],
    columns,
    leftOut: request.leftOut ?? [],
    target: request.target,
    weight: parameters.weight,
    group: groupColumnOf(parameters.validation),
    rows,
    impute: mode === "light",
  });
  const notNeeded = uses.flatMap((use) => (use.as === "left_out" ? [{ name: use.name, reason: use.reason }] : []));
  // Counts are what this objective is for.
  const hints = parameters.objective === "count:poisson" ? [] : hintsOfTarget(fit.values, metrics.confusionMatrix);
  const { bounds } = fit;
  const input = describeInput({ features: schema.features, notNeeded, bounds, columns, trainRows: fit.rows });
  return { document, metrics, input, columns: uses, hints };
}

function chooseColumns(request: TrainRequest, columns: ReadonlyMap<string, TableColumn>): TableColumn[] {
  if (request.features === undefined) {
    const { weight, validation } = request.parameters;
    const aside = new Set([request.target, weight, groupColumnOf(validation), ...(request.leftOut ?? [])]);
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
