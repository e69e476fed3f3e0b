import {
  contentOf,
  describeTables,
  fixTextForms,
  readContent,
  readPages,
  type Session,
  type TableContent,
  type TableShape,
  writePage,
} from "./table-rows.ts";

/** What stands between the two databases; the message says what to do. */
export class MoveRefusedError extends Error {
  constructor(message: string) {
    super(`${message} Nothing was moved.`);
    this.name = "MoveRefusedError";
  }
}

/** How the rows went, by table. */
export interface RowsReport {
  /** True: all of them were there already, from a move that was whole. */
  readonly wereThere: boolean;
  /** True: the target was the deployment of a first start, without a row of anybody's, and is not any more. */
  readonly replacedEmpty: boolean;
  readonly tables: Readonly<Record<string, TableContent>>;
}

/** What every deployment has from its first start on: the number that ties it to its files, and its times. */
const stateTable = "deployment_state";

const plainName = (table: TableShape): string => table.name.replaceAll('"', "").replace("public.", "");

async function isEmpty(session: Session, { name, condition }: TableShape): Promise<boolean> {
  const { rows } = await session.query(`select 1 as one from ${name} where ${condition} limit 1`);
  return rows.length === 0;
}

async function contents(session: Session, tables: readonly TableShape[]): Promise<Record<string, TableContent>> {
  const read: Record<string, TableContent> = {};
  for (const table of tables) read[plainName(table)] = await readContent(session, table);
  return read;
}

/** Of each table that differs, what is on either side. */
function differences(
  wanted: Readonly<Record<string, TableContent>>,
  found: Readonly<Record<string, TableContent>>,
): string[] {
  return Object.entries(wanted)
    .filter(([name, { rows, sha256 }]) => rows !== found[name]?.rows || sha256 !== found[name]?.sha256)
    .map(([name, { rows }]) => `${name} has ${found[name]?.rows ?? 0} rows, of ${rows}`);
}

async function prepare(source: Session, target: Session, queues: readonly string[]): Promise<TableShape[]> {
  const { rows } = await target.query("select current_setting('server_encoding') as encoding");
  if (rows[0]?.encoding !== "UTF8")
    throw new MoveRefusedError(
      `The database of DATABASE_URL has the encoding ${rows[0]?.encoding}: make it with UTF8 (createdb -E UTF8 -T template0).`,
    );
  await fixTextForms(source);
  await fixTextForms(target);
  const tables = await describeTables(source, queues);
  const theirs = new Map((await describeTables(target, queues)).map((table) => [table.name, table]));
  for (const table of tables)
    if (JSON.stringify(theirs.get(table.name)) !== JSON.stringify(table))
      throw new MoveRefusedError(
        `Table ${plainName(table)} of the database of DATABASE_URL has other columns than ours.`,
      );
  return tables;
}

async function copy(source: Session, target: Session, tables: readonly TableShape[]): Promise<RowsReport["tables"]> {
  const sent: Record<string, TableContent> = {};
  for (const table of tables) {
    const { add, content } = contentOf(table);
    for await (const page of readPages(source, table)) {
      await writePage(target, table, page);
      add(page);
    }
    sent[plainName(table)] = content();
  }
  const different = differences(sent, await contents(target, tables));
  if (different.length > 0)
    throw new Error(`What PostgreSQL gives back is not what was sent: ${different.join("; ")}.`);
  return sent;
}

/**
 * Moves the rows of all tables and the jobs of `queues` in one transaction of the target: they are there whole, read back
 * and compared, or not at all. A target that holds the same already is left as it is; one that a service was started on
 * once, by mistake, and that has nothing but its own state, takes ours.
 * @throws MoveRefusedError when it holds anything else
 */
export async function moveRows(source: Session, target: Session, queues: readonly string[]): Promise<RowsReport> {
  await source.query("begin");
  await target.query("begin");
  try {
    // A move may take as long as it needs, whatever the role's own limits are.
    for (const limit of ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"])
      await target.query(`set local ${limit} = 0`);
    const tables = await prepare(source, target, queues);
    // A service that starts meanwhile waits here with its first row, and a second move with all.
    for (const { name } of tables) await target.query(`lock table ${name} in exclusive mode`);
    const filled: TableShape[] = [];
    for (const table of tables) if (!(await isEmpty(target, table))) filled.push(table);
    let replacedEmpty = false;
    if (filled.length > 0) {
      const wanted = await contents(source, tables);
      const different = differences(wanted, await contents(target, tables));
      if (different.length === 0) return { wereThere: true, replacedEmpty, tables: wanted };
      if (filled.some((table) => plainName(table) !== stateTable))
        throw new MoveRefusedError(
          `The database of DATABASE_URL is not empty, and holds something else than the embedded one (${different.join("; ")}): make a new one for the move.`,
        );
      for (const { name } of filled) await target.query(`delete from ${name}`);
      replacedEmpty = true;
    }
    const moved = await copy(source, target, tables);
    await target.query("commit");
    return { wereThere: false, replacedEmpty, tables: moved };
  } finally {
    // After the commit it does nothing; with the connection gone the server rolls back by itself.
    await target.query("rollback").catch(() => {});
    await source.query("rollback");
  }
}
