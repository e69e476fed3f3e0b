import type { Kysely } from "kysely";
import { describeSpan, failSpan, withSpan } from "../monitoring/spans.ts";
import { linkTo } from "../queue/job-trace.ts";
import type { Tables } from "../store/schema.ts";
import type { RunFault } from "./run-lifecycle.ts";
import { markFailed, type Run, readAttemptTraces } from "./run-repository.ts";

/**
 * Ends a run as failed whose process has died: there is no attempt whose span could tell of its end, so this one does,
 * with links to the attempts that there were.
 * @returns undefined when the run is final already, or another attempt's
 */
export async function endLostRun(
  db: Kysely<Tables>,
  { id, attempt, mode, task }: Pick<Run, "id" | "attempt" | "mode" | "task">,
  fault: RunFault,
  nowMs: number,
): Promise<Run | undefined> {
  const links = (await readAttemptTraces(db, id)).flatMap(linkTo);
  return withSpan(
    "training end",
    { attempt, mode, task },
    async (span) => {
      const failed = await markFailed(db, id, attempt, fault, nowMs);
      describeSpan(span, { outcome: failed === undefined ? "lost" : "failed" });
      if (failed !== undefined) failSpan(span, fault);
      return failed;
    },
    { links, beginsTrace: true },
  );
}
