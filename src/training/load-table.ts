import path from "node:path";
import { type DuckDBConnection, DuckDBDoubleVector, DuckDBInstance, type DuckDBVarCharVector } from "@duckdb/node-api";
import { TextCoder } from "../models/text-codes.ts";
import type { TableColumn, TrainingTable } from "../models/training-table.ts";
import type { ColumnSummary } from "../store/schema.ts";
import { isOfMoments } from "../tables/column-type.ts";
import { readHead } from "../tables/csv-head.ts";
import { type Dialect, plainDialect } from "../tables/dialect.ts";
import { lockTo } from "../tables/lock-to.ts";
import { saidMissing } from "../tables/missing.ts";
import { plainCsv } from "../tables/plain-csv.ts";
import { typedCopy, typedCsv } from "../tables/typed-table.ts";
import { TextReader } from "./read-texts.ts";
import { memoryShares } from "./training-memory.ts";

/** What is read, how it is written, and with how much memory. */
export interface LoadOptions {
  /** With commas and points when absent. */
  readonly dialect?: Dialect | undefined;
  /** Where a plain copy goes of a file that is no plain CSV; the caller removes it. Beside the file when absent. */
  readonly copyPath?: string | undefined;
  /** How many rows are to come; another number is an error. */
  readonly rowCount?: number | undefined;
  /** Names of the columns to read; all when absent. */
  readonly only?: readonly string[] | undefined;
  /** Of the whole process; DuckDB gets its share. Its own limit when absent. */
  readonly memoryBytes?: number | undefined;
}

/** Reads a CSV with a header row into memory. All its columns must be named, in order: nothing is guessed. */
export function loadTable(
  csvPath: string,
  columns: readonly ColumnSummary[],
  options: LoadOptions = {},
): Promise<TrainingTable> {
  const { dialect = plainDialect, copyPath = `${csvPath}.plain` } = options;
  const absolutePath = path.resolve(csvPath);
  return load([absolutePath, copyPath], columns, options, async (query) => {
    const plain = await plainCsv(absolutePath, dialect.source, { copyPath: path.resolve(copyPath), query });
    return typedCsv(plain.path, await readHead(plain.path, dialect), { columns, dialect });
  });
}

/** A typed copy that can't be read: what it was made of can. */
export class TypedCopyFault extends Error {
  override readonly name = "TypedCopyFault";
}

