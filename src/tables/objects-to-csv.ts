import { DomainError } from "../errors.ts";
import { maxColumns } from "./csv-record.ts";
import { sqlText } from "./sql-text.ts";

/** Asks DuckDB, which may read the file and write the copy. */
export type Ask = (sql: string) => Promise<unknown[][]>;

const tooManyColumns = (): DomainError =>
  new DomainError("COLUMN_NAMES_INVALID", `The table has more than ${maxColumns} columns, the most that it may have.`);

/** A row of names and the rows of `cells`, as text: a header of COPY's own would change names that differ by case alone. */
function copyAs(csvPath: string, names: readonly string[], cells: readonly string[], from: string): string {
  // It would end the statement's text.
  if (names.some((name) => name.includes("\0")))
    throw new DomainError("COLUMN_NAMES_INVALID", "A column's name holds a NUL character, which is no letter.");
  const header = names.map((name, index) => `${sqlText(name)} AS h${index}`);
  return `COPY (SELECT ${header.join(", ")} UNION ALL SELECT ${cells.join(", ")} FROM ${from})
    TO ${sqlText(csvPath)} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '"', ESCAPE '"')`;
}

/** Writes the table of a Parquet file as CSV: numbers in full, dates by ISO 8601, lists and the like as DuckDB prints them. */
export async function parquetToCsv(ask: Ask, path: string, csvPath: string): Promise<void> {
  // Else a folder named `key=value` above it would be a column.
  const table = `read_parquet(${sqlText(path)}, hive_partitioning = false)`;
  const columns = await ask(`DESCRIBE FROM ${table}`);
  if (columns.length > maxColumns) throw tooManyColumns();
  const names = columns.map(([name]) => String(name));
  // DuckDB gives another name to the second of two that differ by case alone, or not at all.
  const written = new Set(
    (await ask(`SELECT name FROM parquet_schema(${sqlText(path)})`)).map(([name]) => String(name)),
  );
  const renamed = names.find((name) => !written.has(name));
  if (renamed !== undefined)
    throw new DomainError(
      "COLUMN_NAMES_INVALID",
      `Two columns of the Parquet file have the same name but for upper and lower case: one of them would be «${renamed.slice(0, 80)}». Rename it.`,
    );
  const cells = names.map((name) => `CAST("${name.replaceAll('"', '""')}" AS VARCHAR)`);
  await ask(copyAs(csvPath, names, cells, table));
}

const pointerTo = (key: string): string => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;

/**
 * Writes JSON objects, one after the other or in a list, as CSV with a column for each key, in the order in which they come
 * first. Values are what they are in the JSON: `1.0`, `true`; null and a key that is not there are empty cells.
 */
export async function jsonToCsv(ask: Ask, path: string, csvPath: string, isList: boolean): Promise<void> {
  const objects = `read_json_objects(${sqlText(path)}, format = '${isList ? "array" : "unstructured"}')`;
  const [[others] = []] = await ask(
    `SELECT row FROM (SELECT json, row_number() OVER () AS row FROM ${objects}) WHERE json_type(json) <> 'OBJECT' LIMIT 1`,
  );
  if (others !== undefined)
    throw new DomainError("NOT_CSV", `Row ${others} of the JSON is no object: a row is an object of column and value.`);
  const keys = await ask(
    `SELECT key FROM (
      SELECT unnest(keys) AS key, generate_subscripts(keys, 1) AS place, row
      FROM (SELECT json_keys(json) AS keys, row_number() OVER () AS row FROM ${objects})
    ) GROUP BY key ORDER BY min((row, place)) LIMIT ${maxColumns + 1}`,
  );
  if (keys.length > maxColumns) throw tooManyColumns();
  if (keys.length === 0) throw new DomainError("TOO_FEW_ROWS", "The JSON has no row with a value.");
  const names = keys.map(([key]) => String(key));
  const pointers = names.map((name) => sqlText(pointerTo(name))).join(", ");
  const values = `(SELECT json_extract_string(json, [${pointers}]) AS v FROM ${objects})`;
  await ask(
    copyAs(
      csvPath,
      names,
      names.map((_, index) => `v[${index + 1}]`),
      values,
    ),
  );
}
