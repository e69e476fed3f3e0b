import { z } from "zod";
import { stopReasons } from "../models/leaderboard.ts";
import { validation } from "./metrics-schema.ts";

const trial = z
  .object({
    mode: z.enum(["light", "heavy"]),
    parameters: z
      .record(z.string(), z.unknown())
      .describe("By which it differs from the mode's defaults; `rounds` as many as it was given at last."),
    score: z
      .number()
      .nullable()
      .describe("Mean of the metric over the inner folds; null where it could not be learnt."),
    deviation: z.number().nullable().describe("Standard deviation over the inner folds; null of a single one."),
    share: z
      .number()
      .describe("Of its rounds, that it was given: below 1 others were better by then. 1 of a light one."),
    seconds: z.number(),
    isBest: z.boolean(),
    error: z.string().optional().describe("Why it could not be learnt: a code as a run's `error` has it."),
  })
  .meta({ id: "Trial" });

/** What a run of the mode auto has tried (docs/models.md). */
export const leaderboard = z
  .object({
    metric: z.enum(["logLoss", "rmse"]).describe("What scores are: the smaller, the better."),
    validation: validation.describe("On which rows trials are compared; none of those that `metrics` are of."),
    trialsDone: z.int(),
    trialsOf: z.int(),
    stoppedBy: z
      .enum(stopReasons)
      .nullable()
      .describe("trials: all were tried. seconds, cancel: the rest was not. Null while it goes on."),
    foldsSearched: z
      .int()
      .optional()
      .describe("By folds: how many were measured by a model of a search of their own, which did not see the fold."),
    trials: z.array(trial).describe("The best first, and it is the run's model."),
  })
  .meta({ id: "Leaderboard" });
