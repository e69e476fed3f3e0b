import type { Readable } from "node:stream";

/** What is kept as files, each kind in its folder: what was sent, typed copies of it, and models. */
export const fileKinds = ["dataset", "typed", "artifact"] as const;

export type FileKind = (typeof fileKinds)[number];

/** A file as its row describes it. */
export interface KeptFile {
  readonly id: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** A file that can be read by its path, for as long as it is held. */
export interface LocalFile extends AsyncDisposable {
  readonly path: string;
}

/** The bytes behind the rows: whole files or none, never half of one. */
export interface FileStorage {
  /** Where the files are, and which settings say so: for messages to people. */
  readonly place: { readonly name: string; readonly setBy: string };
  /** The local folder below which everything lies that is read by its path: DuckDB may read there and nowhere else. */
  readonly localFolder: string;
  /** A path in the temporary folder that nobody else uses; the writer creates the file, and discards it in the end. */
  temporaryPath(name: string): string;
  /** Makes a temporary file permanent: after a crash the file is whole or not there. The temporary one may stay. */
  keep(temporaryPath: string, kind: FileKind, file: KeptFile): Promise<void>;
  /** The file under a local path until it is disposed of. @throws DomainError FILE_MISSING_IN_STORAGE */
  localFile(kind: FileKind, file: KeptFile, signal?: AbortSignal): Promise<LocalFile>;
  /** @throws DomainError FILE_MISSING_IN_STORAGE */
  sizeOf(kind: FileKind, id: string): Promise<number>;
  /**
   * A stream of the file or of a byte range of it (both ends inclusive), once it is known to be there.
   * @throws DomainError FILE_MISSING_IN_STORAGE
   */
  open(kind: FileKind, id: string, range?: { start: number; end: number }): Promise<Readable>;
  /** Where the client may fetch it itself; undefined: it is sent by us. */
  downloadUrl(
    kind: FileKind,
    id: string,
    as: { readonly contentType: string; readonly disposition: string },
  ): Promise<string | undefined>;
  /** Removes it. @returns false when it was not there */
  remove(kind: FileKind, id: string): Promise<boolean>;
  /** Removes a temporary file; nothing happens when it is gone already. */
  discard(temporaryPath: string): Promise<void>;
  exists(kind: FileKind, id: string): Promise<boolean>;
  /** Ids of the kind with the time of their last change. */
  list(kind: FileKind): Promise<{ id: string; modifiedMs: number }[]>;
  /** Names of the temporary files with the time of their last change. */
  listTemporary(): Promise<{ id: string; modifiedMs: number }[]>;
  /** Removes what writers left half done in a storage that is elsewhere, older than that. @returns how many */
  removeUnfinished(olderThanMs: number): Promise<number>;
  /** The number that ties the files to their database; undefined: none yet. */
  readMark(): Promise<string | undefined>;
  writeMark(mark: string): Promise<void>;
  /** Of the file system that holds the files; undefined where nobody knows. */
  space(): Promise<{ availableBytes: number; sizeBytes: number } | undefined>;
  /** Throws when files can't be read or written, with the reason. */
  check(): Promise<void>;
  stop(): Promise<void>;
}
