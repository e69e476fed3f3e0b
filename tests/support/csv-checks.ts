import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CheckedCsv, type CsvLimits, checkCsv } from "../../src/datasets/checks/check-csv.ts";
import type { DomainError } from "../../src/errors.ts";
import { openCsvEngine } from "../../src/tables/csv-engine.ts";
import { faultOf } from "./fault-of.ts";

/** Limits that nearly every file keeps. */
export const lenient: CsvLimits = { minDataRows: 1, maxEmptyRatio: 1 };

/** Checks one CSV after the other, in a folder of its own. */
export interface CsvChecks {
  readonly folder: string;
  /** Where the last one stands. */
  readonly path: string;
  check(content: string, limits?: CsvLimits, target?: string): Promise<CheckedCsv>;
  /** The fault that a check ends with. */
  refusal(content: string, limits?: CsvLimits, target?: string): Promise<DomainError>;
  /** Ends the engine and removes the folder. */
  close(): Promise<void>;
}

/** Checks with an engine as the service has them. */
export async function openCsvChecks(): Promise<CsvChecks> {
  const folder = await mkdtemp(join(tmpdir(), "check-csv-"));
  const path = join(folder, "file.csv");
  const engine = await openCsvEngine([folder]);
  const check: CsvChecks["check"] = async (content, limits = lenient, target) => {
    await writeFile(path, content);
    return checkCsv(engine, path, { target }, limits);
  };
  return {
    folder,
    path,
    check,
    refusal: (content, limits, target) => faultOf(() => check(content, limits, target)),
    async close() {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
