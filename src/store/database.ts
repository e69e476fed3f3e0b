import { chmod, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { PGlite, Transaction } from "@electric-sql/pglite";
import { Kysely, type LogEvent, PGliteDialect, PostgresDialect, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import pg from "pg";
import { DomainError } from "../errors.ts";
import { databaseOperation } from "../monitoring/metrics.ts";
import { outsideOfTraces, statementSpan } from "../monitoring/spans.ts";
import { type StartProgress, untoldProgress } from "../start-progress.ts";
import { boundedPool, endedWithin, limitSession } from "./bounded-pool.ts";
import { shareConnections } from "./connection-shares.ts";
import { lockDataFolder } from "./data-folder-lock.ts";
import { explainDatabaseFault } from "./database-faults.ts";
import { openEmbeddedFolder, readyMark } from "./embedded-folder.ts";
import { listenOnPostgres } from "./listen-on-postgres.ts";
import { migrations } from "./migrations.ts";
import { refuseMoved } from "./moved-mark.ts";
import { refuseNewerSchema } from "./newer-schema.ts";
import { type PostgresSettings, readPostgresConnection } from "./postgres-connection.ts";
import { refuseHalfRestored } from "./replace-data.ts";
import type { Tables } from "./schema.ts";

/** Rows, on the embedded database or on PostgreSQL; the SQL is the same. */
export interface Store {
  readonly db: Kysely<Tables>;
  /** The engine below, which the queue shares. */
  readonly engine:
    | { readonly kind: "pglite"; readonly pglite: PGlite }
    | {
        readonly kind: "postgres";
        /** How a connection is made; the application's name is the caller's. */
        readonly client: pg.ClientConfig;
        /** How many of them are the queue's. */
        readonly queueConnections: number;
      };
  /** Connections for the gauges; an embedded database has one. */
  connections(): { idle: number; used: number; max: number; pending: number };
  /** Throws when the database does not answer within that time. */
  check(timeoutMs: number): Promise<void>;
  /**
   * To be asked before something large is taken. The embedded database does not survive a full disk: it spins for ever
   * inside its own code and the process answers nobody (seen with PGlite 0.5.16). Its last bytes must stay its own.
   * @throws DomainError DISK_FULL when less than the reserve is free
   */
  requireRoom(): Promise<void>;
  /**
   * Calls back on each notification of that channel until the returned function is called. Outside of traces: it comes
   * with the statement of whoever notified, or on the connection of who listened first, and both are strangers.
   */
  listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

const connectTimeoutMs = 5_000;
const longestEndMs = 2_000;

function recordOperation(event: LogEvent): string {
  const kind = event.query.query.kind.replace("QueryNode", "").toUpperCase();
  const operationName =
    kind === "SELECT" || kind === "INSERT" || kind === "UPDATE" || kind === "DELETE" ? kind : "OTHER";
  databaseOperation({ operationName, durationSeconds: event.queryDurationMillis / 1000 });
  return operationName;
}

/** PostgreSQL's driver has an instrumentation that makes spans; the embedded database has none. */
function recordEmbeddedOperation(event: LogEvent): void {
  const error = event.level === "error" ? event.error : undefined;
  statementSpan(recordOperation(event), event.queryDurationMillis, error);
}

async function migrate(db: Kysely<Tables>, progress: StartProgress): Promise<void> {
  await refuseNewerSchema(db);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async (): Promise<Record<string, Migration>> => migrations },
  });
  // Another process may be at it, and is waited for.
  const { error } = await progress.step("bringing the tables up to date", () => migrator.migrateToLatest());
  if (error !== undefined) throw error;
}

/**
 * Others have their turn of the event loop behind a statement, which the embedded database works on in it: the next one, and
 * what is made of its rows, would be one piece with it.
 */
function inTurns<Arguments extends unknown[], Value>(call: (...given: Arguments) => Promise<Value>) {
  return async (...given: Arguments): Promise<Value> => {
    try {
      return await call(...given);
    } finally {
      await setImmediate();
    }
  };
}

/** The same engine, counting the calls that are not answered yet. */
function countInHand(pglite: PGlite): { counted: PGlite; inHand(): number } {
  let inHand = 0;
  const counting =
    <Arguments extends unknown[], Value>(call: (...given: Arguments) => Promise<Value>) =>
    async (...given: Arguments): Promise<Value> => {
      inHand += 1;
      try {
        return await call(...given);
      } finally {
        inHand -= 1;
      }
    };
  const transaction = <Value>(work: (tx: Transaction) => Promise<Value>): Promise<Value> =>
    pglite.transaction((tx) => work(Object.create(tx, { query: { value: inTurns(tx.query.bind(tx)) } })));
  const counted = Object.create(pglite, {
    query: { value: counting(inTurns(pglite.query.bind(pglite))) },
    transaction: { value: counting(transaction) },
    closed: { get: () => pglite.closed },
    ready: { get: () => pglite.ready },
    waitReady: { get: () => pglite.waitReady },
    close: { value: () => pglite.close() },
  }) as PGlite;
  return { counted, inHand: () => inHand };
}

