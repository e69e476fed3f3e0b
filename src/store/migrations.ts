import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Append-only: a published migration is never edited, since the old process still runs beside the new one.
 * Names sort in the order in which they run.
 */
export const migrations: Record<string, Migration> = {
  "0001-first-tables": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`
        create table datasets (
          id uuid primary key,
          owner text not null,
          name text not null,
          target text not null,
          task text not null,
          row_count integer not null,
          column_count integer not null,
          columns jsonb not null,
          profile jsonb,
          size_bytes bigint not null,
          sha256 text not null,
          created_at timestamptz not null,
          deleting_at timestamptz,
          file_missing boolean not null default false
        )`.execute(db);
      // One living dataset by content and name: a second upload of the same finds it here, also when both come at once.
      await sql`create unique index datasets_content on datasets (owner, name, sha256) where deleting_at is null`.execute(
        db,
      );
      await sql`create index datasets_owner on datasets (owner, id)`.execute(db);
      await sql`create index datasets_age on datasets (created_at)`.execute(db);
      await sql`
        create table training_runs (
          id uuid primary key,
          owner text not null,
          dataset_id uuid not null,
          mode text not null,
          task text not null,
          target text not null,
          features jsonb,
          parameters jsonb not null,
          status text not null,
          attempt integer not null default 0,
          progress double precision not null default 0,
          version integer not null default 1,
          metrics jsonb,
          error_code text,
          error_message text,
          artifact_id uuid,
          artifact_removed_at timestamptz,
          created_at timestamptz not null,
          started_at timestamptz,
          finished_at timestamptz
        )`.execute(db);
      await sql`create index training_runs_owner on training_runs (owner, id)`.execute(db);
      await sql`create index training_runs_active on training_runs (dataset_id) where status in ('queued', 'running')`.execute(
        db,
      );
      await sql`create index training_runs_waiting on training_runs (created_at) where status = 'queued'`.execute(db);
      await sql`
        create table artifacts (
          id uuid primary key,
          owner text not null,
          run_id uuid not null unique,
          dataset_id uuid not null,
          mode text not null,
          task text not null,
          target text not null,
          metrics jsonb not null,
          size_bytes bigint not null,
          sha256 text not null,
          pinned boolean not null default false,
          created_at timestamptz not null,
          deleting_at timestamptz,
          file_missing boolean not null default false
        )`.execute(db);
      await sql`create index artifacts_owner on artifacts (owner, id)`.execute(db);
      await sql`
        create table idempotency_keys (
          owner text not null,
          key text not null,
          request_hash text not null,
          run_id uuid not null,
          created_at timestamptz not null,
          primary key (owner, key)
        )`.execute(db);
      await sql`create table deployment_state (key text primary key, value_ms bigint not null)`.execute(db);
    },
  },
  "0002-turns": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`alter table training_runs add column turn integer not null default 0`.execute(db);
      await sql`create index training_runs_started on training_runs (started_at) where started_at is not null`.execute(
        db,
      );
    },
  },
  "0003-attempt-traces": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`alter table training_runs add column attempt_traces jsonb not null default '[]'`.execute(db);
    },
  },
  "0004-interruptions": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`alter table training_runs add column interruptions integer not null default 0`.execute(db);
      await sql`
        alter table datasets add column profile_attempts integer not null default 0, add column profile_fault jsonb`.execute(
        db,
      );
      // Looked at every few seconds, for rows whose job is gone.
      await sql`create index datasets_unprofiled on datasets (id) where profile is null and profile_fault is null`.execute(
        db,
      );
    },
  },
  "0005-wide-as-they-are": {
    // Uncompressed, so that the database knows what reading them takes: 30 KB of names that are long and alike were 3 MB of a
    // page, and 70 ms of the event loop. Rows from before stay as they are.
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`
        alter table training_runs alter column metrics set storage external, alter column features set storage external`.execute(
        db,
      );
      await sql`alter table artifacts alter column metrics set storage external`.execute(db);
    },
  },
  "0006-dialects": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`alter table datasets add column dialect jsonb`.execute(db);
    },
  },
  "0007-warnings": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`alter table datasets add column warnings jsonb`.execute(db);
    },
  },
  "0008-model-inputs": {
    async up(db: Kysely<unknown>): Promise<void> {
      // JSON as it is sent, uncompressed: what may have 700 KB is neither parsed nor written again for an answer.
      await sql`alter table artifacts add column input text`.execute(db);
      await sql`alter table artifacts alter column input set storage external`.execute(db);
    },
  },
  "0009-column-uses": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`alter table training_runs add column column_uses text, add column column_warnings jsonb`.execute(db);
      await sql`alter table training_runs alter column column_uses set storage external`.execute(db);
    },
  },
  "0010-typed-copies": {
    async up(db: Kysely<unknown>): Promise<void> {
      // Of datasets from before none is wanted: all at once they would be hours of work. One that an old process takes in beside
      // us is wanted.
      await sql`
        alter table datasets add column typed_id uuid, add column typed_bytes bigint, add column typed_sha256 text,
          add column typed_wanted boolean not null default false`.execute(db);
      await sql`alter table datasets alter column typed_wanted set default true`.execute(db);
      await sql`create index datasets_untyped on datasets (id) where typed_wanted`.execute(db);
    },
  },
  "0011-corrections": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`
        alter table datasets add column said jsonb, add column reading integer not null default 1,
          add column version integer not null default 1, add column version_of uuid`.execute(db);
      // Versions have one content and one name.
      await sql`drop index datasets_content`.execute(db);
      await sql`
        create unique index datasets_content on datasets (owner, name, sha256, version) where deleting_at is null`.execute(
        db,
      );
      // Whether any run has used a dataset, also one that is over.
      await sql`create index training_runs_dataset on training_runs (dataset_id)`.execute(db);
    },
  },
  "0012-metric-details": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`alter table training_runs add column metric_details jsonb`.execute(db);
    },
  },
  "0013-leaderboards": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`alter table training_runs add column leaderboard jsonb`.execute(db);
    },
  },
  "0014-kept-measures": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`alter table training_runs add column kept_measures text`.execute(db);
      await sql`alter table training_runs alter column kept_measures set storage external`.execute(db);
    },
  },
  "0015-early-ends": {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`alter table training_runs add column ends_early boolean not null default false`.execute(db);
    },
  },
};
