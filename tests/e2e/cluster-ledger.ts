import pg from "pg";

/** What the database saw, in its own order; nothing of it is lost with a process. */
export interface Ledger {
  /** Changes of a run's status. */
  runs(): Promise<readonly Change[]>;
  /** States of the scheduled jobs of TTL cycles; `slot` is the interval that a job is for. */
  ttlJobs(): Promise<readonly (Change & { readonly slot: string })[]>;
  /** How many times a cycle has said that it succeeded. */
  ttlSuccesses(): Promise<number>;
  query<Row extends object>(text: string): Promise<Row[]>;
  /** `select count(*)` of what follows. */
  count(from: string): Promise<number>;
}

interface Change {
  readonly id: string;
  readonly before: string | null;
  readonly after: string;
}

const triggers = `
  create table observed (
    seq bigserial primary key, what text not null, id text not null, before text, after text not null, slot text);

  create function observe_run() returns trigger language plpgsql as $$ begin
    insert into observed (what, id, before, after) values ('run', new.id, old.status, new.status);
    return null;
  end $$;
  create trigger observe_run after update on training_runs for each row
    when (new.status is distinct from old.status) execute function observe_run();

  create function observe_ttl_job() returns trigger language plpgsql as $$ begin
    insert into observed (what, id, before, after, slot) values
      ('ttl job', new.id, case tg_op when 'UPDATE' then old.state end, new.state, new.singleton_on);
    return null;
  end $$;
  create trigger observe_ttl_insert after insert on pgboss.job for each row
    when (new.name = 'dataset-ttl') execute function observe_ttl_job();
  create trigger observe_ttl_update after update on pgboss.job for each row
    when (new.name = 'dataset-ttl' and new.state is distinct from old.state) execute function observe_ttl_job();

  create function observe_ttl_success() returns trigger language plpgsql as $$ begin
    insert into observed (what, id, after) values ('ttl success', new.key, new.value_ms);
    return null;
  end $$;
  create trigger observe_ttl_success after insert or update on deployment_state for each row
    when (new.key = 'ttl_last_success') execute function observe_ttl_success();`;

/** Keeps, by triggers in the service's own tables, what no process could tell afterwards that was killed. */
export async function openLedger(databaseUrl: string): Promise<Ledger> {
  // A connection for each question: the server is restarted in between.
  async function query<Row extends object>(text: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: databaseUrl });
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query(text)).rows as Row[];
    } finally {
      await client.end();
    }
  }
  await query(triggers);
  const observed = <Row extends object>(what: string): Promise<Row[]> =>
    query<Row>(`select id, before, after, slot from observed where what = '${what}' order by seq`);
  return {
    query,
    count: async (from) => (await query<{ count: number }>(`select count(*)::int as count ${from}`))[0]!.count,
    runs: () => observed("run"),
    ttlJobs: () => observed("ttl job"),
    ttlSuccesses: async () => (await observed("ttl success")).length,
  };
}
