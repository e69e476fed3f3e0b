import { openCsvEngine } from "../../tables/csv-engine.ts";
import { createEnginePool, type EnginePool } from "./engine-pool.ts";

/** The engines of a process, by what they are for: none has to wait for another purpose, or lacks memory by it. */
export interface CsvEngines {
  /** For uploads, which are bounded in number before they come here. */
  readonly checks: EnginePool;
  /** For the target that a run names, and the rows that somebody looks at. */
  readonly counts: EnginePool;
  readonly profiles: EnginePool;
  stop(): Promise<void>;
}

const maxWaitingCounts = 32;

/** All engines, none of them opened yet. The memory of all together is in docs/operations.md, under Capacity. */
export function createCsvEngines(folder: string): CsvEngines {
  const pool = (size: number, memoryMegabytes: number, maxWaiting: number): EnginePool =>
    createEnginePool(() => openCsvEngine([folder], memoryMegabytes), { size, maxWaiting });
  const checks = pool(2, 256, Number.POSITIVE_INFINITY);
  const counts = pool(1, 128, maxWaitingCounts);
  const profiles = pool(1, 256, 1);
  return {
    checks,
    counts,
    profiles,
    async stop() {
      await Promise.all([checks.stop(), counts.stop(), profiles.stop()]);
    },
  };
}
