import { sql } from "kysely";
import { fromPglite, PgBoss, type Queue } from "pg-boss";
import type { Logger } from "../log.ts";
import type { Store } from "../store/database.ts";

/** The queues of the service. */
export const queueNames = ["training", "dataset-profile", "dataset-ttl", "maintenance"] as const;
export type QueueName = (typeof queueNames)[number];

/** Whose jobs are about a row of ours. Those of the others come by the clock, and are sent anew wherever it is lost. */
export const queuesOfRows = ["training", "dataset-profile"] as const satisfies QueueName[];

const longestExpirySeconds = 24 * 3600;

function queueSettings(name: QueueName, trainingTimeoutSeconds: number): Omit<Queue, "name"> {
  // 10 s is the least that pg-boss takes: a dead worker is noticed within that and one round of supervision.
  const shared = { heartbeatSeconds: 10, notify: true };
  switch (name) {
    case "training":
      return {
        ...shared,
        expireInSeconds: Math.min(longestExpirySeconds, Math.ceil(trainingTimeoutSeconds) + 120),
        // A backstop, behind which the reconciliation sends the job anew: the run's own row counts attempts, since a
        // shutdown or an outage that gives a run back is none, and pg-boss counts every time a job is taken.
        retryLimit: 1000,
        retryDelay: 1,
      };
    case "dataset-profile":
      // The same here. Longer and longer pauses: one that ends its process each time must leave time for the others.
      return {
        ...shared,
        // Of 10 GB it takes half an hour where the machine is busy; a worker that died is noticed by its heartbeats.
        expireInSeconds: 4 * 3600,
        retryLimit: 1000,
        retryDelay: 2,
        retryBackoff: true,
        retryDelayMax: 60,
      };
    case "dataset-ttl":
    case "maintenance":
      // Exclusive: at most one waits or runs, so that slow cycles don't pile up. No retry: the next one comes anyway.
      return { ...shared, policy: "exclusive", expireInSeconds: 3600, retryLimit: 0, deleteAfterSeconds: 2 * 3600 };
  }
}

/**
 * A connection that dies without a word would hold up the loop that waits for its answer, and its queue, for ever. pg-boss
 * hands these to its driver, and closes a connection whose statement failed.
 */
const limits = (seconds: number): object => ({ query_timeout: seconds * 1000, keepAlive: true });

interface BossOptions {
  readonly isSupervised: boolean;
  /** For each of its statements on PostgreSQL; absent: as long as they take, which a migration may want. */
  readonly statementSeconds?: number | undefined;
}

/** pg-boss on the store's database, not started yet. */
export function createBoss({ engine }: Store, { isSupervised, statementSeconds }: BossOptions): PgBoss {
  const connection =
    engine.kind === "pglite"
      ? ({ db: fromPglite(engine.pglite), backend: "pglite" } as const)
      : {
          ...engine.client,
          max: engine.queueConnections,
          application_name: "mlops-backend-queue",
          ...(statementSeconds === undefined ? {} : limits(statementSeconds)),
        };
  return new PgBoss({
    ...connection,
    useListenNotify: isSupervised,
    supervise: isSupervised,
    // Only intervals below are ours; cron is never used, see scheduleEvery.
    schedule: false,
    superviseIntervalSeconds: 5,
    monitorIntervalSeconds: 5,
    monitorVacuum: false,
    reindex: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
  });
}

/** Makes the queues, or brings their settings up to date. */
export async function makeQueues(boss: PgBoss, trainingTimeoutSeconds: number): Promise<void> {
  for (const name of queueNames) {
    const settings = queueSettings(name, trainingTimeoutSeconds);
    await boss.createQueue(name, settings);
    const { policy: _policy, ...changeable } = settings;
    // An existing queue keeps its first settings otherwise, e.g. after TRAINING_TIMEOUT_SECONDS has changed.
    await boss.updateQueue(name, changeable);
    // Into pg-boss's cache: a look-up inside a transaction would wait for the embedded database's one connection,
    // which that transaction holds.
    await boss.findJobs(name, { limit: 1 });
  }
}

/**
 * Who holds the lock of the embedded database's folder is its only process: what is active there was left by one that
 * has died, and need not wait for its heartbeat to run out.
 */
export async function giveBackActiveJobs({ engine, db }: Store, boss: PgBoss, log: Logger): Promise<void> {
  if (engine.kind !== "pglite") return;
  for (const name of queueNames) {
    const { rows } = await sql<{
      id: string;
    }>`select id from pgboss.job where name = ${name} and state = 'active'`.execute(db);
    if (rows.length === 0) continue;
    await boss.fail(
      name,
      rows.map(({ id }) => id),
      { message: "The process that ran this job has ended." },
    );
    log.warn({ queue: name, jobs: rows.length }, "queue: jobs of an ended process were given back");
  }
}

/** Brings the queue's tables up to date, and no more: nothing is sent, supervised or taken. */
export async function prepareQueueTables(
  store: Store,
  { log, trainingTimeoutSeconds }: { readonly log: Logger; readonly trainingTimeoutSeconds: number },
): Promise<void> {
  const boss = createBoss(store, { isSupervised: false });
  let fault: Error | undefined;
  boss.on("error", (error) => {
    fault ??= error;
  });
  try {
    await boss.start();
    await makeQueues(boss, trainingTimeoutSeconds);
    await giveBackActiveJobs(store, boss, log);
    if (fault !== undefined) throw fault;
  } finally {
    await boss.stop({ graceful: false, close: true });
  }
}
