import { z } from "zod";
import { jsonWith } from "../http/json-with.ts";
import { leftOutReasons } from "../models/column-use.ts";
import { dateParts } from "../models/date-parts.ts";
import { MAX_VALUE_BINS } from "../models/feature-bins.ts";
import { earlyStoppings, objectives } from "../models/heavy-parameters.ts";
import { runWarningCodes } from "../store/schema.ts";
import { leaderboard } from "./leaderboard-schema.ts";
import { runMetrics } from "./metrics-schema.ts";
import { countedAttempts, runStatuses } from "./run-lifecycle.ts";
import type { DescribedRun, Run } from "./run-repository.ts";
import { columnName, validationSchema } from "./validation-schema.ts";

// What calls under /training-runs and /metrics take and give: checked, and described in /api/openapi.json.

export const mode = z
  .enum(["light", "heavy", "auto"])
  .describe(
    "light: linear or logistic model; heavy: gradient-boosted trees; auto: the best of both that a search finds, `leaderboard` tells which.",
  );
export const task = z.enum(["classification", "regression"]);

/** Far more than a class of one row among a billion needs, and no weight that a sum over rows would lose. */
const weight = z.number().min(1e-9).max(1e9);
const classWeight = z.union(
  [
    z.literal("balanced"),
    z.record(z.string(), weight).refine((weights) => Object.keys(weights).length > 0, "names no class"),
  ],
  { error: 'must be "balanced", or an object of classes and weights' },
);
const threshold = z.union(
  [z.literal("f1"), z.number().min(0).max(1), z.strictObject({ falsePositive: weight, falseNegative: weight })],
  { error: 'must be "f1", a number from 0 to 1, or {"falsePositive": cost, "falseNegative": cost}' },
);
export const parameters = z
  .strictObject({
    seed: z
      .number()
      .int()
      .min(0)
      .max(4_294_967_295)
      .optional()
      .describe("Of which rows are held out, and of what is drawn in training."),
    validation: validationSchema
      .optional()
      .describe(
        "On which rows the model is measured, which it has not learnt from. holdout: a share of the rows, of each class its own. folds: each row once in each repeat, by models that learnt from the others; the run's own model learns from all; 5 folds where none are said, and 4 repeats below 1,000 rows, fewer where that is dear, else 1. time: the latest rows by a column of dates or numbers. group: rows with the same value of the column stay together. Default: folds below 1,000 rows with a target, else holdout with the share 0.25.",
      ),
    rounds: z.number().int().min(1).max(5000).optional().describe("heavy: trees, or trees a class."),
    maxDepth: z.number().int().min(1).max(12).optional().describe("heavy: depth of a tree."),
    learningRate: z.number().min(0.0001).max(1).optional().describe("heavy: weight of a tree."),
    ridge: z
      .number()
      .min(0)
      .max(1e9)
      .optional()
      .describe(
        "light: half of it times each squared weight, on columns of deviation 1, is added to the loss, which is a sum over rows; the intercept's is not. scikit-learn's alpha of Ridge, 1 / C of LogisticRegression. Default 1.",
      ),
    classWeight: classWeight
      .optional()
      .describe(
        "light, classes: how much rows of a class count. An object of classes and weights, 1 for those it does not name; balanced: rows / (classes * rows of the class), as scikit-learn has it. Default: all rows count the same.",
      ),
    positiveClass: z
      .string()
      .min(1)
      .max(10_000)
      .optional()
      .describe(
        "two classes: the one that is looked for, of which `metrics.positive` tells. Default: the rarer one of the training rows, of equals the second.",
      ),
    threshold: threshold
      .optional()
      .describe(
        "two classes: the chance of the positive one from which on it is said; or how it is chosen, on rows that are learnt from, by models that were learnt without them: for the best F1, or the least cost. Default: the likelier class is said.",
      ),
    earlyStoppingRounds: z
      .number()
      .int()
      .min(1)
      .max(5000)
      .optional()
      .describe("heavy: rounds without a better validation loss after which to stop."),
    minChildWeight: z.number().min(0).max(1e6).optional().describe("heavy: least sum of second derivatives in a leaf."),
    lambda: z.number().min(0).max(1e6).optional().describe("heavy: penalty on squared leaf values."),
    alpha: z.number().min(0).max(1e9).optional().describe("heavy: penalty on absolute leaf values. Default 0."),
    gamma: z.number().min(0).max(1e18).optional().describe("heavy: least reduction of the loss by a split. Default 0."),
    subsample: z
      .number()
      .min(0.001)
      .max(1)
      .optional()
      .describe("heavy: share of the rows that each round learns from, drawn without replacement. Default 1."),
    colsampleByTree: z
      .number()
      .min(0.001)
      .max(1)
      .optional()
      .describe("heavy: share of the model's own features that each tree learns from, one at least. Default 1."),
    maxBins: z
      .number()
      .int()
      .min(2)
      .max(MAX_VALUE_BINS)
      .optional()
      .describe("heavy: bins that a feature's values are cut into at most. Default 255."),
    scalePosWeight: weight
      .optional()
      .describe("heavy, two classes: how much rows of the second class count. Default 1."),
    earlyStopping: z
      .enum(earlyStoppings)
      .optional()
      .describe(
        "heavy: which rows say when to stop. part: 15 % that are kept aside. folds: all of them, by five models that grow in step, each without a fifth; all are learnt from then. none: there are as many rounds as `rounds` says. Default: folds of 60 to 999 rows where that is cheap, else part.",
      ),
    refit: z
      .boolean()
      .optional()
      .describe(
        "Whether the model learns from all rows with a target in the end, also from those that it is measured on, or that said when to stop. The metrics are of a model that has not seen the rows that they are of, either way. Default true.",
      ),
    objective: z
      .enum(objectives)
      .optional()
      .describe("heavy, regression: what is minimised, by XGBoost's name. Default reg:squarederror."),
    quantileAlpha: z
      .number()
      .min(0.001)
      .max(0.999)
      .optional()
      .describe("heavy, objective reg:quantileerror: which quantile is predicted. Default 0.5."),
    monotoneConstraints: z
      .record(columnName, z.union([z.literal(-1), z.literal(0), z.literal(1)]))
      .optional()
      .describe(
        "heavy, numbers or two classes: by column (number, boolean or date) 1 where the answer may not fall as it grows, -1 where it may not grow.",
      ),
    maxTrials: z.int().min(2).max(200).optional().describe("auto: ways to learn that are tried. Default 20."),
    maxSeconds: z
      .number()
      .min(1)
      .max(86_400)
      .optional()
      .describe(
        "auto: after which no further way is tried, all searches of the run together. Default 300, and no more than half of TRAINING_TIMEOUT_SECONDS.",
      ),
    weight: columnName
      .optional()
      .describe(
        "Column of numbers from 0 on that says how much each row counts in training: as so many rows that are the same. It is no feature then.",
      ),
  })
  .describe("How to train; what is absent has a default.");

