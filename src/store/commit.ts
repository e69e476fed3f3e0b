import type { Kysely, Transaction } from "kysely";
import type { Tables } from "./schema.ts";

const inDoubt = new WeakSet<object>();

/** As `db.transaction()`; of what it throws `mayStand` knows whether the transaction may stand all the same. */
export async function inTransaction<Value>(
  db: Kysely<Tables>,
  work: (tx: Transaction<Tables>) => Promise<Value>,
): Promise<Value> {
  let isWorkDone = false;
  try {
    return await db.transaction().execute(async (tx) => {
      const value = await work(tx);
      isWorkDone = true;
      return value;
    });
  } catch (error) {
    if (isWorkDone && typeof error === "object" && error !== null && !isRefusal(error)) inDoubt.add(error);
    throw error;
  }
}

/**
 * The server's own word that a statement, here COMMIT, has failed, by its SQLSTATE: the severity is in the server's
 * language. Not that the connection (08) or the server itself (57P, 58) is at its end, which says nothing of the kind.
 */
const isRefusal = (error: object): boolean =>
  "severity" in error && "code" in error && /^(?!08|57P|58)[0-9A-Z]{5}$/.test(String(error.code));

/**
 * Whether the transaction that threw it may stand: its COMMIT was under way, and its answer is lost. Nobody can be asked:
 * the server may still be at it, and shows the rows a moment later.
 */
export function mayStand(error: unknown): boolean {
  return typeof error === "object" && error !== null && inDoubt.has(error);
}
