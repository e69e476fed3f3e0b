import type { ColumnType, Generated, JSONColumnType } from "kysely";
import type { datasetWarningReasons } from "../../otel/api/catalogue/datasets.ts";
import type { Leaderboard } from "../models/leaderboard.ts";
import type { RunMode } from "../models/model.ts";
import type { MetricDetails } from "../models/model-metrics.ts";
import type { TrainParameters } from "../models/train-request.ts";
import type { ColumnType as TableColumnType } from "../tables/column-type.ts";
import type { Wished } from "../tables/detect-dialect.ts";
import type { Dialect } from "../tables/dialect.ts";

type Timestamp = ColumnType<Date, Date | string, Date | string>;
type NullableTimestamp = ColumnType<Date | null, Date | string | null, Date | string | null>;
/** PostgreSQL's bigint, read as a number: every size here is far below 2^53. */
type BigInteger = ColumnType<number, number, number>;
type NullableBigInteger = ColumnType<number | null, number | null | undefined, number | null>;
type NullableText = ColumnType<string | null, string | null | undefined, string | null>;

/** How a column of an uploaded CSV is read. */
export interface ReadColumn {
  readonly name: string;
  readonly type: TableColumnType;
  /** Of a target of classes that are numbers, those that are spelled otherwise than JavaScript spells them: `1.0`, by `1`. */
  readonly spelled?: Readonly<Record<string, string>>;
}

/** The same with what its owner is told of it, as the checks at upload found it. */
export interface ColumnSummary extends ReadColumn {
  /** Rows without a value of the type; absent of datasets from before it was counted. */
  readonly missing?: number;
  /** Its first values that differ, as they are written; absent of wide tables, and of datasets from before they were kept. */
  readonly examples?: readonly string[];
}

/** What its sender has said of a table; what is not said was found out. */
export interface SaidOfTable extends Omit<Wished, "source"> {
  readonly target?: string | undefined;
  readonly encoding?: string | undefined;
  readonly sheet?: string | undefined;
  /** Names of columns that trainings shall not learn from. */
  readonly leftOut?: readonly string[] | undefined;
}

/** How the finite numbers, or the dates, of a column are spread: so many in each bin, of which there is one less than edges. */
export interface ColumnHistogram {
  readonly binEdges: readonly number[] | readonly string[];
  readonly counts: readonly number[];
}

/** Of the finite numbers, or the dates, of a column; null where there are none. */
type Quantiles = Readonly<Record<"p5" | "p25" | "p50" | "p75" | "p95", number | string | null>>;

/**
 * A column as the background profile describes it. What may be absent is either of columns of the other type, or was not
 * made yet when the profile was.
 */
export interface ColumnProfile extends ReadColumn {
  readonly nullRatio: number;
  readonly missing?: number;
  readonly distinct: number;
  readonly min: number | string | null;
  readonly max: number | string | null;
  readonly mean: number | null;
  readonly std?: number | null;
  readonly quantiles?: Quantiles;
  readonly zeros?: number;
  readonly negatives?: number;
  readonly notFinite?: number;
  readonly histogram?: ColumnHistogram;
  readonly minLength?: number | null;
  readonly maxLength?: number | null;
  readonly topValues: readonly { readonly value: string; readonly count: number }[];
  /** What the owner is to know of it, where it is not exact. */
  readonly note?: string;
}

/** Why a dataset's profile can't be made, in words for its owner. */
export interface ProfileFault {
  readonly code: string;
  readonly message: string;
}

/** What a sender may not have meant: the table is kept all the same. */
export interface DatasetWarning {
  readonly code: (typeof datasetWarningReasons)[number];
  /** Its name, empty where it has none. */
  readonly column?: string;
  /** Of the column in the file, from 1. */
  readonly place?: number;
  readonly line?: number;
  readonly cell?: string;
  readonly message: string;
}

/** Warnings as they are kept: the first ones, and how many there were. */
export interface DatasetWarnings {
  readonly count: number;
  readonly first: readonly DatasetWarning[];
}

/**
 * A column that a run asked for and could not use, or did not use in full, or that says what the target does; or a target whose
 * metrics mislead.
 */
export interface RunWarning {
  readonly code: (typeof runWarningCodes)[number];
  readonly column: string;
  readonly message: string;
}

/** Codes of those. */
export const runWarningCodes = [
  "COLUMN_CONSTANT",
  "COLUMN_EMPTY",
  "COLUMN_IS_IDENTIFIER",
  "COLUMN_EQUALS_TARGET",
  "COLUMN_HAS_TOO_MANY_CATEGORIES",
  "NUMBERS_ROUNDED",
  "TARGET_IMBALANCED",
  "TARGET_CLASS_NOT_MEASURED",
  "TARGET_FEW_COUNTS",
] as const;

