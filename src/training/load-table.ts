import path from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { csvTable, sqlText } from "../datasets/csv-engine.ts";
import { readHead } from "../datasets/csv-header.ts";
import type { TableColumn, TrainingTable } from "./trainers/training-table.ts";

/** A column of the CSV, in the file's order. */
export interface CsvColumn {
  readonly name: string;
  readonly type: "number" | "text";
}

const MEMORY_LIMIT = "512MB";

/** Reads a CSV with a header row into memory. All its columns must be named, in order: nothing is guessed. */
export async function loadTable(csvPath: string, columns: readonly CsvColumn[]): Promise<TrainingTable> {
  const absolutePath = path.resolve(csvPath);
  const instance = await DuckDBInstance.create(":memory:", { threads: "1", memory_limit: MEMORY_LIMIT });
  try {
    const connection = await instance.connect();
    try {
      // A CSV is a stranger's: nothing but its own folder can be reached, and no later statement can change that.
      await connection.run(`SET allowed_directories = [${sqlText(path.dirname(absolutePath))}]`);
      await connection.run("SET enable_external_access = false");
      await connection.run("SET lock_configuration = true");
      return await readAll(connection, absolutePath, columns);
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

async function readAll(
  connection: DuckDBConnection,
  csvPath: string,
  columns: readonly CsvColumn[],
): Promise<TrainingTable> {
  const table = csvTable(csvPath, await readHead(csvPath), (place) =>
    columns[place]?.type === "number" ? "DOUBLE" : "VARCHAR",
  );
  const result = await connection.stream(`FROM ${table}`);
  const numbers = columns.map((): number[] => []);
  const texts = columns.map((): (string | null)[] => []);
  let rowCount = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    rowCount += chunk.rowCount;
    for (const [place, { type }] of columns.entries()) {
      const vector = chunk.getColumnVector(place);
      for (let row = 0; row < chunk.rowCount; row++) {
        const cell = vector.getItem(row);
        if (type === "number") numbers[place]!.push(cell === null ? Number.NaN : Number(cell));
        else texts[place]!.push(cell === null ? null : String(cell));
      }
    }
  }
  return {
    rowCount,
    columns: columns.map(
      ({ name, type }, place): TableColumn =>
        type === "number"
          ? { name, kind: "number", numbers: Float64Array.from(numbers[place]!) }
          : { name, kind: "text", texts: texts[place]! },
    ),
  };
}
