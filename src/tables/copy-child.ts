/** Entry of the process that makes a plain CSV of one file; src/tables/plain-copy.ts starts it, and ends it. */
import { writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { DuckDBInstance } from "@duckdb/node-api";
import { DomainError, type ErrorCode } from "../errors.ts";
import { giveWay } from "../give-way.ts";
import type { WatchedChild } from "../watch-child.ts";
import { sqlText } from "./csv-table.ts";
import { type PlainCsv, plainCsv } from "./plain-csv.ts";
import type { TableSource } from "./table-source.ts";

/** One copy, as given to the process. */
export interface CopyTask {
  readonly path: string;
  readonly source: TableSource;
  readonly copyPath: string;
  readonly maxBytes: number;
}

/** What the process says at last: an error's class would not survive the way back. */
export type CopyAnswer =
  | { readonly copied: PlainCsv }
  | { readonly refused: { readonly code: ErrorCode; readonly message: string } }
  | { readonly failed: { readonly message: string; readonly code?: string | undefined } };

const duckdbMegabytes = 256;

async function copy({ path, source, copyPath, maxBytes }: CopyTask): Promise<PlainCsv> {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: "1",
    memory_limit: `${duckdbMegabytes}MB`,
    temp_directory: "",
  });
  const connection = await instance.connect();
  const folders = [path, copyPath].map((file) => sqlText(dirname(file)));
  await connection.run(`SET allowed_directories = [${folders.join(", ")}]`);
  await connection.run("SET enable_external_access = false");
  await connection.run("SET lock_configuration = true");
  const query = async (sql: string, signal?: AbortSignal): Promise<unknown[][]> => {
    const interrupt = (): void => connection.interrupt();
    signal?.addEventListener("abort", interrupt);
    try {
      return (await (await connection.run(sql)).getRows()) as unknown[][];
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", interrupt);
    }
  };
  return plainCsv(path, source, { copyPath, maxBytes, query });
}

function toAnswer(error: unknown): CopyAnswer {
  if (error instanceof DomainError) return { refused: { code: error.code, message: error.message } };
  if (!(error instanceof Error)) return { failed: { message: String(error) } };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { failed: { message: error.message, code } };
}

const [parentPid, memoryBytes] = process.argv.slice(2).map(Number);
if (parentPid === undefined || memoryBytes === undefined || process.send === undefined)
  throw new Error("This is started by the service only.");
const workerData: WatchedChild = { parentPid, memoryBytes };
new Worker(new URL("../watch-child.ts", import.meta.url), { workerData, execArgv: [] }).unref();
giveWay();
try {
  // Where memory ends, the kernel takes this one and not the service.
  writeFileSync("/proc/self/oom_score_adj", "1000");
} catch {
  // Not Linux, or not allowed: the kernel takes the largest.
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.once("message", async (task: CopyTask) => {
  const answer = await copy(task).then((copied): CopyAnswer => ({ copied }), toAnswer);
  process.send?.(answer, undefined, undefined, () => {});
});
