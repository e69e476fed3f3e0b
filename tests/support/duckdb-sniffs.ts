import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { ColumnType } from "../../src/tables/column-type.ts";
import { sqlText } from "../../src/tables/sql-text.ts";

/** What another reader takes a CSV for. */
export interface Sniffed {
  readonly delimiter: string;
  /** Names and types of the columns; where it sees no header, it makes up the names. */
  readonly columns: readonly (readonly [name: string, type: ColumnType])[];
  readonly rows: number;
}

const numberTypes = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|DOUBLE|FLOAT|DECIMAL.*)$/;

function typeOf(type: string): ColumnType {
  if (numberTypes.test(type)) return "number";
  if (type === "TIME") return "time";
  return /^(DATE|TIMESTAMP.*)$/.test(type) ? "date" : type === "BOOLEAN" ? "boolean" : "text";
}

/** What DuckDB's own sniffer takes texts for, one after the other; a word of its fault where it takes one for none. */
export async function duckdbSniffs(texts: readonly string[]): Promise<(Sniffed | string)[]> {
  const folder = await mkdtemp(join(tmpdir(), "sniffs-"));
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  const ask = async (sql: string): Promise<unknown[][]> => (await connection.runAndReadAll(sql)).getRowsJson();
  try {
    const sniffs: (Sniffed | string)[] = [];
    for (const [index, text] of texts.entries()) {
      const path = join(folder, `${index}.csv`);
      await writeFile(path, text);
      try {
        const [[delimiter] = []] = await ask(`SELECT Delimiter FROM sniff_csv(${sqlText(path)})`);
        const described = await ask(`DESCRIBE FROM read_csv(${sqlText(path)})`);
        const [[rows] = []] = await ask(`SELECT count(*) FROM read_csv(${sqlText(path)})`);
        const columns = described.map(([name, type]) => [String(name), typeOf(String(type))] as const);
        sniffs.push({ delimiter: String(delimiter), columns, rows: Number(rows) });
      } catch (error) {
        sniffs.push(String(error));
      }
    }
    return sniffs;
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true });
  }
}
