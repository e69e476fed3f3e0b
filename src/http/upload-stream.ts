import { isUtf8 } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { addAbortSignal, type Duplex, Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Request, Response } from "express";
import multer from "multer";
import { ClientClosedError, DomainError, isSystemError } from "../errors.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { atFirstSight, type FirstSight } from "../tables/table-source.ts";
import { type Pace, watchPace } from "./watch-pace.ts";

/** A file received whole into a temporary one, which the receiver keeps or discards. */
export interface ReceivedFile extends WrittenFile {
  readonly temporaryPath: string;
  /** As the client names it, for the default name of the dataset. */
  readonly fileName: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** What was seen of a file on its way. */
interface WrittenFile extends Pick<FirstSight, "format"> {
  /** Of the expanded file, as is the hash. */
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Of a text: UTF-8, UTF-16, or undefined where it is neither. */
  readonly encoding: string | undefined;
  /** Bytes before this one are UTF-8. */
  readonly utf8Bytes: number;
}

/** Boundaries and part headers of a form are small: a body longer than limit and this is over the limit. */
const formOverheadBytes = 64 * 1024;
/** `types` may name all of 2,000 columns. */
const maxFieldBytes = 131_072;
/** Who sends on for longer than this after the answer is cut off. */
const readAwaySeconds = 10;
// A chunk of the form has 64 KiB: written one by one, handing them to the thread pool costs more than the writing
// (10 MiB: 12 ms of CPU less in batches, measured on Node 24, November 2026).
const batchBytes = 524_288;

/** Where the last character that is whole ends: a batch may cut one, which has at most four bytes. */
function wholeCharactersEnd(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) break;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    if (length > 1) return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Checks, hashes and writes the bytes on their way: what fails here is never read again. */
async function writeChecked(chunks: AsyncIterable<Buffer>, file: FileHandle, maxBytes: number): Promise<WrittenFile> {
  const hash = createHash("sha256");
  // One for the whole file: a new one for each batch would be as much garbage as the file.
  const batch = Buffer.allocUnsafeSlow(batchBytes);
  let sizeBytes = 0;
  let utf8Bytes = 0;
  let filled = 0;
  let sight: FirstSight | undefined;
  let isForeign = false;
  const check = (bytes: Buffer, isLast: boolean): void => {
    sight ??= atFirstSight(bytes);
    if (sight.encoding !== undefined) return;
    if (bytes.includes(0))
      throw new DomainError("NUL_BYTES", "The file holds NUL bytes: it is not a text file. Export it as CSV.");
    if (isForeign) return;
    if (isUtf8(bytes)) {
      utf8Bytes += bytes.length;
      return;
    }
    isForeign = true;
    if (isLast && isUtf8(bytes.subarray(0, wholeCharactersEnd(bytes))))
      throw new DomainError(
        "WRONG_ENCODING",
        "The file is UTF-8, and ends within a letter: it was cut. Send it whole, or name its `encoding`.",
      );
  };
  const flush = async (isLast: boolean): Promise<void> => {
    const end = isLast ? filled : wholeCharactersEnd(batch.subarray(0, filled));
    const bytes = batch.subarray(0, end);
    check(bytes, isLast);
    hash.update(bytes);
    await file.writeFile(bytes);
    batch.copyWithin(0, end, filled);
    filled -= end;
  };
  for await (const chunk of chunks) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes)
      throw new DomainError("DATASET_TOO_LARGE", `The file is larger than ${maxBytes} bytes (expanded).`);
    for (let taken = 0; taken < chunk.length; ) {
      const count = chunk.copy(batch, filled, taken);
      taken += count;
      filled += count;
      if (filled === batch.length) await flush(false);
    }
  }
  await flush(true);
  const { format = "csv", encoding } = sight ?? {};
  return {
    sizeBytes,
    sha256: hash.digest("hex"),
    format,
    encoding: encoding ?? (isForeign ? undefined : "utf-8"),
    utf8Bytes,
  };
}

const gzipMark = Buffer.from([0x1f, 0x8b]);
const zstdMark = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Expands what was compressed by zstd. Node ends at the first frame where another one stands in the same chunk. */
async function* unzstd(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let sentBytes = 0;
  const counted = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of compressed) {
      sentBytes += chunk.length;
      yield chunk;
    }
  };
  const expander = createZstdDecompress();
  yield* pipe(counted(), expander);
  if (expander.bytesWritten < sentBytes)
    throw new DomainError(
      "GZIP_INVALID",
      "The .zst has several frames, or something behind its end. Compress the table as one, or send it as it is.",
    );
}

