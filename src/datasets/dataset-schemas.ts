import { z } from "zod";
import { datasetWarningReasons } from "../../otel/api/catalogue/datasets.ts";
import { delimiters } from "../tables/dialect.ts";
import { maxNameLength } from "./receive-upload.ts";

const columnProfile = z.object({
  name: z.string(),
  type: z.enum(["number", "text"]),
  nullRatio: z.number(),
  distinct: z.int(),
  min: z.union([z.number(), z.string()]).nullable(),
  max: z.union([z.number(), z.string()]).nullable(),
  mean: z.number().nullable(),
  topValues: z.array(z.object({ value: z.string(), count: z.int() })),
  note: z.string().optional().describe("What is not exact, where a column is too large for that."),
});

/** How a file was read. */
export const understoodSchema = z
  .object({
    format: z.literal("csv"),
    encoding: z.literal("utf-8"),
    delimiter: z.enum(delimiters).describe("Between cells."),
    decimal: z.enum([".", ","]).describe("Between a number's whole and its fraction."),
    skippedLines: z.int().describe("Lines before the header that are none of the table, as `sep=;` is."),
    leftOutColumns: z
      .array(z.int())
      .describe("Columns without a name that are left out, from 1: the first, as an index is, and empty ones."),
    missing: z.array(z.string()).describe("Cells that are missing values, in every column."),
    missingNumbers: z.array(z.string()).describe("Further ones in columns of numbers."),
  })
  .meta({ id: "Understood" });

/** What a column of a file was taken for. */
export const understoodColumn = z.object({
  name: z.string().describe("Empty where it has none."),
  type: z.enum(["number", "text"]).nullable().describe("null of one that is left out."),
  role: z.enum(["feature", "target", "left out"]),
  examples: z
    .array(z.string())
    .optional()
    .describe(
      "Up to three values of the first rows, as they are written; only in the answer to an upload of at most 200 columns.",
    ),
});

/** The same with the file's columns. */
export const understoodWithColumns = understoodSchema
  .extend({ columns: z.array(understoodColumn).describe("In the order of the file, with those that are left out.") })
  .meta({ id: "UnderstoodWithColumns" });

const datasetWarning = z
  .object({
    code: z.enum(datasetWarningReasons).describe("Stable: branch on this."),
    column: z.string().optional().describe("Its name, cut at 80 characters; empty where it has none."),
    place: z.int().optional().describe("Of the column in the file, from 1."),
    line: z.int().optional(),
    cell: z.string().optional().describe("Cut at 80 characters."),
    message: z.string(),
  })
  .meta({ id: "DatasetWarning" });

/** A dataset as lists show it. */
export const datasetSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    target: z.string(),
    task: z.enum(["classification", "regression"]),
    rows: z.int(),
    columns: z.int(),
    sizeBytes: z.int().describe("Of the expanded CSV, as is sha256."),
    sha256: z.string(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable().describe("null: kept until it is deleted."),
    understood: understoodSchema.describe("How the file was read."),
  })
  .meta({ id: "Dataset" });

/** One that was just sent. */
export const uploadedDataset = datasetSchema
  .extend({
    understood: understoodWithColumns.describe("How the file was read."),
    warnings: z
      .array(datasetWarning)
      .nullable()
      .describe(
        "What you may not have meant, the gravest first, 50 at most; null of a dataset from before there were any.",
      ),
    warningCount: z.int().nullable().describe("All of them."),
  })
  .meta({ id: "UploadedDataset" });

/** One with what is known of its columns. */
export const datasetWithProfile = uploadedDataset
  .extend({
    profile: z.array(columnProfile).nullable().describe("Made in the background; null until then."),
    profileFault: z
      .object({ code: z.string(), message: z.string() })
      .nullable()
      .describe("Why there is no profile and will be none; null while it may come."),
  })
  .meta({ id: "DatasetWithProfile" });

/** What one TTL cycle did. */
export const cycleSchema = z
  .object({
    cutoff: z.iso.datetime().nullable(),
    limit: z.int(),
    deleted: z.int(),
    filesRemoved: z.int(),
    filesMissing: z.int(),
    errors: z.int(),
  })
  .meta({ id: "TtlCycle" });

/** The form of an upload. */
export const uploadForm = z.strictObject({
  file: z.string().meta({
    format: "binary",
    description:
      "A table as text with a header row, UTF-8, expanded where its name ends in .gz. Commas, semicolons, tabs or bars stand between cells.",
  }),
  name: z.string().min(1).max(maxNameLength).optional().describe("Default: the file's name."),
  target: z.string().optional().describe("The column to predict. Default: target, label or y, else the last."),
});

/** What the answer to an upload says in its headers. */
export const keptHeaders = z.object({
  Location: z.string().describe("Of the dataset, relative to this address."),
  ETag: z
    .string()
    .regex(/^"[0-9a-f]{64}"$/)
    .describe("Its sha256."),
});