export const runRequest = z.strictObject({
  datasetId: z.uuid(),
  mode,
  target: columnName.optional().describe("Default: the dataset's."),
  task: task
    .optional()
    .describe("Default: the dataset's; for another target by its type: numbers regression, text classification."),
  features: z
    .array(columnName)
    .min(1)
    .max(10_000)
    .refine((names) => new Set(names).size === names.length, "names a column twice")
    .optional()
    .describe("Default: all columns but the target."),
  parameters: parameters.optional(),
});

const timestamp = z.iso.datetime();
/** A run as lists show it. */
export const runSchema = z
  .object({
    id: z.uuid(),
    datasetId: z.uuid(),
    mode,
    task,
    target: z.string(),
    features: z.array(z.string()).nullable(),
    parameters,
    status: z.enum(runStatuses),
    attempt: z
      .number()
      .int()
      .describe("0 while it waits for its first. One that a stop of the service or an outage ended does not count."),
    progress: z.number().min(0).max(1),
    endsEarly: z.boolean().describe("auto: it was cancelled when it had found something, and makes a model of that."),
    version: z.number().int().describe("Grows with every change; the id of its event."),
    queuePosition: z.number().int().nullable().describe("From 1; null unless it waits."),
    metrics: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe(
        "On held-out rows; null until there is a model. `curves`, `importances` and `intervals` are there only where one run is asked for.",
      ),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    artifactId: z.uuid().nullable(),
    artifactRemovedAt: timestamp.nullable(),
    createdAt: timestamp,
    startedAt: timestamp.nullable().describe("Of the last attempt."),
    finishedAt: timestamp.nullable(),
  })
  .meta({ id: "TrainingRun" });

const missing = z.int().describe("Cells without a value that a 32-bit float holds, in rows that have a target.");
const imputed = z
  .int()
  .describe("How many of the missing ones the column's mean stands for: all in light, none in heavy models.");
const equalsTarget = z
  .literal(true)
  .optional()
  .describe(
    "It says what the target does: the same number in all rows that were learnt from, or one value for each class and no other. Absent else.",
  );
