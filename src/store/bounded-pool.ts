import type { PostgresPool, PostgresPoolClient } from "kysely";
import type pg from "pg";

/** The server ends a statement first and says so; only one that does not answer at all is given up here. */
const serverHeadStartMs = 1_000;

/** A statement got no answer in time; its connection is closed, and what became of it is not known. */
export class NoAnswerError extends Error {
  /** As of a socket: whoever asks whether the database is away looks for it. */
  readonly code = "ETIMEDOUT";
  constructor(timeoutMs: number) {
    super(`The database did not answer a statement within ${timeoutMs} ms.`);
    this.name = "NoAnswerError";
  }
}

/**
 * Lets the server end what takes longer than that: statements, and transactions whose client has gone silent, which
 * would keep their locks for hours otherwise. As a statement, since a connection pooler takes no settings at the start.
 */
export async function limitSession(client: Pick<pg.ClientBase, "query">, timeoutMs: number): Promise<void> {
  const limits = `set statement_timeout = ${timeoutMs}; set idle_in_transaction_session_timeout = ${timeoutMs}`;
  // The pool closes a connection whose limits could not be set.
  await answeredWithin(client.query(limits), timeoutMs, () => {});
}

/** Rejects after that time and calls `giveUp`, which must end the work. */
export async function answeredWithin<Value>(
  work: Promise<Value>,
  timeoutMs: number,
  giveUp: () => void,
): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new NoAnswerError(timeoutMs));
    giveUp();
  }, timeoutMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {}); // Given up, it ends later and with nobody to hear it.
  }
}

/**
 * Waits for that time at most: a goodbye on a dead connection has no answer either. What fails in time is thrown.
 * @returns whether it has ended
 */
export async function endedWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  try {
    await answeredWithin(work, timeoutMs, () => {});
    return true;
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    return false;
  }
}

/**
 * The pool as Kysely sees it: a statement that gets no answer is given up, and its connection with it. The driver's own
 * `query_timeout` leaves the dead connection in the pool, where it holds up the next one who takes it, and so on.
 */
export function boundedPool(pool: pg.Pool, timeoutMs: number): PostgresPool {
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect();
      let isReleased = false;
      const release = (destroy?: boolean): void => {
        if (isReleased) return;
        isReleased = true;
        client.release(destroy);
      };
      const query = async (text: string, values: readonly unknown[]) => {
        // The rollback after a statement that was given up.
        if (isReleased) throw new NoAnswerError(timeoutMs);
        return answeredWithin(client.query(text, [...values]), timeoutMs + serverHeadStartMs, () => release(true));
      };
      return { query, release } as unknown as PostgresPoolClient;
    },
  };
}
