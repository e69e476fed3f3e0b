/** Entry of the process that makes a plain CSV of one file; src/tables/plain-copy.ts starts it, and ends it. */
import { flushCompileCache } from "node:module";
import { dirname } from "node:path";
import { beginApart } from "../begin-apart.ts";
import { DomainError, type ErrorCode } from "../errors.ts";
import { openCsvEngine } from "./csv-engine.ts";
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
  const { query } = await openCsvEngine([dirname(path), dirname(copyPath)], duckdbMegabytes);
  return plainCsv(path, source, { copyPath, maxBytes, query });
}

function toAnswer(error: unknown): CopyAnswer {
  if (error instanceof DomainError) return { refused: { code: error.code, message: error.message } };
  if (!(error instanceof Error)) return { failed: { message: String(error) } };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { failed: { message: error.message, code } };
}

beginApart();
process.once("message", async (task: CopyTask) => {
  const answer = await copy(task).then((copied): CopyAnswer => ({ copied }), toAnswer);
  // Node keeps compiled code at the end of a process, and this one is killed.
  flushCompileCache();
  process.send?.(answer, undefined, undefined, () => {});
});
