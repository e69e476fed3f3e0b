import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { ColumnType } from "./column-type.ts";
import { type CsvHead, readHead } from "./csv-head.ts";
import { csvTable } from "./csv-table.ts";
import type { Dialect } from "./dialect.ts";
import { sqlText } from "./sql-text.ts";

/** Of a column that is not left out, in the file's order: what the checks found it to be. */
type TypedColumn = { readonly type: ColumnType };

/** SQL of the typed table in a plain CSV: what trainings read, and what its typed copy holds. */
export function typedCsv(
  csvPath: string,
  head: CsvHead,
  { columns, dialect }: { readonly columns: readonly TypedColumn[]; readonly dialect: Dialect },
): string {
  const typeOf = (index: number): ColumnType => columns[index]?.type ?? "text";
  return csvTable(csvPath, head, { typeOf, isStrict: !dialect.hasWordsInNumbers });
}

/** The same in its typed copy. Its folders are no columns, as one named `key=value` would be. */
export const typedCopy = (path: string): string => `read_parquet(${sqlText(resolve(path))}, hive_partitioning = false)`;

/** Of the CSV, in one group of rows: it is held while it is written, and while it is read. */
const groupBytes = 16 * 1024 * 1024;
/** DuckDB's own, and the least that it makes. */
const mostRows = 122_880;
const leastRows = 2_048;

/**
 * Writes the typed copy of a plain CSV: Parquet, the rows in the file's order.
 * @param query asks DuckDB, which may read the one and write the other
 * @returns how many rows it has
 */
export async function writeTypedCopy(
  query: (sql: string) => Promise<unknown[][]>,
  csvPath: string,
  {
    to,
    columns,
    dialect,
    rows,
  }: {
    readonly to: string;
    readonly columns: readonly TypedColumn[];
    readonly dialect: Dialect;
    readonly rows: number;
  },
): Promise<number> {
  const head = await readHead(csvPath, dialect);
  const { size } = await stat(csvPath);
  const rowsOfGroup = Math.min(mostRows, Math.max(leastRows, Math.floor((rows * groupBytes) / Math.max(1, size))));
  const cells = columns.map((_, index) => `c${index}`).join(", ");
  const [[written] = []] = await query(
    `COPY (SELECT ${cells} FROM ${typedCsv(csvPath, head, { columns, dialect })}) TO ${sqlText(resolve(to))}
      (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowsOfGroup}, USE_TMP_FILE false)`,
  );
  return Number(written);
}
