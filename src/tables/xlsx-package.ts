import { open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { crc32, createInflateRaw } from "node:zlib";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { DomainError } from "../errors.ts";
import { nameOfKind } from "./name-of-kind.ts";

/** A zip names each of its files in its directory: more than these are no table with pictures. */
const maxEntries = 10_000;
const maxDirectoryBytes = 4 * 1024 * 1024;

/**
 * So many times smaller is no table packed: a sheet of Excel's is about 5 times, one that says the same in each row 20.
 * Apache POI's `ZipSecureFile` has the same bound. Smaller parts are soon read, and may be anything.
 */
const maxRatio = 100;
const leastBytesOfRatio = 16 * 1024 * 1024;

/**
 * Bytes that are decoded at a time. They may name 85 shared texts of 32,767 characters, which is 10 ms of work. And a text that
 * is kept holds the piece that it was cut from: of 64 KiB, a row would hold 128 MB.
 */
export const pieceBytes = 2_048;

/** The parts of an .xlsx file (ECMA-376 part 2, «Open Packaging Conventions»): files in a zip. */
export interface XlsxPackage {
  /** Of the parts that are there; in small letters, as names are the same in either (part 2, 6.2.2.3). */
  readonly has: (name: string) => boolean;
  /** Bytes that a part has when expanded, as the zip says; the reading of more or fewer is a fault. */
  readonly sizeOf: (name: string) => number;
  /**
   * The text of a part, in pieces of 2 KiB. After some 32 of them the event loop does other work, while more is unpacked.
   * @throws DomainError NOT_CSV where it is not there, or damaged; the signal's reason once that is aborted
   */
  readonly read: (name: string) => AsyncGenerator<string>;
  readonly close: () => Promise<void>;
}

/** The fault for a file that can't be read: whether by accident or by intent is one. */
export const damaged = (what: string, cause?: unknown): DomainError =>
  new DomainError("NOT_CSV", `The Excel file is damaged: ${what}. Open it in Excel and save it again, or as CSV.`, {
    cause,
  });

/** A fault of the disk is not one of the file. */
const asDamage = (error: unknown, what: string): unknown =>
  error instanceof DomainError || (error instanceof Error && "syscall" in error) ? error : damaged(what, error);

async function refuseOtherKinds(path: string): Promise<void> {
  await using handle = await open(path);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(200), 0, 200, 0);
  const firstBytes = buffer.subarray(0, bytesRead);
  if (firstBytes.toString("latin1").startsWith("PK")) return;
  // A workbook with a password is an OLE file around the encrypted one ([MS-OFFCRYPTO] 2.3.4).
  if (firstBytes.subarray(0, 4).equals(Buffer.from([0xd0, 0xcf, 0x11, 0xe0])))
    throw new DomainError(
      "NOT_CSV",
      "This is a workbook with a password, or one of old Excel (.xls). Save it as .xlsx without a password, or as CSV.",
    );
  const kind = nameOfKind(firstBytes) ?? "no Excel workbook";
  throw new DomainError("NOT_CSV", `This is ${kind}. Send the table as .xlsx or CSV.`);
}

async function entriesOf(zip: ZipFile, signal: AbortSignal | undefined): Promise<Map<string, Entry>> {
  if (zip.entryCount > maxEntries) throw damaged(`it has more than ${maxEntries} files within`);
  const entries = new Map<string, Entry>();
  let directoryBytes = 0;
  for await (const entry of zip.eachEntry()) {
    signal?.throwIfAborted();
    directoryBytes += entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
    if (directoryBytes > maxDirectoryBytes) throw damaged("the names of the files within are too long");
    const name = entry.fileName.toLowerCase();
    if (!entries.has(name)) entries.set(name, entry);
  }
  return entries;
}

/**
 * Opens the zip and reads its directory.
 * @param signal ends this and each reading, with its reason
 * @throws DomainError NOT_CSV for what is no zip, or a damaged one
 */
export async function openPackage(path: string, signal: AbortSignal | undefined): Promise<XlsxPackage> {
  await refuseOtherKinds(path);
  const zip = await openPromise(path, { autoClose: false }).catch((error: unknown) => {
    throw asDamage(error, "it has no end, as after a download that was broken off");
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      // One that fails has no more to give back: the number of the open file is gone either way (close(2)).
      zip.once("close", resolve).once("error", () => resolve());
      zip.close();
    });
  let entries: Map<string, Entry>;
  try {
    entries = await entriesOf(zip, signal);
  } catch (error) {
    await close();
    if (signal?.aborted) throw error;
    throw asDamage(error, "its list of files can't be read");
  }

  function entryOf(name: string): Entry {
    const entry = entries.get(name.toLowerCase());
    if (entry === undefined) throw damaged(`its part «${name.slice(0, 80)}» is missing`);
    if (entry.isEncrypted()) throw new DomainError("NOT_CSV", "The file has a password. Send it without one.");
    if (!entry.canDecodeFileData()) throw damaged(`its part «${name.slice(0, 80)}» is packed in an unknown way`);
    if (entry.uncompressedSize > Math.max(leastBytesOfRatio, maxRatio * entry.compressedSize))
      throw damaged(`its part «${name.slice(0, 80)}» says the same more than ${maxRatio} times`);
    return entry;
  }

  async function* bytesOf(entry: Entry): AsyncGenerator<Buffer> {
    const packed = await zip.openReadStreamPromise(entry, { decodeFileData: false });
    // Not by yauzl, which leaves its zlib open to the garbage collector. A fault ends both, and so comes out of the loop.
    const bytes = entry.compressionMethod === 8 ? pipeline(packed, createInflateRaw(), () => undefined) : packed;
    let sizeBytes = 0;
    let checksum = 0;
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      sizeBytes += chunk.length;
      if (sizeBytes > entry.uncompressedSize) throw new Error("More bytes than its directory says.");
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
    if (sizeBytes < entry.uncompressedSize) throw new Error("Fewer bytes than its directory says.");
    if (checksum !== entry.crc32) throw new Error("Other bytes than those that were packed, by their checksum.");
  }

  async function* read(name: string): AsyncGenerator<string> {
    signal?.throwIfAborted();
    const entry = entryOf(name);
    const decoder = new TextDecoder("utf-8", { fatal: true });
    try {
      for await (const chunk of bytesOf(entry))
        for (let at = 0; at < chunk.length; at += pieceBytes)
          yield decoder.decode(chunk.subarray(at, at + pieceBytes), { stream: true });
      yield decoder.decode();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw asDamage(error, `its part «${name.slice(0, 80)}» can't be unpacked`);
    }
  }

  return {
    has: (name) => entries.has(name.toLowerCase()),
    sizeOf: (name) => entryOf(name).uncompressedSize,
    read,
    close,
  };
}
