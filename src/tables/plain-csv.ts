import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { DomainError } from "../errors.ts";
import { isOutOfMemory } from "./csv-engine.ts";
import { jsonToCsv, parquetToCsv } from "./objects-to-csv.ts";
import { isPlain, type TableSource } from "./table-source.ts";
import { decoded } from "./text-encoding.ts";
import { tidyLines } from "./tidy-lines.ts";
import { xlsxToCsv } from "./xlsx-to-csv.ts";

/** What making a plain copy takes. */
export interface CopyParts {
  /** Where a copy goes where one is needed; it is the caller's to remove, whatever happens. */
  readonly copyPath: string;
  /**
   * Asks DuckDB, which may read the file and write the copy; ended in the middle once the signal is aborted. Of text there is
   * nothing to ask.
   */
  query?(sql: string, signal?: AbortSignal): Promise<unknown[][]>;
  /** Of the copy. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A CSV in UTF-8 with line ends of one kind. */
export interface PlainCsv {
  readonly path: string;
  /** The first line with a letter that was not ASCII in its encoding; lines from 1. */
  readonly decoded?: TableSource["decoded"];
  /** Of a workbook, as `TableSource` has them. */
  readonly sheet?: string;
  readonly otherSheets?: readonly string[];
  /** Whether its lines differ from those of the file; known where it was asked for. */
  readonly isTidied: boolean;
}

const tooLarge = (maxBytes: number): DomainError =>
  new DomainError("DATASET_TOO_LARGE", `The table is larger than ${maxBytes} bytes, written as CSV in UTF-8.`);

const nulFound = (): DomainError =>
  new DomainError("NUL_BYTES", "A text of the table holds a NUL character, which is no letter. Leave it out.");

const longestShown = 200;
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is looked for
const foreign = /[^\x00-\x7f]/;

/** The first line with a letter beyond ASCII, from there on where it is far behind the line's beginning. */
function firstForeignLine(): { see(text: string): void; found(): TableSource["decoded"] } {
  let line = 1;
  let begun = "";
  let found: { line: number; text: string } | undefined;
  let isWhole = false;
  let previous = "";
  return {
    see(text) {
      if (isWhole) return;
      // The second of a pair that was cut between two pieces.
      const rest = previous.endsWith("\r") && text.startsWith("\n") ? text.slice(1) : text;
      previous = text;
      for (const [index, piece] of rest.split(/\r\n|[\r\n]/).entries()) {
        if (index > 0) {
          if (found !== undefined) {
            isWhole = true;
            return;
          }
          line += 1;
          begun = "";
        }
        const at = found === undefined ? piece.search(foreign) : -1;
        if (at >= 0) {
          const from = begun.length + at < longestShown ? 0 : at;
          found = { line, text: (from === 0 ? begun + piece : piece.slice(from)).slice(0, longestShown) };
        } else if (found !== undefined) found.text = (found.text + piece).slice(0, longestShown);
        begun = (begun + piece).slice(0, longestShown);
      }
    },
    found: () => found,
  };
}

async function copyText(
  path: string,
  source: TableSource,
  { copyPath, maxBytes, signal }: CopyParts,
): Promise<PlainCsv> {
  const foreignLine = firstForeignLine();
  let isTidied = false;
  const encoded = async function* (): AsyncGenerator<Buffer> {
    const chunks: AsyncIterable<Buffer> = createReadStream(path, { signal });
    if (source.encoding === "utf-8") return yield* chunks;
    for await (const text of decoded(chunks, source.encoding)) {
      foreignLine.see(text);
      yield Buffer.from(text);
    }
  };
  const lines = source.isUntidy ? tidyLines(encoded(), () => (isTidied = true)) : encoded();
  await using copy = await open(copyPath, "w");
  let bytes = 0;
  for await (const chunk of lines) {
    bytes += chunk.length;
    if (maxBytes !== undefined && bytes > maxBytes) throw tooLarge(maxBytes);
    if (chunk.includes(0)) throw nulFound();
    await copy.writeFile(chunk);
  }
  // Of UTF-16 nothing is guessed, and no letter could be another one.
  return { path: copyPath, isTidied, decoded: source.encoding.startsWith("utf") ? undefined : foreignLine.found() };
}

const watchMs = 20;

/** Ends what writes the copy once it is larger than it may be: some kilobytes of Parquet may be terabytes of CSV. */
async function bounded<Value>(
  { copyPath, maxBytes }: CopyParts,
  write: (signal: AbortSignal | undefined) => Promise<Value>,
): Promise<Value> {
  if (maxBytes === undefined) return write(undefined);
  const tooMuch = new AbortController();
  const isOver = async (): Promise<boolean> => (await stat(copyPath).catch(() => ({ size: 0 }))).size > maxBytes;
  const watch = setInterval(async () => {
    if (await isOver()) tooMuch.abort(tooLarge(maxBytes));
  }, watchMs);
  try {
    const written = await write(tooMuch.signal);
    if (await isOver()) throw tooLarge(maxBytes);
    return written;
  } finally {
    clearInterval(watch);
  }
}

/** A fault of DuckDB's in words for who sent the file; a full disk and lacking memory are none of the file. */
function toFault(error: unknown, what: string): unknown {
  if (!(error instanceof Error) || error instanceof DomainError) return error;
  if (isOutOfMemory(error) || error.message.includes("No space left on device")) return error;
  const counted = /in record\/value (\d+)/.exec(error.message)?.[1];
  // DuckDB 1.5 counts the one behind it.
  const row = counted === undefined ? undefined : Number(counted) - 1;
  const faults =
    /^(Invalid Input|IO|Serialization|Not implemented|Conversion|Binder|Invalid) Error|^TProtocolException/;
  if (!faults.test(error.message)) return error;
  return new DomainError(
    "NOT_CSV",
    `The ${what} cannot be read${row === undefined ? "" : `, at its row ${row}`}: it is damaged, or cut.`,
    { cause: error },
  );
}

const mostSheets = 20;
/** Excel itself takes 31. */
const longestSheetName = 100;

async function copySheet(
  path: string,
  { sheet: wished }: TableSource,
  { copyPath, maxBytes = Number.MAX_SAFE_INTEGER, signal }: CopyParts,
): Promise<PlainCsv> {
  const { sheet, sheets } = await xlsxToCsv(path, copyPath, { sheet: wished, maxBytes, signal });
  if (sheets.some((name) => name.length > longestSheetName))
    throw new DomainError("NOT_CSV", `A sheet of the workbook has a name of more than ${longestSheetName} letters.`);
  await refuseNul(copyPath);
  const otherSheets = sheets.filter((name) => name !== sheet).slice(0, mostSheets);
  return { path: copyPath, isTidied: false, sheet, otherSheets };
}

async function refuseNul(path: string): Promise<void> {
  for await (const chunk of createReadStream(path)) if ((chunk as Buffer).includes(0)) throw nulFound();
}

async function copyObjects(path: string, { format }: TableSource, parts: CopyParts): Promise<PlainCsv> {
  const { copyPath, query } = parts;
  if (query === undefined) throw new Error("Only where DuckDB can be asked.");
  try {
    await bounded(parts, async (signal) => {
      const ask = (sql: string) => query(sql, signal);
      if (format === "parquet") return parquetToCsv(ask, path, copyPath);
      return jsonToCsv(ask, path, copyPath, format === "json");
    });
  } catch (error) {
    throw toFault(error, format === "parquet" ? "Parquet file" : "JSON");
  }
  await refuseNul(copyPath);
  return { path: copyPath, isTidied: false };
}

/**
 * The file itself where it is a plain CSV already, else a copy that is one, made anew each time that the file is read.
 * @throws DomainError for a file that is not what it seemed, DATASET_TOO_LARGE beyond `maxBytes`
 */
export async function plainCsv(path: string, source: TableSource, parts: CopyParts): Promise<PlainCsv> {
  if (isPlain(source)) return { path, isTidied: false };
  const copy = source.format === "csv" ? copyText : source.format === "xlsx" ? copySheet : copyObjects;
  return copy(path, source, parts);
}
