import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { DomainError } from "../errors.ts";
import type { KeptFile } from "./file-storage.ts";
import { fileMissing, StorageFault } from "./storage-fault.ts";

const maxAttempts = 3;
const firstPauseMs = 200;

/** Writes the stream to the path and holds it to what its row says. */
async function writeVerified(body: Readable, path: string, file: KeptFile, signal: AbortSignal): Promise<void> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  await pipeline(
    body,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        sizeBytes += chunk.length;
        if (sizeBytes > file.sizeBytes) break;
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path, { flags: "wx" }),
    { signal },
  );
  if (sizeBytes === file.sizeBytes && hash.digest("hex") === file.sha256) return;
  throw fileMissing(
    new StorageFault(`The stored file ${file.id} is not the one that was kept: size or SHA-256 differ.`, "Damaged"),
  );
}

/**
 * Brings a file to a local path, whole and as its row says, or not at all. A body that breaks off is asked for again;
 * the SDK's retries end with the headers.
 */
export async function fetchFile(
  open: () => Promise<Readable>,
  path: string,
  file: KeptFile,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const body = await open();
    try {
      return await writeVerified(body, path, file, signal);
    } catch (error) {
      await rm(path, { force: true });
      const isBrokenOff = error instanceof DomainError && error.code === "STORAGE_UNAVAILABLE";
      if (!isBrokenOff || attempt === maxAttempts || signal.aborted) throw error;
    }
    await delay(Math.random() * firstPauseMs * 2 ** attempt, undefined, { signal });
  }
}
