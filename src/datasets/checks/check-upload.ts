import { randomUUID } from "node:crypto";
import { DomainError } from "../../errors.ts";
import type { ReceivedFile } from "../../http/upload-stream.ts";
import type { FileStorage } from "../../storage/file-storage.ts";
import { plainCopy } from "../../tables/plain-copy.ts";
import { namesColumns, type TableSource } from "../../tables/table-source.ts";
import { guessEncodingOf, readThrough } from "../../tables/text-encoding.ts";
import type { Asker, EnginePool } from "../engines/engine-pool.ts";
import { type CheckedCsv, type CsvLimits, checkCsv, type WishedTable } from "./check-csv.ts";
import type { UploadFields } from "./upload-fields.ts";

/** What a check takes beside the file. */
export interface CheckParts {
  readonly storage: FileStorage;
  readonly checks: EnginePool;
  readonly limits: CsvLimits & { readonly maxUploadBytes: number };
}

/** With what DuckDB ends where line ends are of several kinds, or blanks stand alone in a line. */
const untidyCodes: readonly string[] = ["NOT_CSV", "ROW_RAGGED", "TOO_FEW_ROWS", "TOO_FEW_COLUMNS", "HEADER_MISSING"];

/** A fault of a sheet, which may not be the one that was meant. */
function inSheet(error: unknown, { sheet, otherSheets = [] }: Pick<TableSource, "sheet" | "otherSheets">): unknown {
  if (!(error instanceof DomainError) || sheet === undefined || otherSheets.length === 0) return error;
  const others = otherSheets.map((name) => `«${name}»`).join(", ");
  return new DomainError(error.code, `${error.message} This is of the sheet «${sheet}»; there are also ${others}.`, {
    cause: error,
  });
}

/** What a received file is. @throws DomainError WRONG_ENCODING, FIELD_INVALID */
async function sourceOf(
  received: ReceivedFile,
  { encoding: wished, sheet, header }: Pick<UploadFields, "encoding" | "sheet" | "header">,
): Promise<TableSource> {
  const { format, encoding, temporaryPath, utf8Bytes } = received;
  if (sheet !== undefined && format !== "xlsx")
    throw new DomainError("FIELD_INVALID", "`sheet` names a sheet of an Excel workbook, and the file is none.");
  if (header !== undefined && namesColumns({ format }))
    throw new DomainError(
      "FIELD_INVALID",
      "`header` is of CSV and Excel: in JSON and Parquet each column has its name.",
    );
  if (format !== "csv") {
    if (encoding !== "utf-8")
      throw new DomainError("WRONG_ENCODING", "The JSON is not UTF-8, as JSON is (RFC 8259, 8.1).");
    return { format, encoding, isUntidy: false, sheet };
  }
  const found = wished ?? encoding ?? (await guessEncodingOf(temporaryPath, utf8Bytes));
  // Read as it stands, it would be DuckDB that finds the letter, and it does not say what is wrong with it.
  if (found === "utf-8" && encoding !== "utf-8") await readThrough(temporaryPath, found);
  const isEncodingGuessed = wished === undefined && encoding === undefined;
  return { format, encoding: found, isEncodingGuessed, isUntidy: false };
}

/**
 * Checks a received file as the table that it is.
 * @throws DomainError for what is wrong with it
 */
export async function checkUpload(
  parts: CheckParts,
  asker: Asker,
  received: ReceivedFile,
  { encoding, sheet, ...wished }: Omit<UploadFields, "name">,
): Promise<CheckedCsv> {
  const source = await sourceOf(received, { encoding, sheet, header: wished.header });
  return checkTable(parts, asker, { path: received.temporaryPath, source }, wished);
}

/**
 * Checks a file whose format and encoding are known. A copy that had to be made of it is gone afterwards.
 * @throws DomainError for what is wrong with it
 */
export async function checkTable(
  { storage, checks, limits }: CheckParts,
  asker: Asker,
  { path: sentPath, source: asSent }: { readonly path: string; readonly source: TableSource },
  wished: Omit<WishedTable, "source">,
): Promise<CheckedCsv> {
  const copyPath = storage.temporaryPath(randomUUID());
  try {
    return await checks.use(asker, async (reader, signal) => {
      const parts = { copyPath, maxBytes: limits.maxUploadBytes, signal };
      const check = async (source: TableSource, fault?: DomainError): Promise<CheckedCsv> => {
        asker.progress?.copying(copyPath);
        const { path, isTidied, ...found } = await plainCopy(sentPath, source, parts);
        if (fault !== undefined && !isTidied) throw fault;
        // What is no CSV was written as one by us.
        const written: WishedTable = source.format === "csv" ? wished : { ...wished, delimiter: ",", decimal: "." };
        try {
          return await checkCsv(reader, path, { ...written, source: { ...source, ...found } }, limits);
        } catch (error) {
          throw inSheet(error, found);
        }
      };
      try {
        return await check(asSent);
      } catch (error) {
        const mayBeUntidy = error instanceof DomainError && untidyCodes.includes(error.code) && asSent.format === "csv";
        if (!mayBeUntidy) throw error;
        return await check({ ...asSent, isUntidy: true }, error);
      }
    });
  } finally {
    await storage.discard(copyPath);
  }
}