/** A stream's bytes behind another one, to which its fault and its end pass on. */
function pipe(chunks: AsyncIterable<Buffer>, to: Duplex): Duplex {
  return Readable.from(chunks, { objectMode: false })
    .once("error", (error) => to.destroy(error))
    .pipe(to);
}

/** The bytes of a file, expanded where they begin as compressed ones do or its name says so. */
async function* expanded(source: Readable, fileName: string): AsyncGenerator<Buffer> {
  // Our fault must not end the source: multer would tell that instead of the fault, and the rest is still to be read.
  const chunks = source.iterator({ destroyOnReturn: false });
  const taken: Buffer[] = [];
  for (let bytes = 0; bytes < zstdMark.length; ) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    taken.push(value);
    bytes += value.length;
  }
  const all = async function* (): AsyncGenerator<Buffer> {
    yield* taken;
    yield* chunks;
  };
  const beginning = Buffer.concat(taken);
  const begins = (mark: Buffer): boolean => beginning.subarray(0, mark.length).equals(mark);
  if (begins(gzipMark) || /\.gz$/i.test(fileName)) yield* pipe(all(), createGunzip());
  else if (begins(zstdMark) || /\.zst$/i.test(fileName)) yield* unzstd(all());
  else yield* all();
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
          `The form has more than ten fields, or one of more than ${maxFieldBytes} bytes.`,
          { cause: error },
        );
    }
  }
  if (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    /^(Z_|ZSTD_|ERR_.*ZLIB|ERR_TRAILING)/.test(error.code)
  ) {
    return new DomainError(
      "GZIP_INVALID",
      "The file cannot be expanded: it is damaged, or not compressed as its name says.",
      {
        cause: error,
      },
    );
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

/** The text fields of a form. multer makes lists and objects of `name` sent twice and of `name[a]`; none is meant here. */
function textFields(body: unknown): Record<string, string> {
  const fields = { ...(body as Record<string, unknown>) };
  const nested = Object.keys(fields).find((name) => typeof fields[name] !== "string");
  if (nested !== undefined)
    throw new DomainError(
      "FIELD_INVALID",
      `Send the form field «${nested.slice(0, 80)}» once, by its plain name, without brackets.`,
    );
  return fields as Record<string, string>;
}

/**
 * Reads a form with one file into the temporary folder, expanding gzip, without ever holding it in memory.
 * Whatever fails, no temporary file stays behind.
 * @throws DomainError for what is wrong with the form, ClientClosedError when the client went away
 */
export async function receiveUpload(
  request: Request,
  response: Response,
  { storage, maxBytes, pace }: { storage: FileStorage; maxBytes: number; pace: Pace },
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
  const endWatch = watchPace(request, pace, () =>
    breaking.abort(
      new DomainError(
        "UPLOAD_TIMEOUT",
        `Less than ${pace.minBytes} bytes came in ${pace.windowSeconds} s. Send the file again, without a pause.`,
      ),
    ),
  );

  const write = async (source: Readable, fileName: string): Promise<void> => {
    const temporaryPath = storage.temporaryPath(randomUUID());
    let file: FileHandle | undefined;
    try {
      file = await open(temporaryPath, "wx");
      const written = await writeChecked(expanded(addAbortSignal(breaking.signal, source), fileName), file, maxBytes);
      await file.close();
      received = { temporaryPath, fileName, ...written };
    } catch (error) {
      await file?.close().catch(() => {}); // What was written is thrown away.
      await storage.discard(temporaryPath);
      throw error;
    }
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
    return { ...received, fields: textFields(request.body) };
  } catch (error) {
    // The writer may still be at work: only after it has ended is there nothing left to remove.
    await writing?.catch(() => {});
    if (received !== undefined) await storage.discard(received.temporaryPath);
    if (breaking.signal.aborted) throw breaking.signal.reason;
    if (isSystemError(error, "ECONNRESET") || (error instanceof Error && error.message === "Request aborted")) {
      throw new ClientClosedError();
    }
    throw toFault(error);
  } finally {
    endWatch();
    request.off("close", onClose);
  }
}

/**
 * Reads away a body that nobody wants any more, so that its sender hears the answer. With «Connection: close» every
 * second answer was lost: the socket closes while the client still writes, which fails with EPIPE before it reads.
 */
export function readAway(request: Request): void {
  request.unpipe();
  request.resume();
  const timer = setTimeout(() => request.destroy(), readAwaySeconds * 1000).unref();
  request.once("close", () => clearTimeout(timer));
}
