import { z } from "zod";
import { MAX_VALUE_BINS } from "../models/feature-bins.ts";
import { earlyStoppings, objectives } from "../models/heavy-parameters.ts";
import { columnName, validationSchema } from "./validation-schema.ts";

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
/** `parameters` of a run, as it is sent and told (docs/models.md). */
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
        "On which rows the model is measured, which it has not learnt from. holdout: a share of the rows, of each class its own. folds: each row once in each repeat, by models that learnt from the others; the run's own model learns from all; 5 folds where none are said, and 4 repeats below 1,000 rows, fewer where that is dear, else 1. time: the latest rows by a column of dates, times or numbers. group: rows with the same value of the column stay together. Default: folds below 1,000 rows with a target where that takes some seconds at most (auto: only of small tables), else holdout with the share 0.25.",
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
        "light: half of it times each squared weight, on numbers of deviation 1 and on categories of 0 and 1, is added to the loss, which is a sum over rows; the intercept's is not. scikit-learn's alpha of Ridge, 1 / C of LogisticRegression. Default 1.",
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
        "heavy: which rows say when to stop. part: 15 % that are kept aside. folds: all of them, by five models that grow in step, each without a fifth; all are learnt from then. none: there are as many rounds as `rounds` says. Default: folds of 60 to 999 rows where that takes some seconds at most, else part.",
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
