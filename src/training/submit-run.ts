import type { Kysely } from "kysely";
import { v7 as uuidv7 } from "uuid";
import type { Clock } from "../clock.ts";
import { taskOf } from "../datasets/checks/target-policy.ts";
import { countDistinct } from "../datasets/engines/count-distinct.ts";
import type { CsvEngines } from "../datasets/engines/csv-engines.ts";
import {
  dialectOf,
  findDataset,
  findDatasetForTraining,
  keptFileOf,
  readDistinct,
} from "../datasets/kept/dataset-repository.ts";
import { DomainError } from "../errors.ts";
import { inMebibytes, leastTrainingBytes } from "../models/least-memory.ts";
import type { RunMode } from "../models/model.ts";
import type { TrainParameters } from "../models/train-request.ts";
import type { JobQueue } from "../queue/job-queue.ts";
import type { Config } from "../settings/config.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import type { Store } from "../store/database.ts";
import type { ColumnSummary, SaidOfTable, Tables } from "../store/schema.ts";
import { requireUsableParameters } from "./check-parameters.ts";
import { findRunOfKey, hashRequest, rememberKey } from "./idempotency.ts";
import { nextTurn } from "./run-lifecycle.ts";
import { countWaitingRuns, type DescribedRun, findRun, insertRun, lockOwner, readTurns } from "./run-repository.ts";

export type TrainingTask = "classification" | "regression";

/** What a caller asks for. */
export interface RunRequest {
  readonly datasetId: string;
  readonly mode: RunMode;
  readonly target?: string | undefined;
  readonly task?: TrainingTask | undefined;
  readonly features?: readonly string[] | undefined;
  readonly parameters?: TrainParameters | undefined;
}

export interface TrainableDataset {
  readonly columns: readonly ColumnSummary[];
  readonly target: string;
  readonly task: TrainingTask;
  readonly said: Pick<SaidOfTable, "leftOut"> | null;
}

// One place is free again when a run has been taken; how soon that is depends on the data.
const queueFullRetrySeconds = 10;
const mostToldFeatures = 20;

/**
 * Target and task of a run: the dataset's, unless the caller names others.
 * @param guessedTask for another target than the dataset's, when the caller names no task
 * @throws DomainError TARGET_UNKNOWN, TARGET_NOT_NUMERIC, FEATURE_UNKNOWN, FEATURE_LEFT_OUT
 */
export function resolveTarget(
  request: Pick<RunRequest, "target" | "task" | "features">,
  dataset: TrainableDataset,
  guessedTask: TrainingTask | undefined,
): { target: string; task: TrainingTask } {
  const target = request.target ?? dataset.target;
  const column = dataset.columns.find(({ name }) => name === target);
  if (column === undefined)
    throw new DomainError(
      "TARGET_UNKNOWN",
      `The dataset has no column "${target}". GET /datasets/{id} lists its columns.`,
    );
  const task = request.task ?? (target === dataset.target ? dataset.task : (guessedTask ?? "classification"));
  if (task === "regression" && column.type !== "number") {
    throw new DomainError(
      "TARGET_NOT_NUMERIC",
      `Column "${target}" holds ${column.type === "text" ? "text" : `${column.type}s`}: take it as a classification, or name a numeric target.`,
    );
  }
  const known = new Set(dataset.columns.map(({ name }) => name));
  const unknown = request.features?.filter((name) => !known.has(name) || name === target) ?? [];
  if (unknown.length > 0) {
    const { told, words } = tell(unknown, (name) => (name === target ? `"${name}" (it is the target)` : `"${name}"`));
    throw new DomainError(
      "FEATURE_UNKNOWN",
      `These can't be features: ${words}. Name columns of the dataset other than the target.`,
      {
        fields: told.map((name) => ({
          path: "features",
          message: name === target ? `${name} is the target` : `${name} is no column of the dataset`,
        })),
      },
    );
  }
  requireNoneLeftOut(request.features, dataset);
  return { target, task };
}

/** Ten thousand may be asked for: an answer that repeats all of them is megabytes, and no help. */
function tell(names: readonly string[], say: (name: string) => string): { told: readonly string[]; words: string } {
  const told = names.slice(0, mostToldFeatures);
  const others = names.length > told.length ? ` and ${names.length - told.length} more` : "";
  return { told, words: told.map(say).join(", ") + others };
}

/** @throws DomainError FEATURE_LEFT_OUT */
function requireNoneLeftOut(features: RunRequest["features"], { said }: TrainableDataset): void {
  const leftOut = new Set(said?.leftOut);
  const unwanted = features?.filter((name) => leftOut.has(name)) ?? [];
  if (unwanted.length === 0) return;
  const { told, words } = tell(unwanted, (name) => `"${name}"`);
  throw new DomainError(
    "FEATURE_LEFT_OUT",
    `The dataset's \`leftOut\` has ${words}: nothing shall be learnt from these. Take that back by PATCH /datasets/{id} with a \`leftOut\` without them, null for none, or name other columns.`,
    { fields: told.map((name) => ({ path: "features", message: `${name} is left out of the dataset` })) },
  );
}

/**
 * What can't fit is refused before it waits and fails.
 * @throws DomainError TRAINING_TOO_LARGE
 */
