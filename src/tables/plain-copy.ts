import { askApart, describeEnd } from "../ask-apart.ts";
import { DomainError } from "../errors.ts";
import type { CopyAnswer, CopyTask } from "./copy-child.ts";
import { isOutOfMemory } from "./csv-engine.ts";
import { type PlainCsv, plainCsv } from "./plain-csv.ts";
import type { TableSource } from "./table-source.ts";

const entry = new URL("./copy-child.ts", import.meta.url);
/** Of one process: DuckDB's 256 MB, Node itself, and what Parquet's texts take beside DuckDB's count. */
const memoryBytes = 640 * 1024 * 1024;
const heapMebibytes = 256;
/** A workbook of some megabytes that was made to be slow takes a minute. */
const longestMs = 300_000;

const tooLarge = (): DomainError =>
  new DomainError(
    "DATASET_TOO_WIDE",
    `To read the file takes more than ${memoryBytes / 1024 / 1024} MiB of memory or ${longestMs / 1000} s. Send it as CSV, or with fewer columns or shorter cells.`,
  );

/**
 * The file itself where it is a plain CSV already, else a copy that is one. What other code than ours makes of a stranger's
 * bytes, or what takes long, is made in a process of its own: a Parquet of 321 bytes ended the service, one of 1.8 KB took 4 GB.
 * @throws DomainError for a file that is not what it seemed; the signal's reason once it is aborted
 */
export async function plainCopy(
  path: string,
  source: TableSource,
  parts: { readonly copyPath: string; readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<PlainCsv> {
  if (source.format === "csv") return plainCsv(path, source, parts);
  return copyApart({ path, source, copyPath: parts.copyPath, maxBytes: parts.maxBytes }, parts.signal);
}

async function copyApart(task: CopyTask, asked: AbortSignal): Promise<PlainCsv> {
  const timeout = AbortSignal.timeout(longestMs);
  const asking = askApart<CopyAnswer>(entry, task, {
    heapMebibytes,
    memoryBytes,
    signal: AbortSignal.any([asked, timeout]),
    answerOf: (message) => message as CopyAnswer,
  });
  const { answer, end } = await asking.catch((error: unknown) => {
    asked.throwIfAborted();
    throw timeout.aborted ? tooLarge() : error;
  });
  if (answer === undefined) {
    if (end.heldBytes !== undefined || end.isHeapFull) throw tooLarge();
    throw new DomainError(
      "NOT_CSV",
      "The file cannot be read: its reader broke off. It is damaged, or made so. Send it as CSV.",
      { cause: new Error(`The process ended by ${describeEnd(end)}`) },
    );
  }
  if ("copied" in answer) return answer.copied;
  if ("refused" in answer) throw new DomainError(answer.refused.code, answer.refused.message);
  const error = Object.assign(new Error(answer.failed.message), { code: answer.failed.code });
  throw isOutOfMemory(error) ? tooLarge() : error;
}
