import { z } from "zod";
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

const understood = z
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
    numberForms: z
      .array(z.object({ column: z.int().describe("From 1, without those that are left out."), form: z.string() }))
      .describe(
        "Columns whose numbers are written with thousands, a currency, % or a decimal sign of their own, and how: 50 at most.",
      ),
  })
  .meta({ id: "Understood" });

/** A dataset as callers see it. */
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
    understood: understood.describe("How the file was read."),
  })
  .meta({ id: "Dataset" });

/** One with what is known of its columns. */
export const datasetWithProfile = datasetSchema
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
