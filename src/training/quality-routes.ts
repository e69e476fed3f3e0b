import { z } from "zod";
import type { Clock } from "../clock.ts";
import { type ApiRoute, defineRoute, queryInteger } from "../http/route.ts";
import type { Store } from "../store/database.ts";
import { listTrends, summarizeRuns } from "./run-quality.ts";
import { mode, task, taskSummary, trendPoint } from "./run-schemas.ts";

const dayMs = 86_400_000;

/** The calls /metrics/trends and /metrics/summary. */
export function qualityRoutes({
  store,
  clock,
}: {
  readonly store: Pick<Store, "db">;
  readonly clock: Clock;
}): ApiRoute[] {
  const { db } = store;
  return [
    defineRoute({
      method: "get",
      path: "/metrics/trends",
      operationId: "listQualityTrends",
      tag: "Model quality",
      summary: "Model quality over time: averages of succeeded runs by day and task",
      query: z.object({
        days: queryInteger(1, 366).default(30).describe("How many days back, from now."),
        datasetId: z.uuid().optional(),
        task: task.optional(),
        mode: mode.optional(),
      }),
      responses: {
        200: {
          description: "Days with a succeeded run, oldest first; UTC.",
          schema: z.object({ items: z.array(trendPoint) }),
        },
      },
      errors: ["VALIDATION_FAILED"],
      async handle({ owner, query: { days, ...filter }, response }) {
        response.json({
          items: await listTrends(db, { ...filter, owner, since: new Date(clock.nowMs() - days * dayMs) }),
        });
      },
    }),
    defineRoute({
      method: "get",
      path: "/metrics/summary",
      operationId: "summarizeQuality",
      tag: "Model quality",
      summary: "Model quality by task: counts of runs, averages and bests",
      responses: {
        200: {
          description: "One entry for each task that has runs.",
          schema: z.object({ items: z.array(taskSummary) }),
        },
      },
      errors: [],
      async handle({ owner, response }) {
        response.json({ items: await summarizeRuns(db, owner) });
      },
    }),
  ];
}
