import type { Kysely } from "kysely";
import type { Logger } from "../log.ts";
import type { Tables } from "../store/schema.ts";
import { filesOf, isWhole } from "./copy-files.ts";
import { type FileStorage, fileKinds } from "./file-storage.ts";
import { forgetLostTyped } from "./forget-typed.ts";

/** What the files of all rows are like. */
export interface FilesReport {
  whole: number;
  /** Rows whose file is not there, or is not the one that was kept. */
  missing: number;
  damaged: number;
  /** Typed copies of which the same is true: their rows name them no more, and they are made again. */
  typedForgotten: number;
  failed: number;
}

/** Reads the file of every row and holds it against the size and the hash in its row. */
export async function verifyFiles({
  db,
  storage,
  log,
}: {
  readonly db: Kysely<Tables>;
  readonly storage: FileStorage;
  readonly log: Logger;
}): Promise<FilesReport> {
  const report: FilesReport = { whole: 0, missing: 0, damaged: 0, typedForgotten: 0, failed: 0 };
  for (const kind of fileKinds) {
    for await (const file of filesOf(db, kind)) {
      const about = { kind, fileId: file.id };
      try {
        const isThere = await storage.exists(kind, file.id);
        const isKept = isThere && (await isWhole(storage, kind, file));
        if (isKept) {
          report.whole += 1;
        } else if (kind === "typed") {
          await forgetLostTyped({ db, log }, file.id);
          report.typedForgotten += 1;
        } else if (!isThere) {
          report.missing += 1;
          log.error(about, "a row's file is not there");
        } else {
          report.damaged += 1;
          log.error(about, "a file is not the one that was kept");
        }
      } catch (error) {
        report.failed += 1;
        log.error({ err: error, ...about }, "a file could not be read");
      }
    }
  }
  return report;
}