const columnUse = z
  .union([
    z.object({
      name: z.string(),
      as: z.literal("number"),
      missing,
      imputed,
      equalsTarget,
      rounded: z
        .int()
        .describe("Whole numbers beyond 16,777,216 whose last digits are lost: models have 32-bit floats."),
    }),
    z.object({ name: z.string(), as: z.literal("boolean"), missing, imputed, equalsTarget }),
    z.object({
      name: z.string(),
      as: z.literal("date"),
      missing,
      imputed,
      equalsTarget,
      parts: z.array(z.enum(dateParts)).describe("A feature each: those that vary. `days` are those since the first."),
    }),
    z.object({
      name: z.string(),
      as: z.literal("categories"),
      missing,
      equalsTarget,
      categories: z.int().describe("How many, a feature each."),
      others: z
        .int()
        .optional()
        .describe("Rarer values of a column with more than can be categories: one feature for all. Absent where none."),
    }),
    z.object({ name: z.string(), as: z.literal("left_out"), reason: z.enum(leftOutReasons) }),
  ])
  .meta({ id: "ColumnUse" });

/** One run; its columns would make a page of a list megabytes. */
export const describedRunSchema = runSchema
  .extend({
    metrics: runMetrics.nullable().describe("On held-out rows; null until there is a model."),
    columns: z
      .array(columnUse)
      .nullable()
      .describe(
        "What training did with each column of the dataset, in its order; null until there is a model, and of a run from before this was kept. Only where one run is asked for.",
      ),
    warnings: z
      .array(
        z
          .object({
            code: z.enum(runWarningCodes).describe("Stable: branch on this."),
            column: z.string(),
            message: z.string(),
          })
          .meta({ id: "TrainingWarning" }),
      )
      .nullable()
      .describe(
        "A target whose metrics mislead, columns asked for in `features` that could not be used, numbers that were rounded, and columns that say what the target does; 50 at most, null where `columns` is.",
      ),
    warningCount: z.int().nullable().describe("All of them."),
    leaderboard: leaderboard
      .nullable()
      .describe(
        "Of the mode auto: what has been tried so far, and in the end all of it. Null until one was, and else.",
      ),
  })
  .meta({ id: "TrainingRunWithColumns" });

const qualityNames = ["accuracy", "balancedAccuracy", "f1", "r2", "rmse", "mae", "relativeError"] as const;
const quality = z.record(z.enum(qualityNames), z.number().nullable());
export const trendPoint = z
  .object({
    day: z.iso.date(),
    task,
    runs: z.number().int(),
    ...Object.fromEntries(qualityNames.map((name) => [name, z.number().nullable()])),
  })
  .meta({ id: "TrendPoint" });
export const taskSummary = z
  .object({
    task,
    runs: z.object({
      succeeded: z.number().int(),
      failed: z.number().int(),
      cancelled: z.number().int(),
      unfinished: z.number().int(),
    }),
    averageDurationSeconds: z.number().nullable(),
    average: quality,
    best: quality,
    bestRunId: z.uuid().nullable().describe("The run that beats its naive baseline by most."),
  })
  .meta({ id: "TaskSummary" });

/** A row as its owner sees it in a list. */
export function toRun(run: Run, queuePosition: number | null) {
  return {
    id: run.id,
    datasetId: run.dataset_id,
    mode: run.mode,
    task: run.task,
    target: run.target,
    features: run.features,
    parameters: run.parameters,
    status: run.status,
    attempt: countedAttempts(run),
    progress: run.progress,
    endsEarly: run.ends_early,
    version: run.version,
    queuePosition,
    metrics: run.metrics,
    error: run.error_code === null ? null : { code: run.error_code, message: run.error_message ?? "" },
    artifactId: run.artifact_id,
    artifactRemovedAt: run.artifact_removed_at?.toISOString() ?? null,
    createdAt: run.created_at.toISOString(),
    startedAt: run.started_at?.toISOString() ?? null,
    finishedAt: run.finished_at?.toISOString() ?? null,
  };
}

/** A row as its owner sees it alone, as JSON. */
export function describedRunJson(run: DescribedRun, queuePosition: number | null): string {
  const { column_uses: columns, column_warnings: warnings, metric_details: details } = run;
  const told = {
    warnings: warnings?.first ?? null,
    warningCount: warnings?.count ?? null,
    leaderboard: run.leaderboard,
  };
  const shown = toRun(run, queuePosition);
  const metrics = details === null ? shown.metrics : { ...shown.metrics, ...details };
  return jsonWith({ ...shown, metrics, ...told }, "columns", columns);
}
