import { type Kysely, sql } from "kysely";
import { fromKysely } from "pg-boss";
import type { Clock } from "../clock.ts";
import { systemClock } from "../clock.ts";
import type { Logger } from "../log.ts";
import { describeSpan } from "../monitoring/spans.ts";
import { endedWithin } from "../store/bounded-pool.ts";
import type { Store } from "../store/database.ts";
import type { Tables } from "../store/schema.ts";
import { processTraced, runIdOf, sendTraced } from "./job-trace.ts";
import { createBoss, giveBackActiveJobs, makeQueues, prepareQueueTables, type QueueName } from "./queue-tables.ts";
import { startSlotTimer } from "./slot-timer.ts";

/** A job as its handler sees it. */
export interface QueuedJob {
  readonly id: string;
  readonly data: Record<string, unknown>;
  /** 1 for the first time that this job is taken. */
  readonly attempt: number;
  /** Aborted when the claim on the job is lost: it was cancelled, or given to another worker. */
  readonly signal: AbortSignal;
}

/** How a handled job is filed; a throw gives it back to be tried again. */
export type JobOutcome = "done" | "failed";

/** Thrown by a handler that gives its job back on purpose; any other throw is a fault, and logged. */
export class JobReturnedError extends Error {}

/** How many jobs of a queue are in which state. */
export interface QueueCounts {
  readonly queued: number;
  readonly active: number;
  readonly retry: number;
  /** Ended as failed and still kept by the queue (7 days). */
  readonly failed: number;
  /** Of the run that has waited longest; 0 when none waits. */
  readonly oldestAgeSeconds: number;
}

export type JobState = "created" | "retry" | "active" | "completed" | "cancelled" | "failed";

/** Work for later, on the database of the rows: a job commits with its row. */
export interface JobQueue {
  /** Puts a job into the transaction `tx`, which may be a plain `Kysely` too. */
  send(
    queue: QueueName,
    data: Record<string, unknown>,
    tx: Kysely<Tables>,
    options?: { id?: string; priority?: number },
  ): Promise<void>;
  /** Sends a job anew in the place of an ended one with its id. Nothing happens where one waits or runs. */
  renew(
    queue: QueueName,
    job: { readonly id: string; readonly data: Record<string, unknown>; readonly priority?: number },
    tx: Kysely<Tables>,
  ): Promise<void>;
  /** Takes a job back, also while it runs: its signal is aborted with the next heartbeat. */
  cancel(queue: QueueName, id: string, tx?: Kysely<Tables>): Promise<void>;
  /**
   * Hands jobs to `handler`, that many at once.
   * @returns stops taking jobs and waits for those in hand
   */
  work(
    queue: QueueName,
    options: { concurrency: number },
    handler: (job: QueuedJob) => Promise<JobOutcome | undefined>,
  ): Promise<() => Promise<void>>;
  /**
   * Sends a job every so many seconds, once in the whole deployment however many processes call this.
   * Ends with the queue.
   */
  scheduleEvery(queue: QueueName, seconds: number): void;
  counts(queue: QueueName): Promise<QueueCounts>;
  /** States of these jobs; those that are gone are absent. */
  states(queue: QueueName, ids: readonly string[]): Promise<Map<string, JobState>>;
  /** Place in the queue of each waiting job, from 1, in the order in which workers take them. */
  positions(queue: QueueName): Promise<Map<string, number>>;
  /** Throws when the queue's tables do not answer. */
  check(): Promise<void>;
  stop(): Promise<void>;
}

export interface QueueOptions {
  readonly log: Logger;
  readonly clock?: Clock;
  /** A job may run that long and two minutes more before the queue takes it for lost. Default 600. */
  readonly trainingTimeoutSeconds?: number;
  /** For each of the queue's own statements on PostgreSQL; absent: as long as they take. */
  readonly databaseTimeoutSeconds?: number;
}

const dailySeconds = 24 * 3600;
const errorQuietMs = 10_000;
const graceMs = 5_000;

/** A job as pg-boss hands it out. */
interface TakenJob {
  readonly id: string;
  readonly data: Record<string, unknown>;
  readonly retryCount: number;
  readonly signal: AbortSignal;
}

