import { stat } from "node:fs/promises";
import { DomainError } from "../../errors.ts";
import { isOutOfMemory } from "../../tables/csv-engine.ts";
import type { CsvHead } from "../../tables/csv-head.ts";
import { lineOfRecord } from "../../tables/csv-line.ts";

/** What DuckDB says of a file that it can't read, as a fault of the file. Cells of the file stand in its message, too. */
export async function faultOfFile(error: unknown, csvPath: string, head: CsvHead): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  if (isOutOfMemory(error)) {
    // Its own engine and no other's: sent again, it would fail again.
    const said = /\(([\d.]+ [KMG]iB)\/([\d.]+ [KMG]iB) used\)/.exec(error.message);
    return new DomainError(
      "DATASET_TOO_WIDE",
      `The file's rows are too long to be checked in ${said?.[2] ?? "the memory"} that there is for a file: it has ${head.names.length + head.dialect.leftOutColumns.length} columns, ${(await stat(csvPath)).size} bytes. Send fewer columns or shorter cells.`,
      { cause: error },
    );
  }
  const said = error.message.slice(0, error.message.lastIndexOf("\nPossible ")).trimEnd();
  if (head.dialect.source.format !== "csv" && /^Invalid Input Error: .*CSV/.test(said))
    // The copy is ours, and well-formed.
    return new DomainError("NOT_CSV", "A row is longer than 1 MiB, the most that a row may have.", { cause: error });
  const record = /^Invalid Input Error: CSV Error on Line: (\d+)$/m.exec(said)?.[1];
  const at = record === undefined ? "A row" : `Line ${await lineOfRecord(csvPath, head, Number(record))}`;
  const expected = /\nExpected Number of Columns: (\d+) Found: (\d+)$/.exec(said);
  if (expected !== null) {
    return new DomainError(
      "ROW_RAGGED",
      `${at} has ${expected[2]} cells, the header ${expected[1]}. Each row needs as many.`,
      { cause: error },
    );
  }
  if (said.endsWith("\nValue with unterminated quote found.")) {
    return new DomainError("ROW_RAGGED", `${at} has a quote that is not closed or not doubled.`, { cause: error });
  }
  if (/\nMaximum line size of \d+ bytes exceeded\. Actual Size:\d+ bytes\.$/.test(said)) {
    return new DomainError("NOT_CSV", `${at} is longer than 1 MiB, the most that a row may have.`, { cause: error });
  }
  if (/^Invalid Input Error: .*CSV/.test(said)) {
    return new DomainError(
      "NOT_CSV",
      `${record === undefined ? "The file" : at} cannot be read as CSV: «${head.dialect.delimiter}» between cells, quotes doubled, line ends all of one kind.`,
      { cause: error },
    );
  }
  return error;
}
