import { type Kysely, sql } from "kysely";
import type { RunMode } from "../models/model.ts";
import type { Tables } from "../store/schema.ts";

export interface QualityFilter {
  readonly owner: string;
  readonly since: Date;
  readonly datasetId?: string | undefined;
  readonly task?: "classification" | "regression" | undefined;
  readonly mode?: RunMode | undefined;
}

export interface TrendPoint {
  readonly day: string;
  readonly task: "classification" | "regression";
  readonly runs: number;
  readonly accuracy: number | null;
  readonly balancedAccuracy: number | null;
  readonly f1: number | null;
  readonly r2: number | null;
  readonly rmse: number | null;
  readonly mae: number | null;
  readonly relativeError: number | null;
}

const average = (name: string) => sql<number | null>`avg((metrics ->> ${sql.lit(name)})::float8)`;
const highest = (name: string) => sql<number | null>`max((metrics ->> ${sql.lit(name)})::float8)`;
const lowest = (name: string) => sql<number | null>`min((metrics ->> ${sql.lit(name)})::float8)`;

/** Averages of succeeded runs by day (UTC) and task, oldest first. */
export function listTrends(db: Kysely<Tables>, filter: QualityFilter): Promise<TrendPoint[]> {
  const day = sql<string>`to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD')`;
  let query = db
    .selectFrom("training_runs")
    .select([
      day.as("day"),
      "task",
      sql<number>`count(*)::int`.as("runs"),
      average("accuracy").as("accuracy"),
      average("balancedAccuracy").as("balancedAccuracy"),
      average("f1").as("f1"),
      average("r2").as("r2"),
      average("rmse").as("rmse"),
      average("mae").as("mae"),
      average("relativeError").as("relativeError"),
    ])
    .where("owner", "=", filter.owner)
    .where("status", "=", "succeeded")
    .where("finished_at", ">=", filter.since)
    .groupBy([day, "task"])
    .orderBy("day")
    .orderBy("task");
  if (filter.datasetId !== undefined) query = query.where("dataset_id", "=", filter.datasetId);
  if (filter.task !== undefined) query = query.where("task", "=", filter.task);
  if (filter.mode !== undefined) query = query.where("mode", "=", filter.mode);
  return query.execute();
}

type QualityName = Exclude<keyof TrendPoint, "day" | "task" | "runs">;

export interface TaskSummary {
  readonly task: "classification" | "regression";
  readonly runs: {
    readonly succeeded: number;
    readonly failed: number;
    readonly cancelled: number;
    readonly unfinished: number;
  };
  readonly averageDurationSeconds: number | null;
  readonly average: Record<QualityName, number | null>;
  readonly best: Record<QualityName, number | null>;
  /** The run that beats its naive baseline by most. */
  readonly bestRunId: string | null;
}

/** Counts, averages and bests of all runs of an owner, by task. */
export async function summarizeRuns(db: Kysely<Tables>, owner: string): Promise<TaskSummary[]> {
  const succeeded = sql`status = 'succeeded'`;
  const rows = await db
    .selectFrom("training_runs")
    .select([
      "task",
      sql<number>`(count(*) filter (where ${succeeded}))::int`.as("succeeded"),
      sql<number>`(count(*) filter (where status = 'failed'))::int`.as("failed"),
      sql<number>`(count(*) filter (where status = 'cancelled'))::int`.as("cancelled"),
      sql<number>`(count(*) filter (where status in ('queued', 'running')))::int`.as("unfinished"),
      sql<number | null>`(avg(extract(epoch from finished_at - started_at)) filter (where ${succeeded}))::float8`.as(
        "duration",
      ),
      average("accuracy").as("averageAccuracy"),
      highest("accuracy").as("bestAccuracy"),
      average("balancedAccuracy").as("averageBalancedAccuracy"),
      highest("balancedAccuracy").as("bestBalancedAccuracy"),
      average("f1").as("averageF1"),
      highest("f1").as("bestF1"),
      average("r2").as("averageR2"),
      highest("r2").as("bestR2"),
      average("rmse").as("averageRmse"),
      lowest("rmse").as("bestRmse"),
      average("mae").as("averageMae"),
      lowest("mae").as("bestMae"),
      average("relativeError").as("averageRelativeError"),
      lowest("relativeError").as("bestRelativeError"),
      sql<
        string | null
      >`(array_agg(id order by (metrics ->> 'relativeError')::float8) filter (where metrics ->> 'relativeError' is not null))[1]`.as(
        "bestRunId",
      ),
    ])
    .where("owner", "=", owner)
    .groupBy("task")
    .orderBy("task")
    .execute();
  return rows.map((row) => ({
    task: row.task,
    runs: { succeeded: row.succeeded, failed: row.failed, cancelled: row.cancelled, unfinished: row.unfinished },
    averageDurationSeconds: row.duration,
    average: {
      accuracy: row.averageAccuracy,
      balancedAccuracy: row.averageBalancedAccuracy,
      f1: row.averageF1,
      r2: row.averageR2,
      rmse: row.averageRmse,
      mae: row.averageMae,
      relativeError: row.averageRelativeError,
    },
    best: {
      accuracy: row.bestAccuracy,
      balancedAccuracy: row.bestBalancedAccuracy,
      f1: row.bestF1,
      r2: row.bestR2,
      rmse: row.bestRmse,
      mae: row.bestMae,
      relativeError: row.bestRelativeError,
    },
    bestRunId: row.bestRunId,
  }));
}
