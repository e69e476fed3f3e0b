import { createHash } from "node:crypto";

/** A row with every value as its text, by which it is carried and compared. */
type TextRow = Readonly<Record<string, string | null>>;

/** One connection, so that its statements share a transaction. */
export interface Session {
  query(text: string, values?: unknown[]): Promise<{ rows: TextRow[] }>;
}

/** A table as its own catalogue describes it. */
export interface TableShape {
  /** Quoted, with its schema. */
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly key: readonly string[];
  /** Which of its rows are meant, as SQL. */
  readonly condition: string;
}

/** How many rows a table has, and a hash over their content in the order of its key. */
export interface TableContent {
  readonly rows: number;
  readonly sha256: string;
}

const pageBytes = 4 * 1024 * 1024;
const longestPage = 1000;

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Text that means the same on both sides, whatever the server's or the user's settings. */
export async function fixTextForms(session: Session): Promise<void> {
  for (const [name, value] of [
    ["timezone", "UTC"],
    ["datestyle", "ISO, YMD"],
    ["intervalstyle", "postgres"],
    ["bytea_output", "hex"],
    ["extra_float_digits", "1"],
  ])
    await session.query(`set local ${name} = '${value}'`);
}

/** All tables of ours but the migrator's own, and of the queue the jobs of `queues`. */
export async function describeTables(session: Session, queues: readonly string[]): Promise<TableShape[]> {
  const { rows } = await session.query(`
    select n.nspname::text as schema, c.relname::text as "table", a.attname::text as "column",
      format_type(a.atttypid, a.atttypmod) as type,
      case when a.attnum = any (i.indkey::int2[]) then 'key' end as key
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    left join pg_index i on i.indrelid = c.oid and i.indisprimary
    where (n.nspname = 'public' and c.relkind = 'r' and c.relname not like 'kysely\\_%')
      or (n.nspname = 'pgboss' and c.relname = 'job')
    order by n.nspname collate "C" desc, c.relname collate "C", a.attname collate "C"`);
  const tables = Map.groupBy(rows, ({ schema, table }) => `${quoted(schema ?? "")}.${quoted(table ?? "")}`);
  return [...tables].map(([name, columns]) => ({
    name,
    columns: columns.map(({ column, type }) => ({ name: column ?? "", type: type ?? "" })),
    key: columns.filter(({ key }) => key !== null).map(({ column }) => column ?? ""),
    condition: name === '"pgboss"."job"' ? `name in (${queues.map((queue) => `'${queue}'`).join(", ")})` : "true",
  }));
}

/**
 * The rows in the order of the key's text, in pages of a few megabytes or of one row, however wide the rows are. Needs a
 * transaction, and one reading at a time.
 */
export async function* readPages(session: Session, table: TableShape): AsyncGenerator<TextRow[]> {
  const columns = table.columns.map(({ name }) => quoted(name));
  const bytes = columns.map((column) => `coalesce(octet_length(${column}::text), 0)`).join(" + ");
  const { rows } = await session.query(
    `select max(${bytes})::text as widest from ${table.name} where ${table.condition}`,
  );
  const widest = Number(rows[0]?.widest ?? 1);
  const count = Math.max(1, Math.min(longestPage, Math.floor(pageBytes / Math.max(1, widest))));
  // C: the databases may sort text by different rules.
  const order = table.key.map((name) => `${quoted(name)}::text collate "C"`).join(", ");
  await session.query(
    `declare pages no scroll cursor for select ${columns.map((column) => `${column}::text as ${column}`).join(", ")}
      from ${table.name} where ${table.condition} order by ${order}`,
  );
  for (;;) {
    const page = await session.query(`fetch ${count} from pages`);
    if (page.rows.length === 0) break;
    yield page.rows;
  }
  await session.query("close pages");
}

/** Counts and hashes rows as they are read or written. */
export function contentOf(table: TableShape): { add(page: readonly TextRow[]): void; content(): TableContent } {
  const hash = createHash("sha256");
  let rows = 0;
  return {
    add(page) {
      for (const row of page) hash.update(`${JSON.stringify(table.columns.map(({ name }) => row[name]))}\n`);
      rows += page.length;
    },
    content: () => ({ rows, sha256: hash.copy().digest("hex") }),
  };
}

/** Reads a table whole, for its count and hash. */
export async function readContent(session: Session, table: TableShape): Promise<TableContent> {
  const { add, content } = contentOf(table);
  for await (const page of readPages(session, table)) add(page);
  return content();
}

/** Inserts a page in one statement. */
export async function writePage(session: Session, table: TableShape, page: readonly TextRow[]): Promise<void> {
  const columns = table.columns.map(({ name }) => quoted(name));
  await session.query(
    `insert into ${table.name} (${columns.join(", ")})
      select ${table.columns.map(({ name, type }) => `${quoted(name)}::${type}`).join(", ")}
      from unnest(${columns.map((_, index) => `$${index + 1}::text[]`).join(", ")}) as page (${columns.join(", ")})`,
    table.columns.map(({ name }) => page.map((row) => row[name])),
  );
}
