// Over 300 lines: all statements on training_runs stand here, so that the states and attempts that each change
// demands can be compared.
import { type Kysely, type Selectable, sql } from "kysely";
import type { Leaderboard } from "../models/leaderboard.ts";
import type { RunMode } from "../models/model.ts";
import type { MetricDetails } from "../models/model-metrics.ts";
import type { TrainParameters } from "../models/train-request.ts";
import { notify } from "../store/database.ts";
import { type Page, readPage } from "../store/read-page.ts";
import type { RunWarnings, Tables, TrainingRunsTable } from "../store/schema.ts";
import { countedAttempts, MAX_ATTEMPTS, type RunFault, type RunStatus } from "./run-lifecycle.ts";

/** What only who asks for one run wants: what became of its columns may have 400 KB. */
const ofOneRun = ["metric_details", "column_uses", "column_warnings", "leaderboard"] as const;
type OfOneRun = (typeof ofOneRun)[number];

/** A run's row without it. */
export type Run = Omit<Selectable<TrainingRunsTable>, "turn" | "attempt_traces" | "kept_measures" | OfOneRun>;

/** The same with it. */
export type DescribedRun = Run & Pick<Selectable<TrainingRunsTable>, OfOneRun>;

/** The channel of every change of a run; the payload is its id, after `cancelled:` when somebody wants it stopped. */
export const runsChannel = "training_runs";
const cancelledPrefix = "cancelled:";

/** What a notification says. */
export function readRunNotification(payload: string): { id: string; isCancelled: boolean } {
  const isCancelled = payload.startsWith(cancelledPrefix);
  return { id: isCancelled ? payload.slice(cancelledPrefix.length) : payload, isCancelled };
}

const columns = [
  "id",
  "owner",
  "dataset_id",
  "mode",
  "task",
  "target",
  "features",
  "parameters",
  "status",
  "attempt",
  "interruptions",
  "progress",
  "ends_early",
  "version",
  "metrics",
  "error_code",
  "error_message",
  "artifact_id",
  "artifact_removed_at",
  "created_at",
  "started_at",
  "finished_at",
] as const;

const describedColumns = [...columns, ...ofOneRun] as const;

