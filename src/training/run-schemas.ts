import { z } from "zod";
import { jsonWith } from "../http/json-with.ts";
import { leftOutReasons } from "../models/column-use.ts";
import { dateParts } from "../models/date-parts.ts";
import { runWarningCodes } from "../store/schema.ts";
import { leaderboard } from "./leaderboard-schema.ts";
import { runMetrics } from "./metrics-schema.ts";
import { parameters } from "./parameters-schema.ts";
import { countedAttempts, runStatuses } from "./run-lifecycle.ts";
import type { DescribedRun, Run } from "./run-repository.ts";
import { columnName } from "./validation-schema.ts";

// What calls under /training-runs and /metrics take and give: checked, and described in /api/openapi.json.

export const mode = z
  .enum(["light", "heavy", "auto"])
  .describe(
    "light: linear or logistic model; heavy: gradient-boosted trees; auto: the best of both that a search finds, `leaderboard` tells which.",
  );
export const task = z.enum(["classification", "regression"]);

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
    z.object({
      name: z.string(),
      as: z.enum(["boolean", "time"]).describe("One feature: 1 and 0, or the time as a share of a day."),
      missing,
      imputed,
      equalsTarget,
    }),
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