/** Opens the queue on the store's database and makes its queues. `stop()` it before the store. */
export async function startQueue(
  store: Store,
  { log, clock = systemClock, trainingTimeoutSeconds = 600, databaseTimeoutSeconds }: QueueOptions,
): Promise<JobQueue> {
  const { db, engine } = store;
  // First without that limit, for the queue's own migrations.
  if (engine.kind === "postgres" && databaseTimeoutSeconds !== undefined)
    await prepareQueueTables(store, { log, trainingTimeoutSeconds });
  const boss = createBoss(store, { isSupervised: true, statementSeconds: databaseTimeoutSeconds });
  let silentUntilMs = 0;
  boss.on("error", (error) => {
    // With the database away every poll of every queue fails: one line in a while says it all.
    if (clock.nowMs() < silentUntilMs) return;
    silentUntilMs = clock.nowMs() + errorQuietMs;
    log.warn({ err: error }, "queue: statements fail and will be tried again");
  });
  boss.on("warning", ({ message, data }) => log.warn({ data }, `queue: ${message}`));

  try {
    await boss.start();
    await makeQueues(boss, trainingTimeoutSeconds);
    await giveBackActiveJobs(store, boss, log);
  } catch (error) {
    await boss.stop({ graceful: false });
    throw error;
  }

  const timers: { stop(): Promise<void> }[] = [];
  const queue: JobQueue = {
    async send(name, data, tx, options = {}) {
      await sendTraced(name, data, (sent) => boss.send(name, sent, { ...options, db: fromKysely(tx) }));
    },
    async renew(name, { id, data, priority }, tx) {
      await sql`
        delete from pgboss.job
        where name = ${name} and id = ${id}::uuid and state in ('completed', 'cancelled', 'failed')`.execute(tx);
      await queue.send(name, data, tx, { id, ...(priority === undefined ? {} : { priority }) });
    },
    async cancel(name, id, tx = db) {
      await boss.cancel(name, id, { db: fromKysely(tx) });
    },
    async work(name, { concurrency }, handler) {
      const handle = async (jobs: readonly TakenJob[]) => {
        const results = [];
        for (const job of jobs) {
          const attempt = job.retryCount + 1;
          const outcome = await processTraced(name, job, async (span) => {
            try {
              return await handler({ id: job.id, data: job.data, attempt, signal: job.signal });
            } catch (error) {
              if (error instanceof JobReturnedError) {
                // On purpose: to the span that is an end like others.
                describeSpan(span, { outcome: "returned" });
                return error;
              }
              // pg-boss keeps the fault in the job's row only, where nobody on call looks first.
              log.warn(
                { err: error, queue: name, jobId: job.id, run_id: runIdOf(job.data), attempt },
                "queue: a job failed",
              );
              throw error;
            }
          });
          if (outcome instanceof JobReturnedError) throw outcome;
          // pg-boss calls it «deadletter»: failed for good, whatever retries are left.
          results.push({
            id: job.id,
            status: outcome === "failed" ? ("deadletter" as const) : ("completed" as const),
          });
        }
        return results;
      };
      for (let place = 0; place < concurrency; place += 1) {
        let workerId: string | undefined;
        workerId = await boss.work<Record<string, unknown>>(
          name,
          // NOTIFY wakes a worker in milliseconds; polling is for jobs whose retry delay ends, which nobody announces.
          { batchSize: 1, perJobResults: true, pollingIntervalSeconds: 1, notifyPollingIntervalSeconds: 1 },
          async (jobs) => {
            try {
              return await handle(jobs);
            } finally {
              // It asks for the next at once: else a backlog was worked off at one job a poll, however short they were.
              if (workerId !== undefined) boss.notifyWorker(workerId);
            }
          },
        );
      }
      return () => boss.offWork(name, { wait: true });
    },
    scheduleEvery(name, seconds) {
      timers.push(
        startSlotTimer({
          seconds,
          clock,
          // pg-boss has one job for each slot of that length (a unique index): whoever comes second sends nothing.
          onSlot: async () => {
            await boss.send(
              name,
              {},
              { singletonKey: "every", singletonSeconds: seconds, deleteAfterSeconds: seconds * 2 + 3600 },
            );
          },
          onError: (error) =>
            log.warn({ err: error, queue: name }, "queue: a scheduled job could not be sent; the next slot follows"),
        }),
      );
    },
    async counts(name) {
      const { rows } = await sql<{ state: JobState; jobs: number }>`
        select state::text as state, count(*)::int as jobs from pgboss.job
        where name = ${name} and state in ('created', 'retry', 'active', 'failed') group by state`.execute(db);
      const count = (state: JobState) => rows.find((row) => row.state === state)?.jobs ?? 0;
      const oldest = await db
        .selectFrom("training_runs")
        .select(({ fn }) => fn.min("created_at").as("createdAt"))
        .where("status", "=", "queued")
        .executeTakeFirst();
      const oldestAgeSeconds =
        name !== "training" || !oldest?.createdAt
          ? 0
          : Math.max(0, (clock.nowMs() - new Date(oldest.createdAt).getTime()) / 1000);
      return {
        queued: count("created"),
        active: count("active"),
        retry: count("retry"),
        failed: count("failed"),
        oldestAgeSeconds,
      };
    },
    async states(name, ids) {
      if (ids.length === 0) return new Map();
      const { rows } = await sql<{ id: string; state: JobState }>`
        select id, state::text as state from pgboss.job
        where name = ${name} and id in (${sql.join(ids.map((id) => sql`${id}::uuid`))})`.execute(db);
      return new Map(rows.map(({ id, state }) => [id, state]));
    },
    async positions(name) {
      const { rows } = await sql<{ id: string }>`
        select id from pgboss.job where name = ${name} and state in ('created', 'retry')
        order by priority desc, created_on, id`.execute(db);
      return new Map(rows.map(({ id }, index) => [id, index + 1]));
    },
    async check() {
      await sql`select version from pgboss.version`.execute(db);
    },
    async stop() {
      await Promise.all(timers.map((timer) => timer.stop()));
      await endedWithin(boss.stop({ graceful: true, timeout: graceMs, close: true }), 2 * graceMs);
    },
  };
  queue.scheduleEvery("maintenance", dailySeconds);
  return queue;
}
