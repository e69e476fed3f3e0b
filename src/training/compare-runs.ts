import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import { DomainError } from "../errors.ts";
import { compareModels } from "../models/compare-models.ts";
import type { KeptMeasures } from "../models/kept-measures.ts";
import type { Interval, RunMetrics } from "../models/model-metrics.ts";
import type { Tables } from "../store/schema.ts";
import { runNotFound } from "./run-not-found.ts";
import { type ComparedRun, findRunsToCompare } from "./run-repository.ts";

/** How much more of a metric a run has than the first one. */
export interface Difference {
  readonly difference: number;
  /** With 95 % confidence; null of metrics that rows can't tell one by one. */
  readonly interval: Interval | null;
}

/** Runs beside each other. */
export interface Comparison {
  readonly by: KeptMeasures["kind"];
  /** That were measured on. */
  readonly rows: number;
  readonly runs: readonly {
    readonly run: ComparedRun;
    readonly metrics: Readonly<Record<string, number>>;
    /** Null of the first. */
    readonly differences: Readonly<Record<string, Difference>> | null;
  }[];
}

/**
 * Compares runs that were measured on the same rows with the first of them.
 * @throws DomainError RUN_NOT_FOUND, RUNS_NOT_COMPARABLE
 */
export async function compareRuns(db: Kysely<Tables>, owner: string, ids: readonly string[]): Promise<Comparison> {
  const found = new Map((await findRunsToCompare(db, owner, ids)).map((run) => [run.id, run]));
  const runs = ids.map((id) => {
    const run = found.get(id);
    if (run === undefined) throw runNotFound();
    return run;
  });
  const measured = runs.map((run) => ({ run, kept: keptOf(run), metrics: flatMetrics(run, runs[0]!) }));
  const [first] = measured;
  if (first === undefined) throw new Error("Nothing is compared.");
  for (const other of measured) requireSameRows(first, other);
  // A quarter of a second of draws for ten runs, in slices: others have their turn between them.
  const intervals = await compareModels(
    measured.map(({ kept }) => kept),
    async () => void (await setImmediate()),
  );
  return {
    by: first.kept.kind,
    rows: first.kept.rows,
    runs: measured.map(({ run, metrics }, at) => ({
      run,
      metrics,
      differences: at === 0 ? null : differencesOf(first.metrics, metrics, intervals[at]!),
    })),
  };
}

function differencesOf(
  first: Readonly<Record<string, number>>,
  metrics: Readonly<Record<string, number>>,
  intervals: Readonly<Record<string, Interval>>,
): Record<string, Difference> {
  return Object.fromEntries(
    Object.entries(metrics).flatMap(([name, value]): [string, Difference][] => {
      if (first[name] === undefined) return [];
      const difference = value - first[name];
      const [low, high] = intervals[name] ?? [];
      // Of many rows some were drawn from: what was measured on all of them lies in it all the same.
      const interval: Interval | null =
        low === undefined || high === undefined ? null : [Math.min(low, difference), Math.max(high, difference)];
      return [[name, { difference, interval }]];
    }),
  );
}

/** Those that are a number, but for what is of one of two classes and says nothing beside a run that looks for the other. */
function flatMetrics({ metrics }: ComparedRun, of: ComparedRun): Record<string, number> {
  const isOfOther = classOf(metrics) !== classOf(of.metrics);
  return Object.fromEntries(
    Object.entries(metrics ?? {}).filter(
      (entry): entry is [string, number] =>
        typeof entry[1] === "number" && !(isOfOther && entry[0] === "averagePrecision"),
    ),
  );
}

const classOf = (metrics: ComparedRun["metrics"]): unknown => (metrics as Partial<RunMetrics> | null)?.positive?.class;

function keptOf({ id, status, kept_measures: kept }: ComparedRun): KeptMeasures {
  if (status !== "succeeded") throw notComparable(`Run ${id} has no model: it is ${status}. Name runs that succeeded.`);
  if (kept === null)
    throw notComparable(
      `Run ${id} is from before what a comparison needs was kept. Train it again with the same parameters.`,
    );
  return JSON.parse(kept) as KeptMeasures;
}

interface MeasuredRun {
  readonly run: ComparedRun;
  readonly kept: KeptMeasures;
}

function requireSameRows(first: MeasuredRun, other: MeasuredRun): void {
  const names = `Run ${other.run.id} and the first one, ${first.run.id},`;
  if (other.run.dataset_id !== first.run.dataset_id)
    throw notComparable(`${names} are of different datasets, or of versions of one. Name runs of the same.`);
  if (other.run.target !== first.run.target || other.run.task !== first.run.task)
    throw notComparable(`${names} have different targets or tasks. Name runs of the same.`);
  if (other.kept.kind !== first.kept.kind || other.kept.mark !== first.kept.mark)
    throw notComparable(
      `${names} were not measured on the same rows. Train them with the same \`validation\` and \`seed\`; by folds say \`repeats\` too.`,
    );
}

const notComparable = (message: string): DomainError => new DomainError("RUNS_NOT_COMPARABLE", message);
