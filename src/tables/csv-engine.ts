import { DuckDBInstance } from "@duckdb/node-api";
import { lockTo } from "./lock-to.ts";

/** Asks DuckDB, locked to the storage folder: it must never read what a user names. */
export interface CsvReader {
  /** Rows of one statement as plain arrays. */
  query(sql: string): Promise<unknown[][]>;
}

/** A DuckDB with memory of its own, for one statement at a time. */
export interface CsvEngine {
  /** Rows of one statement as plain arrays; ended in the middle, with the signal's reason, once the signal is aborted. */
  query(sql: string, signal?: AbortSignal): Promise<unknown[][]>;
  /** How much of the files of the statement in hand is read, 0 to 100; undefined where that is not known. */
  percentage(): number | undefined;
  /** False after a fault that is not one of the statement or its file: then it is to be closed, and another opened. */
  isSound(): boolean;
  /** Ends what is asked in the middle, waits for that, and gives the memory back. */
  close(): Promise<void>;
}

/** Whether a statement needed more memory than its engine may take. */
export const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith("Out of Memory Error");

// An interrupt that comes before the statement has begun is forgotten: it is said again until the statement has ended.
const interruptEveryMs = 20;
const faultsOfStatements = /^(Conversion|Invalid Input) Error/;

/**
 * Opens an engine that reads and writes below these folders only. One thread: a second one makes a check of 10 MiB 15 % dearer
 * (docs/performance.md), and uploads at the same time have a thread each anyway.
 */
export async function openCsvEngine(folders: readonly string[], memoryMegabytes = 256): Promise<CsvEngine> {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: "1",
    memory_limit: `${memoryMegabytes}MB`,
    // By itself it would write what does not fit into a folder below the working directory, without a bound.
    temp_directory: "",
  });
  const connection = await instance.connect();
  // Without these two DuckDB keeps no progress, or draws a bar; both are of the connection, and can't be set once it is locked.
  await connection.run("SET enable_progress_bar_print = false");
  await connection.run("SET enable_progress_bar = true");
  await lockTo(connection, folders);
  const closing = new AbortController();
  const inHand = new Set<Promise<unknown>>();
  let isSound = true;

  async function ask(sql: string, signal: AbortSignal): Promise<unknown[][]> {
    signal.throwIfAborted();
    let interrupting: NodeJS.Timeout | undefined;
    const interrupt = (): void => {
      connection.interrupt();
      interrupting ??= setInterval(() => connection.interrupt(), interruptEveryMs);
    };
    signal.addEventListener("abort", interrupt);
    try {
      return (await (await connection.run(sql)).getRows()) as unknown[][];
    } catch (error) {
      signal.throwIfAborted();
      isSound &&= error instanceof Error && faultsOfStatements.test(error.message);
      throw error;
    } finally {
      signal.removeEventListener("abort", interrupt);
      clearInterval(interrupting);
    }
  }

  return {
    query(sql, signal) {
      const asking = ask(sql, signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]));
      const ended = asking.catch(() => {}).finally(() => inHand.delete(ended)); // The asker hears the fault.
      inHand.add(ended);
      return asking;
    },
    percentage() {
      const { percentage } = connection.progress;
      return percentage < 0 ? undefined : percentage;
    },
    isSound: () => isSound,
    async close() {
      closing.abort(new Error("The engine is closed."));
      await Promise.all(inHand);
      // Only now: closed while its statement runs, a connection makes the event loop wait for the statement's end.
      connection.closeSync();
      instance.closeSync();
    },
  };
}
