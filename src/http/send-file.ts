import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Request, Response } from "express";
import { DomainError, type ErrorCode, isSystemError } from "../errors.ts";
import { answerFailed } from "../monitoring/metrics.ts";
import type { FileKind, FileStorage } from "../storage/file-storage.ts";

/** A file to send, with its strong ETag: the content's hash. */
export interface SentFile {
  readonly storage: Pick<FileStorage, "sizeOf" | "open" | "downloadUrl">;
  readonly kind: FileKind;
  readonly id: string;
  readonly sha256: string;
  readonly contentType: string;
  readonly fileName: string;
}

/** How `sendFile` answers but for 200, for the OpenAPI document. */
export const fileResponses = {
  206: { description: "The range that was asked for." },
  304: { description: "Unchanged." },
  307: { description: "Fetch it at Location; only with S3__PRESIGN_SECONDS." },
} as const;
export const fileErrors = [
  "RANGE_NOT_SATISFIABLE",
  "FILE_MISSING_IN_STORAGE",
  "STORAGE_UNAVAILABLE",
] as const satisfies ErrorCode[];

/**
 * One range, both ends inclusive; undefined for a whole file, which several ranges get too (RFC 9110, 14.2).
 * @throws DomainError RANGE_NOT_SATISFIABLE
 */
export function readRange(header: string | undefined, sizeBytes: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  const [, from = "", to = ""] = match;
  // Backwards is no valid range, and what is not valid is ignored (RFC 9110, 14.1.1).
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  const start = from === "" ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const end = from === "" || to === "" ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (start >= sizeBytes) throw new DomainError("RANGE_NOT_SATISFIABLE", `The file has ${sizeBytes} bytes.`);
  return { start, end };
}

/** Whether the caller has what this ETag names, by If-None-Match. */
export function isKnown(request: Request, etag: string): boolean {
  const known = request.headers["if-none-match"];
  return (
    known !== undefined && (known === "*" || known.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag))
  );
}

/**
 * Sends a file with ETag, If-None-Match, If-Range and single ranges, or the address where the client may fetch it.
 * @throws DomainError FILE_MISSING_IN_STORAGE
 */
export async function sendFile(request: Request, response: Response, file: SentFile): Promise<void> {
  const { storage, kind, id, contentType } = file;
  const sizeBytes = await storage.sizeOf(kind, id);
  const etag = `"${file.sha256}"`;
  response.setHeader("ETag", etag);
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("Cache-Control", "private, no-cache");
  if (isKnown(request, etag)) {
    response.status(304).end();
    return;
  }
  if (request.method === "GET") {
    const disposition = String(response.attachment(file.fileName).getHeader("Content-Disposition"));
    const url = await storage.downloadUrl(kind, id, { contentType, disposition });
    if (url !== undefined) {
      // Kept by nobody: the address is as good as a key, and soon of no use.
      response.removeHeader("Content-Disposition");
      response.setHeader("Cache-Control", "no-store").redirect(307, url);
      return;
    }
  }
  const isSameContent = request.headers["if-range"] === undefined || request.headers["if-range"] === etag;
  let range: { start: number; end: number } | undefined;
  try {
    // A HEAD has no ranges (RFC 9110, 14.2): it tells of the whole file.
    const hasRange = request.method === "GET" && isSameContent;
    range = hasRange ? readRange(request.headers.range, sizeBytes) : undefined;
  } catch (error) {
    response.setHeader("Content-Range", `bytes */${sizeBytes}`);
    throw error;
  }
  response.attachment(file.fileName);
  response.setHeader("Content-Type", contentType);
  response.setHeader("Content-Length", range === undefined ? sizeBytes : range.end - range.start + 1);
  if (range !== undefined) {
    response.status(206).setHeader("Content-Range", `bytes ${range.start}-${range.end}/${sizeBytes}`);
  }
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  // Opened before the status goes out: a file that vanished meanwhile is still answered as a fault.
  await sendStream(request, response, await storage.open(kind, id, range));
}

/**
 * Sends what a stream gives, after the headers; one that breaks off breaks the answer off.
 * @throws DomainError INTERNAL_ERROR where it could not be read to its end
 */
export async function sendStream(request: Request, response: Response, stream: Readable): Promise<void> {
  // Before `pipeline` hears of it, which breaks the answer off: later nobody could tell that it was not the client.
  stream.once("error", () => answerFailed(request, 0));
  try {
    await pipeline(stream, response);
  } catch (error) {
    // The client went away: nobody is left to answer.
    if (isSystemError(error, "ERR_STREAM_PREMATURE_CLOSE")) return;
    if (error instanceof DomainError) throw error;
    throw new DomainError("INTERNAL_ERROR", "The file could not be read to its end.", { cause: error });
  }
}
