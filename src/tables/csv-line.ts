import { createReadStream } from "node:fs";
import type { CsvHead } from "./csv-head.ts";

const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMarkBytes = 3;

/** The line on which a record begins, both from 1: DuckDB counts records, and a quoted cell may have many lines. */
export async function lineOfRecord(csvPath: string, head: CsvHead, record: number): Promise<number> {
  let line = 1;
  let records = 1;
  let isQuoted = false;
  let beginsCell = true;
  let previous = 0;
  const delimiter = head.dialect.delimiter.charCodeAt(0);
  for await (const chunk of createReadStream(csvPath, { start: head.hasMarkBeforeQuote ? byteOrderMarkBytes : 0 })) {
    for (const byte of chunk as Buffer) {
      const isSecondOfPair = byte === lineFeed && previous === carriageReturn;
      previous = byte;
      if (isSecondOfPair) continue;
      if (records === record) return line;
      const isLineEnd = byte === lineFeed || byte === carriageReturn;
      if (isLineEnd) line += 1;
      if (isLineEnd && !isQuoted) records += 1;
      // A doubled quote closes and opens again; elsewhere within a cell a quote is a character like others.
      const opensOrCloses: boolean = byte === quote && (isQuoted || beginsCell);
      if (opensOrCloses) isQuoted = !isQuoted;
      beginsCell = opensOrCloses || (!isQuoted && (isLineEnd || byte === delimiter));
    }
  }
  return line;
}