export function requireMemory(
  { mode, features }: Pick<RunRequest, "mode" | "features">,
  dataset: { readonly row_count: number } & Pick<TrainableDataset, "said" | "columns" | "target">,
  memoryBytes: number,
): void {
  const wanted = features && new Set([...features, dataset.target]);
  const leftOut = new Set(dataset.said?.leftOut);
  const loaded = dataset.columns.filter(({ name }) => wanted?.has(name) ?? !leftOut.has(name));
  const columns = loaded.length;
  const textColumns = loaded.filter(({ type }) => type === "text").length;
  // Of a search the least is that of a heavy one, which it comes to where a light one has no room.
  const least = mode === "auto" ? "heavy" : mode;
  const neededBytes = leastTrainingBytes({ rows: dataset.row_count, columns, textColumns, mode: least });
  if (neededBytes <= memoryBytes) return;
  throw new DomainError(
    "TRAINING_TOO_LARGE",
    `${dataset.row_count} rows of ${columns} columns need at least ${inMebibytes(neededBytes)} to train on, and TRAINING_MEMORY_BYTES allows ${inMebibytes(memoryBytes)}. Name fewer columns in \`features\`, send fewer rows, or let the operator raise it.`,
  );
}

/** A task that was guessed, and of which reading of the dataset. */
interface GuessedTask {
  readonly task: TrainingTask | undefined;
  readonly reading: number;
}

/** Classes or a quantity? Counted only when the run names another target and no task; before the transaction opens. */
async function guessTask(
  { db, storage, csvEngines }: Pick<SubmitParts, "db" | "storage" | "csvEngines">,
  owner: string,
  request: RunRequest,
): Promise<GuessedTask | undefined> {
  if (request.target === undefined || request.task !== undefined) return undefined;
  const dataset = await findDataset(db, owner, request.datasetId);
  if (dataset === undefined) return undefined;
  const { reading } = dataset;
  const index = dataset.columns.findIndex(({ name }) => name === request.target);
  const type = dataset.columns[index]?.type;
  if (type === undefined || request.target === dataset.target) return { task: undefined, reading };
  if (type !== "number") return { task: taskOf({ type, distinct: 0 }), reading };
  const distinct =
    (await readDistinct(db, dataset, index)) ??
    (await countDistinct(
      { storage, csvEngines },
      owner,
      { ...keptFileOf(dataset), dialect: dialectOf(dataset) },
      index,
    ));
  return { task: taskOf({ type, distinct }), reading };
}

/** What taking a run needs. */
interface SubmitParts {
  readonly store: Pick<Store, "requireRoom">;
  readonly db: Kysely<Tables>;
  readonly storage: FileStorage;
  readonly csvEngines: CsvEngines;
  readonly queue: JobQueue;
  readonly config: Config;
  readonly clock: Clock;
}

/**
 * Takes a run in: row, job and key are there together or not at all.
 * @returns the run; the earlier one when the key was sent with the same request before
 */
export async function submitRun(
  parts: SubmitParts,
  {
    owner,
    request,
    idempotencyKey,
    nameRun,
  }: {
    readonly owner: string;
    readonly request: RunRequest;
    readonly idempotencyKey: string | undefined;
    /** Hears the run's id as soon as it is known; where the run is refused nobody ever learns it. */
    readonly nameRun: (runId: string) => void;
  },
): Promise<DescribedRun> {
  const { store, db, queue, config, clock } = parts;
  const id = uuidv7();
  if (idempotencyKey === undefined) nameRun(id);
  await store.requireRoom();
  const nowMs = clock.nowMs();
  const requestHash = hashRequest(request);
  const takeIn = async (tx: Kysely<Tables>, guessed: GuessedTask | undefined): Promise<DescribedRun | undefined> => {
    await lockOwner(tx, owner);
    if (idempotencyKey !== undefined) {
      const knownId = await findRunOfKey(tx, { owner, key: idempotencyKey, requestHash, nowMs });
      if (knownId !== undefined) nameRun(knownId);
      const known = knownId === undefined ? undefined : await findRun(tx, owner, knownId);
      if (known !== undefined) return known;
      nameRun(id);
    }
    const dataset = await findDatasetForTraining(tx, owner, request.datasetId);
    if (dataset === undefined)
      throw new DomainError("DATASET_NOT_FOUND", "There is no such dataset. GET /datasets lists yours.");
    if (guessed !== undefined && guessed.reading !== dataset.reading) return undefined;
    const { target, task } = resolveTarget(request, dataset, guessed?.task);
    requireUsableParameters(request, { ...dataset, target, task, timeoutSeconds: config.trainingTimeoutSeconds });
    requireMemory(request, { ...dataset, target }, config.trainingMemoryBytes);
    const waiting = await countWaitingRuns(tx, owner);
    if (waiting >= config.maxQueuedRunsPerOwner) {
      throw new DomainError(
        "QUEUE_FULL",
        `${waiting} of your runs wait already, as many as may. Try again when one has started, or cancel one.`,
        {
          retryAfterSeconds: queueFullRetrySeconds,
        },
      );
    }
    const turn = nextTurn(await readTurns(tx, owner));
    const run = await insertRun(tx, {
      id,
      turn,
      owner,
      datasetId: request.datasetId,
      mode: request.mode,
      task,
      target,
      features: request.features,
      parameters: request.parameters ?? {},
      createdAt: new Date(nowMs),
    });
    // The job has the run's id: whoever finds one finds the other.
    await queue.send("training", { runId: id }, tx, { id, priority: -turn });
    if (idempotencyKey !== undefined)
      await rememberKey(tx, { owner, key: idempotencyKey, requestHash, runId: id, nowMs });
    return run;
  };
  for (;;) {
    const guessed = await guessTask(parts, owner, request);
    const run = await db.transaction().execute((tx) => takeIn(tx, guessed));
    if (run !== undefined) return run;
    // The dataset was corrected after the guess, which is of another type then.
  }
}
