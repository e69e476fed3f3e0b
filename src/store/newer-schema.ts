import { type Kysely, sql } from "kysely";
import pgBoss from "pg-boss/package.json" with { type: "json" };
import { migrations } from "./migrations.ts";
import type { Tables } from "./schema.ts";

/** The tables are ahead of this code: what it would write into them is anybody's guess. */
export class NewerSchemaError extends Error {
  constructor(what: string) {
    super(
      `The database was brought up to date by a newer version of the service, and this one does not know ${what}. ` +
        "Start that version, or restore the backup from before the upgrade. Nothing was changed.",
    );
    this.name = "NewerSchemaError";
  }
}

async function exists(db: Kysely<Tables>, table: string): Promise<boolean> {
  const { rows } = await sql<{ is_there: boolean }>`select to_regclass(${table}) is not null as is_there`.execute(db);
  return rows[0]?.is_there ?? false;
}

/**
 * To be asked before anything is migrated. Kysely would say the first as «corrupted migrations», and pg-boss works on
 * newer tables without a word.
 * @throws NewerSchemaError
 */
export async function refuseNewerSchema(db: Kysely<Tables>): Promise<void> {
  if (await exists(db, "kysely_migration")) {
    const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
    const unknown = rows.map(({ name }) => name).filter((name) => !Object.hasOwn(migrations, name));
    if (unknown.length > 0) throw new NewerSchemaError(`its migration ${unknown.join(", ")}`);
  }
  if (!(await exists(db, "pgboss.version"))) return;
  const { rows } = await sql<{ version: number }>`select version from pgboss.version`.execute(db);
  const version = rows[0]?.version ?? 0;
  if (version > pgBoss.pgboss.schema)
    throw new NewerSchemaError(`version ${version} of the queue's tables (it has ${pgBoss.pgboss.schema})`);
}
