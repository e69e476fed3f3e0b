import { z } from "zod";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import type { Store } from "../store/database.ts";
import { compareRuns } from "./compare-runs.ts";
import { parameters } from "./parameters-schema.ts";
import { mode, task } from "./run-schemas.ts";

const uuid = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
const idsOf = (list: string): string[] => list.toLowerCase().split(",");
const idList = z
  .string()
  .regex(new RegExp(`^${uuid}(?:,${uuid}){1,9}$`), "must be 2 to 10 ids of runs, with commas between them")
  .refine((ids) => new Set(idsOf(ids)).size === idsOf(ids).length, "names a run twice")
  .describe("2 to 10 different ids of runs, with commas between them: the others are compared with the first.");

const difference = z.object({
  difference: z.number().describe("What the run has less what the first has."),
  interval: z
    .array(z.number())
    .length(2)
    .nullable()
    .describe(
      "From and to, with 95 % confidence: where 0 lies in it, it may be chance. Null where rows can't tell it.",
    ),
});

const comparison = z
  .object({
    datasetId: z.uuid(),
    task,
    target: z.string(),
    by: z
      .enum(["rows", "folds"])
      .describe("rows: intervals are of the same rows, drawn again and again. folds: of the differences of each fold."),
    rows: z.int().describe("That were measured on; by folds in all repeats together."),
    runs: z.array(
      z.object({
        id: z.uuid(),
        mode,
        features: z.array(z.string()).nullable(),
        parameters,
        artifactId: z.uuid().nullable(),
        metrics: z.record(z.string(), z.number()).describe("Those of the run's that are a number."),
        differences: z.record(z.string(), difference).nullable().describe("By metric; null of the first."),
      }),
    ),
  })
  .meta({ id: "RunComparison" });

/** The call /training-runs/compare. */
export function compareRoute({ store: { db } }: { readonly store: Pick<Store, "db"> }): ApiRoute {
  return defineRoute({
    method: "get",
    path: "/training-runs/compare",
    operationId: "compareTrainingRuns",
    tag: "Training",
    summary: "Compare models of runs that were measured on the same rows",
    query: z.object({ ids: idList }),
    responses: { 200: { description: "The runs, in the order of `ids`.", schema: comparison } },
    errors: ["RUN_NOT_FOUND", "RUNS_NOT_COMPARABLE", "VALIDATION_FAILED"],
    async handle({ owner, query, response }) {
      const ids = idsOf(query.ids);
      const { by, rows, runs } = await compareRuns(db, owner, ids);
      const { dataset_id: datasetId, task: ofTask, target } = runs[0]!.run;
      response.json({
        datasetId,
        task: ofTask,
        target,
        by,
        rows,
        runs: runs.map(({ run, metrics, differences }) => ({
          id: run.id,
          mode: run.mode,
          features: run.features,
          parameters: run.parameters,
          artifactId: run.artifact_id,
          metrics,
          differences,
        })),
      });
    },
  });
}
