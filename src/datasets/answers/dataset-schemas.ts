import { z } from "zod";
import { datasetWarningReasons } from "../../../otel/api/catalogue/datasets.ts";
import { columnTypes } from "../../tables/column-type.ts";
import { delimiters } from "../../tables/dialect.ts";
import { tableFormats } from "../../tables/table-source.ts";
import { maxNameLength } from "../checks/upload-fields.ts";

const quantile = z.union([z.number(), z.string()]).nullable();

const columnProfile = z
  .object({
    name: z.string(),
    type: z.enum(columnTypes),
    nullRatio: z.number().describe("Share of the rows without a value."),
    missing: z.int().optional().describe("Rows without a value."),
    distinct: z.int().describe("Values by their spelling: `1` and `1.0` are two."),
    min: z
      .union([z.number(), z.string()])
      .nullable()
      .describe("null where it is infinite; text is cut at 100 characters."),
    max: z.union([z.number(), z.string()]).nullable(),
    mean: z.number().nullable().describe("Of numbers; null where one of them, or their sum, is not finite."),
    std: z
      .number()
      .nullable()
      .optional()
      .describe(
        "Standard deviation of the sample (n - 1); null of a single number, where one is not finite, and from 1e150 on.",
      ),
    quantiles: z
      .object({ p5: quantile, p25: quantile, p50: quantile, p75: quantile, p95: quantile })
      .optional()
      .describe(
        "Of the finite numbers, or of dates and times by ISO 8601, with linear interpolation; null where there are none.",
      ),
    zeros: z.int().optional(),
    negatives: z.int().optional(),
    notFinite: z
      .int()
      .optional()
      .describe(
        "Infinite numbers (`inf`, `1e999`) and such that are none (`NAN`): neither quantiles nor histogram have them.",
      ),
    histogram: z
      .object({
        binEdges: z
          .union([z.array(z.number()), z.array(z.string())])
          .describe(
            "One more than bins: the first is the least finite number, date or time, the last the greatest; of dates and times the milliseconds that are over.",
          ),
        counts: z
          .array(z.int())
          .describe("Values of each bin, which has its lower edge, and not its upper one but for the last."),
      })
      .optional()
      .describe(
        "Of the finite numbers, or of dates and times to the millisecond, in bins of equal width (to a thousandth): as many as there are distinct values, at most 20, and 10 where the table has more than 200 columns.",
      ),
    minLength: z.int().nullable().optional().describe("Of text: characters (code points) of the shortest value."),
    maxLength: z.int().nullable().optional(),
    topValues: z
      .array(z.object({ value: z.string(), count: z.int() }))
      .describe(
        "The most frequent ones: at most 10, and 5 where the table has more than 200 columns. Cut at 100 characters.",
      ),
    note: z.string().optional().describe("What is not exact, or left out, where a column is too large for that."),
  })
  .describe(
    "`std`, `zeros`, `negatives` and `notFinite` are of numbers, `quantiles` and `histogram` of dates and times, too, `minLength` and `maxLength` of text. These and `missing` are absent of profiles from before there were any.",
  );

/** How a file was read. */
export const understoodSchema = z
  .object({
    format: z.enum(tableFormats),
    encoding: z.string().describe("By its name in the Encoding Standard."),
    sheet: z.string().nullable().describe("Of an Excel workbook, the one that is read; null of other formats."),
    otherSheets: z.array(z.string()).describe("Sheets of the workbook that are not read, twenty at most."),
    decoded: z
      .object({ line: z.int(), text: z.string() })
      .nullable()
      .describe(
        "The first line with a letter that depends on an encoding that was guessed or named; null of UTF-8 and UTF-16.",
      ),
    linesMended: z
      .boolean()
      .describe("Whether line ends of several kinds, lines of blanks or a Ctrl-Z at the end were taken for line ends."),
    delimiter: z.enum(delimiters).nullable().describe("Between cells of a CSV; null of other formats."),
    decimal: z.enum([".", ","]).describe("Between a number's whole and its fraction."),
    header: z.boolean().describe("Whether its first line names the columns: else they are column_1, column_2, …."),
    skippedLines: z
      .int()
      .describe("Lines before the header that are none of the table: `sep=;`, titles, comments, blank ones."),
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
    dateForms: z
      .array(
        z.object({
          column: z.int().describe("From 1, without those that are left out."),
          form: z
            .string()
            .describe("The last of January 2024, or half past two in the afternoon, as the column writes it."),
        }),
      )
      .describe("How columns of dates and times are written: 50 at most."),
  })
  .meta({ id: "Understood" });