/** Warnings as they are kept: the first ones, and how many there were. */
export interface RunWarnings {
  readonly count: number;
  readonly first: readonly RunWarning[];
}

export interface DatasetsTable {
  id: string;
  owner: string;
  name: string;
  target: string;
  task: "classification" | "regression";
  row_count: number;
  column_count: number;
  columns: JSONColumnType<ColumnSummary[]>;
  /** How the file is written; null of those from before there was more than one way. */
  dialect: JSONColumnType<Dialect | null>;
  /** What its sender was warned of; null of those from before anybody was. */
  warnings: JSONColumnType<DatasetWarnings | null>;
  /** What its sender has said of it; null of those from before it was kept. */
  said: JSONColumnType<SaidOfTable | null>;
  /** Grows with every correction: what was made of an earlier reading is none of this one. */
  reading: Generated<number>;
  /** From 1; those of one content and name differ by it. */
  version: Generated<number>;
  /** The dataset that was corrected by making this one. */
  version_of: string | null;
  profile: JSONColumnType<ColumnProfile[] | null>;
  /** Tries to make the profile, without those that an outage ended. */
  profile_attempts: Generated<number>;
  /** Why there is no profile and will be none. */
  profile_fault: JSONColumnType<ProfileFault | null>;
  size_bytes: BigInteger;
  sha256: string;
  /** The file of its typed copy, and what it is like; null while there is none. */
  typed_id: NullableText;
  typed_bytes: NullableBigInteger;
  typed_sha256: NullableText;
  /** Whether one is to be made; no more once there is one, or it turned out that there can't be. */
  typed_wanted: Generated<boolean>;
  created_at: Timestamp;
  /** Set first when a dataset is removed: its file goes next, then this row. */
  deleting_at: NullableTimestamp;
  file_missing: Generated<boolean>;
}

export interface TrainingRunsTable {
  id: string;
  owner: string;
  dataset_id: string;
  mode: RunMode;
  task: "classification" | "regression";
  target: string;
  features: JSONColumnType<string[] | null>;
  parameters: JSONColumnType<TrainParameters>;
  status: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  /** Place in the order of owners; see nextTurn. */
  turn: Generated<number>;
  /** Grows with every attempt: what an old one still writes changes nothing. */
  attempt: Generated<number>;
  /** How many of the attempts were ended from outside, and don't count; see countedAttempts. */
  interruptions: Generated<number>;
  /** Trace contexts of the attempts so far; empty without traces. */
  attempt_traces: ColumnType<string[], never, never>;
  progress: Generated<number>;
  /** Grows with every change: the id of its server-sent event. */
  version: Generated<number>;
  metrics: JSONColumnType<Record<string, unknown> | null>;
  /** What of the metrics is told of one run alone: a page of a hundred would be too large with it. Null of runs from before. */
  metric_details: JSONColumnType<MetricDetails | null>;
  /** What training did with each column, as the JSON that is sent; null until there is a model, and of runs from before. */
  column_uses: string | null;
  /** Of columns that were asked for in vain; null where column_uses is. */
  column_warnings: JSONColumnType<RunWarnings | null>;
  /** What a run of the mode auto has tried so far; null until it has, and of the others. */
  leaderboard: JSONColumnType<Leaderboard | null>;
  /** Whether its owner wants the best that it has found so far, and no more. */
  ends_early: Generated<boolean>;
  /** By which it can be compared with others, as JSON of KeptMeasures; null until there is a model, and of runs from before. */
  kept_measures: string | null;
  error_code: string | null;
  error_message: string | null;
  artifact_id: string | null;
  artifact_removed_at: NullableTimestamp;
  created_at: Timestamp;
  started_at: NullableTimestamp;
  finished_at: NullableTimestamp;
}

export interface ArtifactsTable {
  id: string;
  owner: string;
  run_id: string;
  dataset_id: string;
  mode: "light" | "heavy";
  task: "classification" | "regression";
  target: string;
  metrics: JSONColumnType<Record<string, unknown>>;
  /** What the model takes, as the JSON that is sent; null of those from before it was kept. */
  input: string | null;
  size_bytes: BigInteger;
  sha256: string;
  pinned: Generated<boolean>;
  created_at: Timestamp;
  deleting_at: NullableTimestamp;
  file_missing: Generated<boolean>;
}

export interface IdempotencyKeysTable {
  owner: string;
  key: string;
  request_hash: string;
  run_id: string;
  created_at: Timestamp;
}

/** What must outlive a process and belongs to the whole deployment, e.g. the last successful TTL cycle. */
export interface DeploymentStateTable {
  key: string;
  value_ms: BigInteger;
}

/** The tables that Kysely knows. */
export interface Tables {
  datasets: DatasetsTable;
  training_runs: TrainingRunsTable;
  artifacts: ArtifactsTable;
  idempotency_keys: IdempotencyKeysTable;
  deployment_state: DeploymentStateTable;
}
