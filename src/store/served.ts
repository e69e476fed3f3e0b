import { sql } from "kysely";
import type { Store } from "./database.ts";

/** Whether a service is connected: on PostgreSQL there is no lock, and the connections of its queue tell of it. */
export async function isServed(store: Store): Promise<boolean> {
  if (store.engine.kind === "pglite") return false;
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from pg_stat_activity
    where datname = current_database() and application_name = 'mlops-backend-queue'`.execute(store.db);
  return Number(rows[0]?.count ?? 0) > 0;
}
