import { type Kysely, type SelectQueryBuilder, sql } from "kysely";
import type { Tables } from "./schema.ts";

/** A part of a list, newest first. */
export interface Page<Row> {
  readonly items: readonly Row[];
  readonly hasMore: boolean;
}

/**
 * What the wide columns of one page may take before its last row, as they are stored, which is uncompressed: a run over
 * 2,000 columns and 100 classes has 300 KB of metrics as JSON, and a hundred of them held the event loop for 0.4 s (measured
 * November 2026).
 */
const mostStoredBytes = 128 * 1024;

/**
 * The newest `limit` rows of a query by id, and fewer where they are wide: the page ends behind the row that fills it.
 * The sizes are asked of the database, which knows them without reading the values.
 */
export async function readPage<Row extends { id: string }>(
  db: Kysely<Tables>,
  query: SelectQueryBuilder<Tables, keyof Tables, Row>,
  { limit, wide }: { readonly limit: number; readonly wide: readonly (keyof Row & string)[] },
): Promise<Page<Row>> {
  const newest = query.orderBy("id", "desc").limit(limit + 1);
  const sizes = wide.map((column) => sql`coalesce(pg_column_size(${sql.ref(column)}), 0)`);
  const bytes = sql.join([sql`0`, ...sizes], sql` + `);
  const { rows } = await sql<Row & { found: number; bytes_before: string }>`
    select * from (
      select *, count(*) over ()::int as found, coalesce(
        sum(${bytes}) over (order by id desc rows between unbounded preceding and 1 preceding), 0) as bytes_before
      from ${newest} as newest
    ) as sized where bytes_before < ${mostStoredBytes} order by id desc`.execute(db);
  const items = rows.slice(0, limit);
  return { items, hasMore: (rows[0]?.found ?? 0) > items.length };
}