/** Reads the typed copy of such a file into memory: the same table. @throws TypedCopyFault */
export async function loadTypedCopy(
  copyPath: string,
  columns: readonly ColumnSummary[],
  options: Omit<LoadOptions, "copyPath">,
): Promise<TrainingTable> {
  try {
    return await load([copyPath], columns, options, async () => typedCopy(copyPath));
  } catch (error) {
    throw new TypedCopyFault(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

async function load(
  paths: readonly string[],
  columns: readonly ColumnSummary[],
  { dialect = plainDialect, rowCount, only, memoryBytes }: LoadOptions,
  tableIn: (query: (sql: string) => Promise<unknown[][]>) => Promise<string>,
): Promise<TrainingTable> {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: "1",
    // What does not fit is a fault with figures, and no file beside the model.
    temp_directory: "",
    ...(memoryBytes === undefined ? {} : { memory_limit: `${memoryShares(memoryBytes).duckdbMebibytes}MiB` }),
  });
  try {
    const connection = await instance.connect();
    try {
      await lockTo(
        connection,
        paths.map((each) => path.dirname(each)),
      );
      const sql = await tableIn(async (query) => (await (await connection.run(query)).getRows()) as unknown[][]);
      const read = await readAll(connection, sql, columns, {
        places: wantedPlaces(columns, only),
        dialect,
        expectedRows: rowCount ?? 0,
      });
      const missing = saidMissing(dialect);
      const table = { ...read, ...(missing.length > 0 && { missing }) };
      // DuckDB's stream ends at a fault without a word.
      if (rowCount !== undefined && table.rowCount !== rowCount)
        throw new Error(`The file gave ${table.rowCount} rows, and had ${rowCount} when it was uploaded.`);
      return table;
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

const secondsIn = (cell: string): string => `coalesce(epoch(${cell}), 'nan'::DOUBLE)`;

/** SQL for a cell as text, or as a number: NaN where it is missing, so that a vector of them can be taken as it is. */
const cellsAs: Record<ColumnSummary["type"], (cell: string) => string> = {
  number: (cell) => `coalesce(${cell}, 'nan'::DOUBLE)`,
  text: (cell) => cell,
  date: secondsIn,
  time: secondsIn,
  boolean: (cell) => `coalesce(CAST(${cell} AS DOUBLE), 'nan'::DOUBLE)`,
};

/** All at once: one by one they took half of what loading a table does. The package shows them to its own code alone. */
// biome-ignore lint/complexity/useLiteralKeys: TypeScript lets only this one through
const numbersOf = (vector: DuckDBDoubleVector): Float64Array => vector["items"];

/** With room for as many numbers as there are to be: it grows where there are more. */
function withNumbers(numbers: Float64Array<ArrayBuffer>, at: number, more: Float64Array): Float64Array<ArrayBuffer> {
  let roomy = numbers;
  if (at + more.length > numbers.length) {
    roomy = new Float64Array(Math.max(at + more.length, 2 * numbers.length));
    roomy.set(numbers.subarray(0, at));
  }
  roomy.set(more, at);
  return roomy;
}

async function readAll(
  connection: DuckDBConnection,
  table: string,
  allColumns: readonly ColumnSummary[],
  {
    places,
    dialect,
    expectedRows,
  }: { readonly places: readonly number[]; readonly dialect: Dialect; readonly expectedRows: number },
): Promise<TrainingTable> {
  const columns = places.map((place) => allColumns[place]!);
  const cells = places.map((place) => cellsAs[allColumns[place]!.type](`c${place}`));
  const result = await connection.stream(`SELECT ${cells.join(", ")} FROM ${table}`);
  const numbers = columns.map(({ type }) => new Float64Array(type === "text" ? 0 : expectedRows));
  const texts = columns.map(({ type }) => new TextCoder(type === "text" ? expectedRows : 0));
  const readers = texts.map((coder) => new TextReader(coder));
  let rowCount = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    for (const at of columns.keys()) {
      const vector = chunk.getColumnVector(at);
      if (vector instanceof DuckDBDoubleVector) numbers[at] = withNumbers(numbers[at]!, rowCount, numbersOf(vector));
      else readers[at]!.read(vector as DuckDBVarCharVector, chunk.rowCount);
    }
    rowCount += chunk.rowCount;
  }
  return {
    rowCount,
    columns: columns.map((column, at): TableColumn => {
      if (column.type === "text") return { name: column.name, kind: "text", ...texts[at]!.finish() };
      return toColumn(column, numbers[at]!.subarray(0, rowCount), places[at]!, dialect);
    }),
  };
}

/** A column of numbers, moments or booleans, with what a model must know of how it is written. */
function toColumn(
  { name, type, spelled }: ColumnSummary,
  numbers: Float64Array,
  place: number,
  { strayColumns = [], numberForms = {}, dateForms = {}, decimal }: Dialect,
): TableColumn {
  const hasStrays = strayColumns.includes(place);
  if (isOfMoments(type)) return { name, kind: "date", numbers, written: dateForms[place]!, hasStrays };
  if (type === "boolean") return { name, kind: type, numbers };
  const form = numberForms[place];
  return {
    name,
    kind: "number",
    numbers,
    ...(hasStrays && { written: { decimal, ...(form && { form }) } }),
    ...(spelled && { spelled }),
  };
}

/** A name that is no column is left to the trainer, which says so. */
function wantedPlaces(columns: readonly ColumnSummary[], only: readonly string[] | undefined): number[] {
  const places = [...columns.keys()];
  const wanted = new Set(only);
  const chosen = only === undefined ? places : places.filter((place) => wanted.has(columns[place]!.name));
  return chosen.length > 0 ? chosen : places;
}
