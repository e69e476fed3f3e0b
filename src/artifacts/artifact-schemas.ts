import { z } from "zod";
import { jsonWith } from "../http/json-with.ts";
import { leftOutReasons } from "../models/column-use.ts";
import { MAX_CATEGORIES } from "../models/text-feature.ts";
import type { Artifact, DescribedArtifact } from "./artifact-repository.ts";
import { maxPredictionRows } from "./read-prediction-rows.ts";

// What calls under /artifacts take and give, described in /api/openapi.json.

const task = z.enum(["classification", "regression"]);

/** A model as lists show it. */
export const artifactSchema = z
  .object({
    id: z.uuid(),
    runId: z.uuid(),
    datasetId: z.uuid(),
    mode: z.enum(["light", "heavy"]),
    task,
    target: z.string(),
    metrics: z.record(z.string(), z.unknown()),
    sizeBytes: z.int(),
    sha256: z.string(),
    pinned: z.boolean(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Artifact" });

const inputFeature = z
  .union([
    z.object({
      name: z.string(),
      type: z.literal("number").describe("null where it is missing."),
      numbersUpTo: z
        .number()
        .nullable()
        .describe("Larger numbers, and those below its negative, may be refused; null where none are."),
    }),
    z.object({ name: z.string(), type: z.literal("boolean").describe("null where it is missing.") }),
    z.object({
      name: z.string(),
      type: z
        .enum(["date", "time"])
        .describe(
          "By ISO 8601 or as the table wrote it; null where it is missing. A time is one without a date, of a day or of a length.",
        ),
      from: z.string().describe("The first that was learnt from."),
      to: z.string().describe("The last."),
    }),
    z.object({
      name: z.string(),
      type: z.literal("category").describe("Text; null where it is missing."),
      categories: z
        .array(z.string())
        .describe(
          `Those that the model learnt from one by one, ${MAX_CATEGORIES} at most. A value that it never saw is as good as none, or one of the \`others\` where there are some, and told as \`unknown\`.`,
        ),
      more: z.int().describe("How many there are beside `categories`."),
      others: z
        .int()
        .optional()
        .describe(
          "How many rarer values the rows had that were learnt from: they count as one category. Absent where none.",
        ),
    }),
  ])
  .meta({ id: "InputFeature" });

const inputSchema = z
  .object({
    features: z.array(inputFeature).describe("The columns that a row must have, in the order of the model."),
    cut: z
      .boolean()
      .describe(
        "Whether some feature has `more` categories than are shown: those of more than 200 characters are not, and where all together have more than 128 KiB of JSON the most frequent of each.",
      ),
    example: z
      .record(z.string(), z.union([z.number(), z.string(), z.boolean()]).nullable())
      .describe(
        "A row that can be sent as it is: means of the rows that were learnt from and most frequent categories, no row of the table.",
      ),
    notNeeded: z
      .array(z.object({ name: z.string(), reason: z.enum(leftOutReasons) }))
      .describe("Columns of the table that a row need not have. What it has of them is passed over."),
  })
  .meta({ id: "ModelInput" });

/** One model. */
export const describedArtifactSchema = artifactSchema
  .extend({
    input: inputSchema
      .nullable()
      .describe("What a row of a prediction has; null of a model from before this was kept: see its file."),
  })
  .meta({ id: "ArtifactWithInput" });

/** For the document; `readPredictionRows` checks by hand. */
export const rowsBody = z
  .object({ rows: z.array(z.record(z.string(), z.unknown())).min(1).max(maxPredictionRows) })
  .strict();

const outputExplanation = z
  .object({
    output: z.string().describe("The target, or a class."),
    bias: z.number().describe("What is said on average of the rows that were learnt from."),
    contributions: z
      .record(z.string(), z.number())
      .describe("What each column adds: SHAP values, those of a column's features summed up."),
    margin: z
      .number()
      .describe(
        "The sum of both: the target's value (of the objective count:poisson its logarithm), the log odds of the second of two classes, or the score of a class, of which softmax makes chances.",
      ),
  })
  .meta({ id: "OutputExplanation" });

/** The answer to a prediction. */
export const predictionSchema = z
  .object({
    artifactId: z.uuid(),
    task,
    encoding: z
      .string()
      .optional()
      .describe("Of the body, where it is not UTF-8: as Content-Type says, or of a CSV by its letters."),
    decision: z
      .object({ positiveClass: z.string(), threshold: z.number() })
      .optional()
      .describe("Of a model with a threshold: the class is said where its chance reaches it, else the other one."),
    predictions: z.array(
      z.object({
        prediction: z.union([z.number(), z.string()]),
        probabilities: z.record(z.string(), z.number()).optional(),
        unknown: z
          .array(z.string())
          .optional()
          .describe(
            "Columns with a value that the model never saw, which is as good as none, or as one of its rarer values where it has `others`; twenty at most.",
          ),
        explanation: z
          .array(outputExplanation)
          .optional()
          .describe("With `explain=true`: one for the target, for the second of two classes, or for each of more."),
      }),
    ),
  })
  .meta({ id: "Predictions" });

/** A row as lists show it. */
export function toArtifact(row: Artifact): z.input<typeof artifactSchema> {
  return {
    id: row.id,
    runId: row.run_id,
    datasetId: row.dataset_id,
    mode: row.mode,
    task: row.task,
    target: row.target,
    metrics: row.metrics,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    pinned: row.pinned,
    createdAt: row.created_at.toISOString(),
  };
}

/** A row as it is shown alone, as JSON. */
export function describedArtifactJson(row: DescribedArtifact): string {
  return jsonWith(toArtifact(row), "input", row.input);
}
