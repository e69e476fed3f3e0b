import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { type Readable, Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { Request, Response } from "express";
import multer from "multer";
import { ClientClosedError, DomainError, isSystemError } from "../errors.ts";
import type { FileStorage } from "../storage/file-storage.ts";

/** A CSV received whole into a temporary file, which the receiver keeps or discards. */
export interface ReceivedFile {
  readonly temporaryPath: string;
  /** As the client names it, for the default name of the dataset. */
  readonly fileName: string;
  /** Of the expanded CSV, as is the hash. */
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Boundaries and part headers of a form are small: a body longer than limit and this is over the limit. */
const formOverheadBytes = 64 * 1024;
const maxFieldBytes = 4_096;

/** Counts, hashes and checks the bytes on their way: what fails here is never read again. */
function createMeter(maxBytes: number) {
  const hash = createHash("sha256");
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let sizeBytes = 0;
  const decode = (chunk: Buffer | undefined): DomainError | undefined => {
    try {
      decoder.decode(chunk, { stream: chunk !== undefined });
      return undefined;
    } catch (error) {
      return new DomainError("WRONG_ENCODING", "The file is not UTF-8. Save it as UTF-8 and send it again.", {
        cause: error,
      });
    }
  };
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) {
        done(new DomainError("DATASET_TOO_LARGE", `The CSV is larger than ${maxBytes} bytes (expanded).`));
        return;
      }
      if (chunk.includes(0)) {
        done(new DomainError("NUL_BYTES", "The file holds NUL bytes: it is not a text file. Export it as CSV."));
        return;
      }
      const fault = decode(chunk);
      if (fault !== undefined) {
        done(fault);
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      done(decode(undefined) ?? null);
    },
  });
  return { stream, finish: () => ({ sizeBytes, sha256: hash.digest("hex") }) };
}

function isGzipName(fileName: string): boolean {
  if (/\.csv$/i.test(fileName)) return false;
  if (/\.csv\.gz$/i.test(fileName)) return true;
  throw new DomainError("NOT_CSV", "Send a file whose name ends in .csv or .csv.gz.");
}

function toFault(error: unknown): unknown {
  if (error instanceof multer.MulterError) {
    switch (error.code) {
      case "LIMIT_UNEXPECTED_FILE":
        return new DomainError(
          "UNEXPECTED_FIELD",
          `The file belongs into the form field «file», not «${String(error.field).slice(0, 80)}».`,
        );
      case "LIMIT_FILE_COUNT":
        return new DomainError("TOO_MANY_FILES", "Send one file a request.");
      default:
        return new DomainError(
          "FIELD_INVALID",
          "The form has too many or too long fields: `file`, `name` and `target` are all.",
          { cause: error },
        );
    }
  }
  if (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    /^(Z_|ERR_.*ZLIB|ERR_TRAILING)/.test(error.code)
  ) {
    return new DomainError("GZIP_INVALID", "The .csv.gz cannot be expanded: it is damaged or no gzip file.", {
      cause: error,
    });
  }
  if (
    error instanceof Error &&
    /Unexpected end of (form|multipart data)|Malformed (part|content)|Multipart: Boundary not found/i.test(
      error.message,
    )
  ) {
    return new DomainError("NOT_MULTIPART", "The body is no whole multipart/form-data form.", { cause: error });
  }
  return error;
}

/**
 * Reads a form with one file into the temporary folder, expanding gzip, without ever holding it in memory.
 * Whatever fails, no temporary file stays behind.
 * @throws DomainError for what is wrong with the form, ClientClosedError when the client went away
 */
export async function receiveUpload(
  request: Request,
  response: Response,
  { storage, maxBytes }: { storage: FileStorage; maxBytes: number },
): Promise<ReceivedFile> {
  if (!request.is("multipart/form-data")) {
    throw new DomainError("NOT_MULTIPART", "Send the CSV as multipart/form-data with a field `file`.");
  }
  if (Number(request.headers["content-length"] ?? 0) > maxBytes + formOverheadBytes) {
    throw new DomainError("DATASET_TOO_LARGE", `The CSV is larger than ${maxBytes} bytes.`);
  }
  let received: Omit<ReceivedFile, "fields"> | undefined;
  let writing: Promise<void> | undefined;
  const breaking = new AbortController();
  const onClose = (): void => {
    if (!request.complete) breaking.abort(new ClientClosedError());
  };
  request.once("close", onClose);

  const write = async (source: Readable, fileName: string): Promise<void> => {
    const isGzip = isGzipName(fileName);
    const temporaryPath = storage.temporaryPath(randomUUID());
    const meter = createMeter(maxBytes);
    const stages = isGzip ? [source, createGunzip(), meter.stream] : [source, meter.stream];
    try {
      await pipeline([...stages, createWriteStream(temporaryPath, { flags: "wx" })], { signal: breaking.signal });
    } catch (error) {
      await storage.discard(temporaryPath);
      throw error;
    }
    received = { temporaryPath, fileName, ...meter.finish() };
  };

  const form = multer({
    storage: {
      _handleFile(_request, file, done) {
        if (received !== undefined || writing !== undefined) {
          file.stream.resume();
          done(new DomainError("TOO_MANY_FILES", "Send one file a request."));
          return;
        }
        writing = write(file.stream, file.originalname);
        writing.then(
          () => done(null, {}),
          (error: unknown) => {
            // What still comes is read and thrown away, so that the client hears the answer.
            file.stream.resume();
            done(error);
          },
        );
      },
      _removeFile: (_request, _file, done) => done(null),
    },
    limits: { files: 2, fields: 10, fieldSize: maxFieldBytes, fieldNameSize: 100, parts: 12 },
    defParamCharset: "utf8",
  }).fields([{ name: "file", maxCount: 2 }]);

  try {
    await new Promise<void>((resolve, reject) => {
      breaking.signal.addEventListener("abort", () => reject(breaking.signal.reason), { once: true });
      form(request, response, (error: unknown) => (error === undefined || error === null ? resolve() : reject(error)));
    });
    if (received === undefined)
      throw new DomainError("FILE_MISSING", "The form has no file: put the CSV into the field `file`.");
    return { ...received, fields: { ...(request.body as Record<string, string>) } };
  } catch (error) {
    // The writer may still be at work: only after it has ended is there nothing left to remove.
    await writing?.catch(() => {});
    if (received !== undefined) await storage.discard(received.temporaryPath);
    if (
      breaking.signal.aborted ||
      isSystemError(error, "ECONNRESET") ||
      (error instanceof Error && error.message === "Request aborted")
    ) {
      throw new ClientClosedError();
    }
    throw toFault(error);
  } finally {
    request.off("close", onClose);
  }
}