async function openEmbedded(dataDir: string, minFreeDiskBytes: number, progress: StartProgress): Promise<Store> {
  const lock = await lockDataFolder(dataDir, progress);
  try {
    await refuseMoved(dataDir);
    await refuseHalfRestored(dataDir);
    const folder = join(dataDir, "database");
    const pglite = await openEmbeddedFolder(dataDir, folder, progress);
    // PGlite makes its files readable and writable for everyone, whatever the umask.
    await chmod(folder, 0o700);
    const { counted, inHand } = countInHand(pglite);
    const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: counted }), log: recordEmbeddedOperation });
    await migrate(db, progress);
    await writeFile(join(dataDir, readyMark), "The embedded database beside this file was made whole.\n");
    return {
      db,
      engine: { kind: "pglite", pglite },
      // One connection: whatever is not served waits for its lock.
      connections: () => ({
        idle: inHand() === 0 ? 1 : 0,
        used: inHand() === 0 ? 0 : 1,
        max: 1,
        pending: Math.max(0, inHand() - 1),
      }),
      check: async (timeoutMs) => void (await withinTime(sql`select 1`.execute(db), timeoutMs)),
      async requireRoom() {
        const { bavail, bsize } = await statfs(folder);
        if (bavail * bsize >= minFreeDiskBytes) return;
        throw new DomainError(
          "DISK_FULL",
          "The disk of the service is almost full. Nothing was stored; delete datasets or models, or try again later.",
        );
      },
      listen: (channel, onPayload) => pglite.listen(channel, (payload) => outsideOfTraces(() => onPayload(payload))),
      async stop() {
        await db.destroy();
        if (!pglite.closed) await pglite.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function withinTime<Value>(work: Promise<Value>, timeoutMs: number): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`The database did not answer within ${timeoutMs} ms.`)), timeoutMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({
    ...config,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    // What pg_stat_activity tells the processes of a database apart by.
    application_name: "mlops-backend",
  });
  // Without a listener an idle connection that breaks would end the process; the pool replaces it by itself.
  pool.on("error", () => {});
  // The pool listens to idle connections only: one in use that breaks would end the process too. Its query rejects.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

async function openPostgres(settings: StoreSettings, progress: StartProgress): Promise<Store> {
  const { client } = readPostgresConnection(settings).connection;
  const shares = shareConnections(settings.role ?? "all", settings.databaseMaxConnections);
  const timeoutMs = (settings.databaseTimeoutSeconds ?? 15) * 1000;
  await migrateOnItsOwn(client, progress);
  const pool = openPool({
    ...client,
    max: shares.pool,
    // The type says void; the pool waits for it. No part of the request that happens to need a new connection.
    onConnect: (client) => outsideOfTraces(() => limitSession(client, timeoutMs)) as unknown as undefined,
  });
  // bigint as a number: sizes here are far below 2^53.
  const types = {
    getTypeParser: (oid: number, format?: string) =>
      oid === 20 ? Number : pg.types.getTypeParser(oid, format as "text"),
  };
  pool.options.types = types as typeof pool.options.types;
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: boundedPool(pool, timeoutMs) }),
    log: (event) => void recordOperation(event),
  });
  return {
    db,
    engine: { kind: "postgres", client, queueConnections: shares.queue },
    connections: () => ({
      idle: pool.idleCount,
      used: pool.totalCount - pool.idleCount,
      max: shares.pool,
      pending: pool.waitingCount,
    }),
    async check(timeoutMs) {
      try {
        await withinTime(sql`select 1`.execute(db), timeoutMs);
      } catch (error) {
        const explained = explainDatabaseFault(error, settings);
        throw explained === undefined ? error : new Error(explained, { cause: error });
      }
    },
    requireRoom: async () => {}, // The server's disk is not ours to see; it answers when it is full.
    // Its connection is there for all, and outlives the request that asked for it.
    listen: (channel, onPayload) => outsideOfTraces(() => listenOnPostgres({ client, timeoutMs }, channel, onPayload)),
    async stop() {
      await endedWithin(db.destroy(), longestEndMs);
    },
  };
}

/** On a connection without limits: a migration may take long, and waits for another process's. */
async function migrateOnItsOwn(client: pg.ClientConfig, progress: StartProgress): Promise<void> {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: openPool({ ...client, max: 2 }) }) });
  try {
    await progress.step("reaching PostgreSQL", () => sql`select 1`.execute(db));
    await migrate(db, progress);
  } finally {
    await db.destroy();
  }
}

/** What of the settings says where rows are. */
interface StoreSettings extends PostgresSettings {
  readonly dataDir: string;
  readonly minFreeDiskBytes?: number;
  readonly role?: "all" | "api" | "worker";
  readonly databaseMaxConnections?: number | undefined;
  /** After which PostgreSQL is taken for away; the embedded database has no such limit. */
  readonly databaseTimeoutSeconds?: number;
}

/**
 * Opens the database and brings its tables up to date.
 * @throws DataFolderLockedError, DatabaseMovedError, HalfRestoredError, EmbeddedDatabaseFault, NewerSchemaError, or what the
 *   database says (see explainDatabaseFault)
 */
export function openStore(settings: StoreSettings, progress: StartProgress = untoldProgress): Promise<Store> {
  const { databaseUrl, dataDir, minFreeDiskBytes = 0 } = settings;
  return databaseUrl === "" ? openEmbedded(dataDir, minFreeDiskBytes, progress) : openPostgres(settings, progress);
}

/** Tells all processes of the deployment, by LISTEN/NOTIFY, when the transaction commits. */
export async function notify(db: Kysely<Tables>, channel: string, payload: string): Promise<void> {
  await sql`select pg_notify(${channel}, ${payload})`.execute(db);
}
