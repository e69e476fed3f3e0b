import { z } from "zod";

// What a run says of its model's quality (docs/models.md), described in /api/openapi.json. All of it may be absent: it depends on
// the task, on what the held-out rows can tell, and on which version measured.

const numbers = z.array(z.number());
const positive = z
  .object({
    class: z.string(),
    threshold: z.number().optional().describe("The chance from which on a row is said to be of it."),
    support: z.int().describe("Held-out rows of it."),
    found: z.int().describe("Those of them that were said to be."),
    predicted: z.int().describe("All that were said to be."),
    precision: z.number(),
    recall: z.number().optional(),
    f1: z.number().optional(),
  })
  .describe("Two classes: how well the one that is looked for is found.");

const quality = {
  accuracy: z.number().optional(),
  balancedAccuracy: z.number().optional().describe("The mean recall of the classes."),
  precision: z.number().optional().describe("As recall and f1 a macro average: every class counts the same."),
  recall: z.number().optional(),
  f1: z.number().optional(),
  logLoss: z.number().optional(),
  auc: z.number().optional(),
  averagePrecision: z.number().optional(),
  brier: z.number().optional(),
  positive: positive.optional(),
  r2: z.number().optional(),
  mse: z.number().optional(),
  rmse: z.number().optional(),
  mae: z.number().optional(),
  medianAbsoluteError: z.number().optional(),
  mape: z.number().optional(),
};

const curves = z
  .object({
    roc: z
      .object({ fpr: numbers, tpr: numbers, thresholds: z.array(z.number().nullable()) })
      .optional()
      .describe("The first threshold, which no chance reaches, is null."),
    precisionRecall: z
      .object({ precision: numbers, recall: numbers, thresholds: numbers })
      .optional()
      .describe("The last point has no threshold."),
    calibration: z.object({ probTrue: numbers, probPred: numbers, counts: z.array(z.int()) }),
  })
  .describe("Of the positive class, up to 100 points each.");

const quantiles = z.object({ p5: z.number(), p25: z.number(), p50: z.number(), p75: z.number(), p95: z.number() });
const interval = z.array(z.number()).length(2);

export const validation = z
  .object({
    kind: z.enum(["holdout", "folds", "time", "group"]),
    share: z.number().optional().describe("Of the rows that were held out, as asked for."),
    folds: z.int().optional(),
    repeats: z.int().optional(),
    column: z.string().optional(),
    groups: z.int().optional().describe("Different values of the column; rows without one are each a group."),
    from: z.union([z.string(), z.number()]).optional().describe("The first moment that was held out."),
    withoutMoment: z.int().optional().describe("Rows with a target and without a moment, which are in neither part."),
    seed: z.int().optional().describe("Of what was drawn."),
  })
  .describe("On which rows it was measured.");

const importances = z
  .object({
    rows: z.int().describe("Held-out rows that were looked at, 1,000 at most."),
    loss: z.enum(["logLoss", "rmse", "mae", "quantileLoss"]).describe("What `permutation` is a growth of."),
    columns: z.array(
      z.object({
        column: z.string(),
        gain: z.number().describe("Its share in `featureImportances`."),
        permutation: z.number().describe("How much the loss grows when its values are shuffled."),
        meanAbsShap: z.number().describe("The mean size of what it adds to the margin of a row, over all classes."),
      }),
    ),
  })
  .describe("How much each column counts on held-out rows.");

/** Metrics of one run. */
export const runMetrics = z
  .looseObject({
    ...quality,
    baseline: z.looseObject(quality).optional().describe("The same of the naive guess."),
    relativeError: z.number().optional().describe("Log loss or RMSE, divided by the baseline's."),
    curves: curves.optional(),
    importances: importances.optional(),
    intervals: z
      .record(z.string(), z.union([interval, z.record(z.string(), interval)]))
      .optional()
      .describe("By metric from and to, with 95 % confidence; those of the positive class in `positive`."),
    validation: validation.optional(),
    residuals: quantiles.optional().describe("Of what is less what was said."),
  })
  .meta({ id: "RunMetrics" });