/** Holds other submissions of that owner back until the transaction ends, so that two can't both take the last place. */
export async function lockOwner(tx: Kysely<Tables>, owner: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`training-runs:${owner}`}, 0))`.execute(tx);
}

export interface NewRun {
  readonly turn: number;
  readonly id: string;
  readonly owner: string;
  readonly datasetId: string;
  readonly mode: RunMode;
  readonly task: "classification" | "regression";
  readonly target: string;
  readonly features: readonly string[] | undefined;
  readonly parameters: TrainParameters;
  readonly createdAt: Date;
}

export async function insertRun(tx: Kysely<Tables>, run: NewRun): Promise<DescribedRun> {
  return tx
    .insertInto("training_runs")
    .values({
      id: run.id,
      owner: run.owner,
      dataset_id: run.datasetId,
      mode: run.mode,
      task: run.task,
      target: run.target,
      features: run.features === undefined ? null : JSON.stringify(run.features),
      parameters: JSON.stringify(run.parameters),
      status: "queued",
      turn: run.turn,
      metrics: null,
      created_at: run.createdAt,
    } as never)
    .returning(describedColumns)
    .executeTakeFirstOrThrow();
}

export function findRun(db: Kysely<Tables>, owner: string, id: string): Promise<DescribedRun | undefined> {
  return db
    .selectFrom("training_runs")
    .select(describedColumns)
    .where("id", "=", id)
    .where("owner", "=", owner)
    .executeTakeFirst();
}

/** A run's row as far as it is compared with others. */
export type ComparedRun = Pick<Run, (typeof comparedColumns)[number]> & { readonly kept_measures: string | null };

const comparedColumns = [
  "id",
  "dataset_id",
  "mode",
  "task",
  "target",
  "features",
  "parameters",
  "status",
  "metrics",
  "artifact_id",
] as const;

/** Those that there are, in no order. */
export function findRunsToCompare(db: Kysely<Tables>, owner: string, ids: readonly string[]): Promise<ComparedRun[]> {
  return db
    .selectFrom("training_runs")
    .select([...comparedColumns, "kept_measures"])
    .where("id", "in", ids)
    .where("owner", "=", owner)
    .execute();
}

/** Newest first; a page of wide runs ends early. */
export function listRuns(
  db: Kysely<Tables>,
  owner: string,
  filter: {
    readonly datasetId?: string | undefined;
    readonly status?: RunStatus | undefined;
    readonly mode?: RunMode | undefined;
    readonly beforeId?: string | undefined;
    readonly limit: number;
  },
): Promise<Page<Run>> {
  let query = db.selectFrom("training_runs").select(columns).where("owner", "=", owner);
  if (filter.datasetId !== undefined) query = query.where("dataset_id", "=", filter.datasetId);
  if (filter.status !== undefined) query = query.where("status", "=", filter.status);
  if (filter.mode !== undefined) query = query.where("mode", "=", filter.mode);
  if (filter.beforeId !== undefined) query = query.where("id", "<", filter.beforeId);
  return readPage(db, query, { limit: filter.limit, wide: ["metrics", "features"] });
}

export async function countWaitingRuns(db: Kysely<Tables>, owner: string): Promise<number> {
  const { waiting } = await db
    .selectFrom("training_runs")
    .select(sql<number>`count(*)::int`.as("waiting"))
    .where("owner", "=", owner)
    .where("status", "=", "queued")
    .executeTakeFirstOrThrow();
  return waiting;
}

/** What decides the turn of an owner's next run. */
export async function readTurns(
  db: Kysely<Tables>,
  owner: string,
): Promise<{ readonly lastTaken: number; readonly ownLast: number }> {
  // Of those taken last, not the last alone: with several slots they start at about the same time.
  const recent = db
    .selectFrom("training_runs")
    .select("turn")
    .where("started_at", "is not", null)
    .orderBy("started_at", "desc")
    .limit(64)
    .as("recent");
  const taken = await db
    .selectFrom(recent)
    .select(({ fn }) => fn.max("turn").as("turn"))
    .executeTakeFirst();
  const own = await db
    .selectFrom("training_runs")
    .select(({ fn }) => fn.max("turn").as("turn"))
    .where("owner", "=", owner)
    .where("status", "=", "queued")
    .executeTakeFirst();
  return { lastTaken: taken?.turn ?? 0, ownLast: own?.turn ?? 0 };
}

/** Every run that is not final, of all owners. */
export function listUnfinishedRuns(db: Kysely<Tables>): Promise<(Run & { readonly turn: number })[]> {
  return db
    .selectFrom("training_runs")
    .select([...columns, "turn"])
    .where("status", "in", ["queued", "running"])
    .execute();
}

/** Whether the run still waits; it is held as it is until the transaction ends. */
export async function isWaiting(tx: Kysely<Tables>, id: string): Promise<boolean> {
  const row = await tx
    .selectFrom("training_runs")
    .select("id")
    .where("id", "=", id)
    .where("status", "=", "queued")
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** How an attempt began. */
export type StartedAttempt = {
  readonly run: Run;
  readonly isFirst: boolean;
  readonly followsCrash: boolean;
  /** Trace contexts of the attempts before, newest last. */
  readonly earlierTraces: readonly string[];
};

/** A run that is given back at many shutdowns has many attempts; older ones tell nothing any more. */
const keptAttemptTraces = 10;

/**
 * Begins the next attempt.
 * @returns undefined when the run is final or gone, "exhausted" when no attempt is left
 */
export function startAttempt(
  db: Kysely<Tables>,
  id: string,
  nowMs: number,
  traceparent?: string,
): Promise<StartedAttempt | "exhausted" | undefined> {
  return db.transaction().execute(async (tx) => {
    const before = await tx
      .selectFrom("training_runs")
      .select(["status", "attempt", "interruptions", "started_at", "attempt_traces"])
      .where("id", "=", id)
      .forUpdate()
      .executeTakeFirst();
    if (before === undefined || (before.status !== "queued" && before.status !== "running")) return undefined;
    if (countedAttempts(before) >= MAX_ATTEMPTS) return "exhausted";
    const run = await tx
      .updateTable("training_runs")
      .set((row) => ({
        status: "running" as const,
        attempt: row("attempt", "+", 1),
        progress: 0,
        leaderboard: null as never,
        version: row("version", "+", 1),
        started_at: new Date(nowMs),
      }))
      .where("id", "=", id)
      .returning(columns)
      .executeTakeFirstOrThrow();
    const earlierTraces = before.attempt_traces;
    if (traceparent !== undefined) {
      // With the attempt itself, so that the next one finds it although this process is killed.
      const traces = JSON.stringify([...earlierTraces, traceparent].slice(-keptAttemptTraces));
      await sql`update training_runs set attempt_traces = ${traces}::jsonb where id = ${id}`.execute(tx);
    }
    await notify(tx, runsChannel, id);
    return { run, isFirst: before.started_at === null, followsCrash: before.status === "running", earlierTraces };
  });
}

/** What an attempt hears of its run. */
export type AttemptState = Pick<Run, "ends_early">;

/**
 * @param leaderboard undefined: as it is
 * @returns undefined when the run is no longer this attempt's
 */
export async function saveProgress(
  db: Kysely<Tables>,
  id: string,
  attempt: number,
  progress: number,
  leaderboard?: Leaderboard,
): Promise<AttemptState | undefined> {
  const saved = await db
    .updateTable("training_runs")
    .set((row) => ({
      progress,
      version: row("version", "+", 1),
      ...(leaderboard && { leaderboard: JSON.stringify(leaderboard) as never }),
    }))
    .where("id", "=", id)
    .where("status", "=", "running")
    .where("attempt", "=", attempt)
    .returning("ends_early")
    .executeTakeFirst();
  if (saved !== undefined) await notify(db, runsChannel, id);
  return saved;
}

/** @returns undefined when the run is no longer this attempt's */
export function readAttempt(db: Kysely<Tables>, id: string, attempt: number): Promise<AttemptState | undefined> {
  return db
    .selectFrom("training_runs")
    .select("ends_early")
    .where("id", "=", id)
    .where("status", "=", "running")
    .where("attempt", "=", attempt)
    .executeTakeFirst();
}

/**
 * Puts a running run back into the queue, after an attempt that counts.
 * @returns false when the run is no longer this attempt's
 */
export function returnToQueue(db: Kysely<Tables>, id: string, attempt: number): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const returned = await tx
      .updateTable("training_runs")
      .set((row) => ({ status: "queued" as const, progress: 0, version: row("version", "+", 1) }))
      .where("id", "=", id)
      .where("status", "=", "running")
      .where("attempt", "=", attempt)
      .returning("id")
      .executeTakeFirst();
    if (returned !== undefined) await notify(tx, runsChannel, id);
    return returned !== undefined;
  });
}

/**
 * An attempt was ended from outside: it does not count, and a run that is still its own waits again. One that was taken
 * for dead meanwhile, and given to another worker, stays there: only its count is put right.
 */
export async function interruptAttempt(db: Kysely<Tables>, id: string, attempt: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom("training_runs")
      .select(["status", "attempt"])
      .where("id", "=", id)
      .where("status", "in", ["queued", "running"])
      .where("attempt", ">=", attempt)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) return;
    const returned =
      row.status === "running" && row.attempt === attempt ? { status: "queued" as const, progress: 0 } : {};
    await tx
      .updateTable("training_runs")
      .set((old) => ({
        ...returned,
        interruptions: old("interruptions", "+", 1),
        version: old("version", "+", 1),
      }))
      .where("id", "=", id)
      .execute();
    await notify(tx, runsChannel, id);
  });
}

/** Ends a run that made its model. @returns undefined when it is no longer this attempt's */
export async function markSucceeded(
  tx: Kysely<Tables>,
  {
    id,
    attempt,
    metrics,
    metricDetails,
    columnUses,
    columnWarnings,
    leaderboard,
    keptMeasures,
    artifactId,
    nowMs,
  }: {
    id: string;
    attempt: number;
    metrics: Record<string, unknown>;
    metricDetails: MetricDetails;
    /** JSON. */
    columnUses: string;
    columnWarnings: RunWarnings;
    leaderboard: Leaderboard | undefined;
    /** JSON. */
    keptMeasures: string;
    artifactId: string;
    nowMs: number;
  },
): Promise<Run | undefined> {
  const run = await tx
    .updateTable("training_runs")
    .set((row) => ({
      status: "succeeded" as const,
      progress: 1,
      version: row("version", "+", 1),
      metrics: JSON.stringify(metrics) as never,
      metric_details: JSON.stringify(metricDetails) as never,
      column_uses: columnUses,
      column_warnings: JSON.stringify(columnWarnings) as never,
      leaderboard: (leaderboard === undefined ? null : JSON.stringify(leaderboard)) as never,
      kept_measures: keptMeasures,
      artifact_id: artifactId,
      error_code: null,
      error_message: null,
      finished_at: new Date(nowMs),
    }))
    .where("id", "=", id)
    .where("status", "=", "running")
    .where("attempt", "=", attempt)
    .returning(columns)
    .executeTakeFirst();
  if (run !== undefined) await notify(tx, runsChannel, id);
  return run;
}

/** Ends a run as failed. @returns undefined when it is final already, or no longer that attempt's */
export function markFailed(
  db: Kysely<Tables>,
  id: string,
  attempt: number,
  fault: RunFault,
  nowMs: number,
): Promise<Run | undefined> {
  return db.transaction().execute(async (tx) => {
    const run = await tx
      .updateTable("training_runs")
      .set((row) => ({
        status: "failed" as const,
        version: row("version", "+", 1),
        error_code: fault.code,
        error_message: fault.message,
        finished_at: new Date(nowMs),
      }))
      .where("id", "=", id)
      .where("status", "in", ["queued", "running"])
      .where("attempt", "=", attempt)
      .returning(columns)
      .executeTakeFirst();
    if (run !== undefined) await notify(tx, runsChannel, id);
    return run;
  });
}

/** Ends a run as cancelled; whoever trains it hears so. @returns undefined when it is final already */
export async function markCancelled(
  tx: Kysely<Tables>,
  owner: string,
  id: string,
  nowMs: number,
): Promise<DescribedRun | undefined> {
  const run = await tx
    .updateTable("training_runs")
    .set((row) => ({ status: "cancelled" as const, version: row("version", "+", 1), finished_at: new Date(nowMs) }))
    .where("id", "=", id)
    .where("owner", "=", owner)
    .where("status", "in", ["queued", "running"])
    .returning(describedColumns)
    .executeTakeFirst();
  if (run !== undefined) await notify(tx, runsChannel, `${cancelledPrefix}${id}`);
  return run;
}

/**
 * Asks a search that has found something for the best so far; its worker hears so when it next looks at the row. Asked again, it is
 * as asked once.
 * @returns undefined where nothing was found yet, or the run searches nothing or is final
 */
export async function markEndsEarly(tx: Kysely<Tables>, owner: string, id: string): Promise<DescribedRun | undefined> {
  const run = await tx
    .updateTable("training_runs")
    .set((row) => ({ ends_early: true, version: row("version", "+", 1) }))
    .where("id", "=", id)
    .where("owner", "=", owner)
    .where("status", "=", "running")
    .where("mode", "=", "auto")
    // A search that begins anew has found nothing, and was asked all the same.
    .where(sql<boolean>`(ends_early or leaderboard -> 'trials' -> 0 ->> 'score' is not null)`)
    .returning(describedColumns)
    .executeTakeFirst();
  if (run !== undefined) await notify(tx, runsChannel, id);
  return run;
}

/**
 * The run if it is cancelled: its COMMIT went through although the answer was lost. Waits as `hasArtifact` does.
 * @param keptBest whether it may have been asked to end early instead
 */
export async function findCancelled(
  db: Kysely<Tables>,
  id: string,
  keptBest: boolean,
): Promise<DescribedRun | undefined> {
  // The status is looked at here: as a condition it would be asked of the row as it was, and nothing waited for.
  const run = await db
    .selectFrom("training_runs")
    .select(describedColumns)
    .where("id", "=", id)
    .forShare()
    .executeTakeFirst();
  return run?.status === "cancelled" || (keptBest && run?.ends_early) ? run : undefined;
}

/** What became of a run that is no longer an attempt's; undefined when it is gone. */
export async function readStatus(db: Kysely<Tables>, id: string): Promise<RunStatus | undefined> {
  const row = await db.selectFrom("training_runs").select("status").where("id", "=", id).executeTakeFirst();
  return row?.status;
}

/** Trace contexts of a run's attempts, newest last. */
export async function readAttemptTraces(db: Kysely<Tables>, id: string): Promise<readonly string[]> {
  const row = await db.selectFrom("training_runs").select("attempt_traces").where("id", "=", id).executeTakeFirst();
  return row?.attempt_traces ?? [];
}

/**
 * True when the row says that this artifact is the run's: the commit went through although its answer was lost. Where it is
 * under way still, its lock on the row is waited for: a run that succeeds after it was given up would never be counted.
 */
export async function hasArtifact(db: Kysely<Tables>, id: string, artifactId: string): Promise<boolean> {
  const row = await db
    .selectFrom("training_runs")
    .select("artifact_id")
    .where("id", "=", id)
    .forShare()
    .executeTakeFirst();
  return row?.artifact_id === artifactId;
}