/** What a column of a file was taken for. */
export const understoodColumn = z.object({
  name: z.string().describe("Empty where it has none."),
  type: z.enum(columnTypes).nullable().describe("null of one without a name, which is left out."),
  role: z
    .enum(["feature", "target", "left out"])
    .describe("left out: it has no name, or `leftOut` names it, and trainings don't learn from it."),
  missing: z
    .int()
    .optional()
    .describe(
      "Rows without a value of the type. Absent of a column without a name, and of datasets that were sent before it was counted.",
    ),
  examples: z
    .array(z.string())
    .optional()
    .describe(
      "Up to three values of the first rows, as they are written. Absent as `missing` is, and of tables of more than 200 columns.",
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
    sizeBytes: z.int().describe("Of the expanded file, as is sha256."),
    sha256: z.string(),
    createdAt: z.iso.datetime().describe("When its file was sent; of a version, too."),
    expiresAt: z.iso.datetime().nullable().describe("null: kept until it is deleted."),
    version: z.int().describe("From 1. Versions have one name and one content, and are understood otherwise."),
    versionOf: z.uuid().nullable().describe("The dataset that was corrected by making this one; it may be gone."),
    understood: understoodSchema.describe("How the file was read."),
  })
  .meta({ id: "Dataset" });

/** What was said of a table; what is absent was found out. */
const saidSchema = z
  .object({
    target: z.string().optional(),
    encoding: z.string().optional(),
    sheet: z.string().optional(),
    delimiter: z.enum(delimiters).optional(),
    decimal: z.enum([".", ","]).optional(),
    header: z.boolean().optional(),
    missing: z.array(z.string()).optional(),
    types: z.record(z.string(), z.string()).optional(),
    dayFirst: z.boolean().optional(),
    leftOut: z.array(z.string()).optional(),
  })
  .meta({ id: "SaidOfTable" });

/** What a dataset is to be understood as; a JSON merge patch of what was said of it. */
export const correctionSchema = z
  .strictObject({
    target: z.string().min(1).nullable().optional().describe("The column to predict; null: as an upload finds it."),
    types: z
      .unknown()
      .optional()
      .meta({
        type: ["object", "null"],
        additionalProperties: { type: ["string", "null"] },
        description:
          "Column and type, as in the form of an upload; a type of null takes back what was said of the column, null all of it. Columns that are not named stay as they are.",
        example: { zip: "text", age: null },
      }),
    dayFirst: z
      .boolean()
      .nullable()
      .optional()
      .describe("Whether 03/04/2024 is the third of April; null: as each column's values tell."),
    leftOut: z
      .array(z.string())
      .nullable()
      .optional()
      .describe("All columns that trainings shall not learn from; null or an empty list: none."),
  })
  .describe("What is absent stays as it was said (RFC 7396).");

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
    said: saidSchema
      .nullable()
      .describe("What was said of it, at the upload and since; null of a dataset from before it was kept."),
  })
  .meta({ id: "UploadedDataset" });

/** What an upload would be, of which nothing is kept. */
export const inspectedTable = uploadedDataset
  .omit({ id: true, name: true, createdAt: true, expiresAt: true, version: true, versionOf: true, said: true })
  .meta({ id: "InspectedTable" });

/** One with what is known of its columns. */
export const datasetWithProfile = uploadedDataset
  .extend({
    typedBytes: z
      .int()
      .nullable()
      .describe(
        "Of the typed copy that trainings and rows are read from, made in the background; it counts as kept. null: there is none, and the file is read.",
      ),
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
      "A table: CSV with a header row, a sheet of an Excel workbook, JSON objects one after the other or in a list, or Parquet; expanded where it is compressed by gzip or zstd.",
  }),
  name: z.string().min(1).max(maxNameLength).optional().describe("Default: the file's name."),
  target: z.string().optional().describe("The column to predict. Default: target, label or y, else the last."),
  encoding: z.string().optional().describe("Of a CSV, as windows-1251. Default: found by its bytes."),
  sheet: z.string().optional().describe("Of an Excel workbook. Default: the first that is not hidden."),
  delimiter: z
    .enum(["", ...delimiters, "\\t"])
    .optional()
    .describe("Between cells of a CSV. Default: found by its first rows."),
  decimal: z
    .enum(["", ".", ","])
    .optional()
    .describe("Between a number's whole and its fraction. Default: found by the first rows."),
  header: z
    .enum(["", "true", "false"])
    .optional()
    .describe("Whether the first line of a CSV or a sheet names the columns. Default: found by the first rows."),
  missing: z
    .string()
    .optional()
    .describe(
      'A word for a missing value, or a JSON list of them, as ["-999", "none given"]; beside those of docs/tables.md.',
    ),
  types: z
    .string()
    .optional()
    .describe(
      'A JSON object of column and type (number, text, date, time, boolean), as {"zip": "text", "age": "number"}; in a column of numbers, dates or times other text is missing. Default: found by the values.',
    ),
  dayFirst: z
    .enum(["", "true", "false"])
    .optional()
    .describe(
      "Whether 03/04/2024 is the third of April. Default: found by each column's values; asked for where none tells.",
    ),
  leftOut: z
    .string()
    .optional()
    .describe('A JSON list of columns that trainings shall not learn from, as ["id"]. Default: none.'),
});

/** What the answer to an upload or a correction says in its headers. */
export const keptHeaders = z.object({
  Location: z.string().describe("Of the dataset, relative to this address."),
  ETag: z.string().describe("Of the dataset as it is now."),
});
