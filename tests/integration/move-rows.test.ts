import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { expect, test } from "vitest";
import { moveRows } from "../../src/store/move-rows.ts";
import { describeTables, readPages, type Session } from "../../src/store/table-rows.ts";
import { createDatabase, dropDatabase } from "../support/service.ts";

const oddTable = `create table odd (
  "odd ""Key" text, number bigint, primary key (number, "odd ""Key"), at timestamptz, plain timestamp, since interval,
  share double precision, exact numeric, body jsonb, numbers integer[], texts text[], bytes bytea, is_so boolean,
  half bigint generated always as (number / 2) stored)`;
const oddRows = `insert into odd values
  (E'tab\\t"quotes" ''single'' back\\\\slash \\\\N \\r\\n', 9223372036854775807, '2026-11-24 10:00:00.123456+05:30',
   '0099-02-28 23:59:59.999999', '1 year 2 mons -3 days 04:05:06.789', 0.1::float8 + 0.2, 1e-30,
   '{"a": [1.10, 1e400, "\\u00e9 🌲", null], "b": {"": "}{"}}', '{1,NULL,-2147483648}', array['', 'NULL', null, E'a,"b"{}\\\\'],
   '\\x00ff', true),
  ('', -9223372036854775808, 'infinity', '-infinity', null, 'NaN', 'NaN', 'null', '{}', '{{a,b},{c,d}}', '', null),
  ('Ünïcödé 漢字', 0, '0001-01-01 00:00:00+00 BC', null, null, '-Infinity', 12345678901234567890.123456789, '"x"', null, null, null, false),
  ('b', 1, null, null, null, 5e-324, null, null, null, null, null, null),
  ('B', 1, null, null, null, 1.7976931348623157e308, null, null, null, null, null, null)`;

test.runIf(process.env.TEST_DATABASE_URL)(
  "every type comes over as it was, whatever the server's own forms of text; what does not is refused",
  async () => {
    const databaseUrl = await createDatabase();
    const name = new URL(databaseUrl).pathname.slice(1);
    const source = await PGlite.create();
    const client = new pg.Client({ connectionString: databaseUrl });
    try {
      await client.connect();
      await client.query(`alter database ${name} set datestyle = 'German, DMY'`);
      await client.query(`alter database ${name} set timezone = 'Asia/Kolkata'`);
      await client.query(`alter database ${name} set intervalstyle = 'iso_8601'`);
      await client.end();
      const target = new pg.Client({ connectionString: databaseUrl });
      target.on("error", () => {}); // Its database is dropped below it when an expectation fails.
      await target.connect();
      const from: Session = { query: (text) => source.query(text) };
      for (const side of [from, target]) await side.query(oddTable);
      await source.query(oddRows);
      const report = await moveRows(from, target, []);
      expect(report).toMatchObject({ wereThere: false, tables: { odd: { rows: 5 } } });
      const shown = async (session: Session): Promise<unknown> => {
        await session.query("begin");
        for (const setting of ["timezone = 'UTC'", "datestyle = 'ISO'", "intervalstyle = 'postgres'"])
          await session.query(`set local ${setting}`);
        const { rows } = await session.query("select odd::text as row from odd order by 1");
        await session.query("rollback");
        return rows;
      };
      expect(await shown(target)).toEqual(await shown(from));
      expect(await moveRows(from, target, [])).toEqual({ ...report, wereThere: true });

      await target.query("update odd set share = share + 1 where number = 0 or number > 1");
      await target.query("update odd set share = 0 where number = 0");
      await expect(moveRows(from, target, [])).rejects.toThrow("odd has 5 rows, of 5");
      // A server that keeps something else than it was sent.
      await target.query("truncate odd");
      await target.query("create rule lose as on insert to odd where new.number = 1 do instead nothing");
      await expect(moveRows(from, target, [])).rejects.toThrow("odd has 3 rows, of 5");
      expect((await target.query("select 1 from odd")).rows).toEqual([]);
      await target.query("drop table odd cascade");
      await target.query(oddTable.replace("bigint, primary", "integer, primary"));
      await expect(moveRows(from, target, [])).rejects.toThrow(
        "Table odd of the database of DATABASE_URL has other columns",
      );
      await target.end();
    } finally {
      await source.close();
      await dropDatabase(databaseUrl);
    }
  },
);

test("wide rows are read in pages of a few megabytes", async () => {
  const source = await PGlite.create();
  const session: Session = { query: (text) => source.query(text) };
  try {
    await source.query("create table wide (id integer primary key, body text)");
    await source.query(
      "insert into wide select n, repeat('x', case when n % 50 = 0 then 1000000 else 10 end) from generate_series(1, 400) n",
    );
    await source.query("begin");
    const [table] = await describeTables(session, []);
    const pages: number[] = [];
    let rows = 0;
    for await (const page of readPages(session, table!)) {
      pages.push(Buffer.byteLength(JSON.stringify(page)));
      rows += page.length;
    }
    expect(rows).toBe(400);
    expect(Math.max(...pages)).toBeLessThan(5_000_000);
  } finally {
    await source.close();
  }
});
