import { createReadStream } from "node:fs";
import type { CsvHead } from "./csv-head.ts";

const quote = 0x22;
const blank = 0x20;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMarkBytes = 3;

/** Tells of each record, an empty line too, the line on which it begins, until it hears true. @returns the last line */
async function walkRecords(
  csvPath: string,
  head: CsvHead,
  isLast: (record: { readonly line: number; readonly isEmpty: boolean }) => boolean,
): Promise<number> {
  let line = 1;
  let isQuoted = false;
  let beginsCell = true;
  let isBlankPassed = false;
  let beginsRecord = true;
  let previous = 0;
  const delimiter = head.dialect.delimiter.charCodeAt(0);
  for await (const chunk of createReadStream(csvPath, { start: head.hasMarkBeforeQuote ? byteOrderMarkBytes : 0 })) {
    for (const byte of chunk as Buffer) {
      const isSecondOfPair = byte === lineFeed && previous === carriageReturn;
      previous = byte;
      if (isSecondOfPair) continue;
      const isLineEnd = byte === lineFeed || byte === carriageReturn;
      if (beginsRecord && isLast({ line, isEmpty: isLineEnd })) return line;
      if (isLineEnd) line += 1;
      beginsRecord = isLineEnd && !isQuoted;
      // A doubled quote closes and opens again; elsewhere within a cell a quote is a character like others.
      const opensOrCloses: boolean = byte === quote && (isQuoted || beginsCell);
      if (opensOrCloses) isQuoted = !isQuoted;
      // One blank may stand before a quote.
      const isBlankBefore: boolean = byte === blank && beginsCell && !opensOrCloses && !isBlankPassed;
      isBlankPassed = isBlankBefore;
      beginsCell = opensOrCloses || (!isQuoted && (isLineEnd || byte === delimiter || isBlankBefore));
    }
  }
  return line;
}

/** The line on which a record begins, both from 1: DuckDB counts records, and a quoted cell may have many lines. */
export async function lineOfRecord(csvPath: string, head: CsvHead, record: number): Promise<number> {
  let records = 0;
  return walkRecords(csvPath, head, () => ++records === record);
}

/** The lines on which rows below the header begin, all from 1, by the rows' numbers: an empty line is no row. */
export async function linesOfRows(
  csvPath: string,
  head: CsvHead,
  rows: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const wanted = new Set(rows);
  const lines = new Map<number, number>();
  let row = (head.dialect.isHeaderless ? 0 : -1) - head.dialect.skippedLines; // The header is row 0.
  await walkRecords(csvPath, head, ({ line, isEmpty }) => {
    if (isEmpty) return false;
    row += 1;
    if (wanted.has(row)) lines.set(row, line);
    return lines.size === wanted.size;
  });
  return lines;
}
