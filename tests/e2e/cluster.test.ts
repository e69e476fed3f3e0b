import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { eventually, type RunningService } from "../support/service.ts";
import { tenAtATime } from "../support/ten-at-a-time.ts";
import { type Acknowledged, type Client, createClient, type Fate, sha256 } from "./cluster-clients.ts";
import { type Ledger, openLedger } from "./cluster-ledger.ts";
import { type Cluster, openCluster } from "./cluster-members.ts";
import { type StormFacts, storm } from "./cluster-storm.ts";
import { type ScratchPostgres, startScratchPostgres } from "./scratch-postgres.ts";
import { startVersitygw, type VersitygwProcess } from "./versitygw-process.ts";

const seed = Number(process.env.CLUSTER_SEED ?? Date.now() % 1_000_000);
const next = seededRandom(seed);

const owners = Array.from({ length: 20 }, (_, index) => `owner-${index}`);
const keyOf = (owner: string): string => `key-of-${owner}`;
const ttlSeconds = 4;
const bucket = "cluster";
const kinds = { dataset: "datasets", artifact: "artifacts" } as const;

const env = {
  API_KEYS: owners.map((owner) => `${owner}:${sha256(keyOf(owner))}`).join(","),
  S3__BUCKET: bucket,
  MAX_QUEUED_RUNS_PER_OWNER: "100",
  MAX_MODEL_ARTIFACTS: "100",
  MAX_CONCURRENT_UPLOADS: "50",
  DATASET_TTL_DAYS: "1",
  DATASET_TTL_CHECK_INTERVAL_SECONDS: String(ttlSeconds),
};

const acknowledged: Acknowledged = { datasets: new Map(), runs: new Map() };
/** Of what shall expire no promise is kept. */
const unwritten: Acknowledged = { datasets: new Map(), runs: new Map() };
const fate: Fate = { lost: 0, refused: new Map(), repeated: 0 };
const resources = new AsyncDisposableStack();
let folder: string;
let postgres: ScratchPostgres;
let gateway: VersitygwProcess;
let cluster: Cluster;
let ledger: Ledger;
let clients: Client[];
let facts: StormFacts;

const clientWith = (owner: string, into: Acknowledged): Client =>
  createClient({ owner, key: keyOf(owner), apis: () => cluster.living("api"), next, acknowledged: into, fate });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cluster-"));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  postgres = resources.use(await startScratchPostgres(join(folder, "postgres")));
  gateway = resources.use(await startVersitygw(join(folder, "buckets")));
  await gateway.createBucket(bucket);
  const databaseUrl = await postgres.newDatabase();
  cluster = resources.use(openCluster(folder, databaseUrl, { ...gateway.env, ...env }));
  await Promise.all([cluster.add("api"), cluster.add("api")]);
  ledger = await openLedger(databaseUrl);
  clients = owners.map((owner) => clientWith(owner, acknowledged));
});
afterAll(() => resources.disposeAsync());

const count = (from: string): Promise<number> => ledger.count(from);

/** Seconds that the oldest run has waited, and of Unix time when a TTL cycle last succeeded. */
async function timesOf({ query }: Ledger): Promise<{ age: number; last: number }> {
  const [times] = await query<{ age: number; last: number }>(`select
    (select extract(epoch from now() - min(created_at))::float from training_runs where status = 'queued') as age,
    (select value_ms::float / 1000 from deployment_state where key = 'ttl_last_success') as last`);
  return times!;
}

const clientOf = (owner: string): Client => clients.find((client) => client.owner === owner)!;
const objects = async (kind: keyof typeof kinds): Promise<string[]> =>
  (await readdir(join(gateway.folderOf(bucket), kind))).sort();
const rows = async (kind: keyof typeof kinds): Promise<string[]> =>
  (await ledger.query<{ id: string }>(`select id from ${kinds[kind]} order by id`)).map(({ id }) => id);

describe(`20 owners, 200 uploads and 200 trainings, kills and a restart of PostgreSQL (CLUSTER_SEED=${seed})`, () => {
  beforeAll(async () => {
    facts = await storm({
      cluster,
      clients,
      ledger,
      postgres,
      next,
      acknowledged,
      victims: clientWith(owners[1]!, unwritten),
    });
    const { kills, restart } = facts;
    console.log(
      `CLUSTER_SEED=${seed}: killed ${kills.api} api and ${kills.worker} worker processes, PostgreSQL restarted ` +
        `(${restart}); ${fate.lost} answers lost, ${fate.repeated} calls repeated, refused:`,
      Object.fromEntries(fate.refused),
    );
    expect(fate.lost, "answers lost").toBeGreaterThan(0);
  }, 600_000);

  test("every acknowledged upload is there, whole, and once", async () => {
    expect([acknowledged.datasets.size, await count("from datasets")]).toEqual([200, 200]);
    await tenAtATime(acknowledged.datasets, async ([id, { owner, sha256: sent }]) => {
      const answer = await clientOf(owner).get(`/datasets/${id}/content`);
      expect([answer.status, sha256(await answer.bytes())], `dataset ${id}`).toEqual([200, sent]);
    });
  });

  test("every acknowledged run ended once, and has one model that is whole, or none", async () => {
    expect([acknowledged.runs.size, await count("from training_runs")]).toEqual([200, 200]);
    const isFinal = (status: string | null) => status !== null && ["succeeded", "failed", "cancelled"].includes(status);
    const changes = await ledger.runs();
    expect(changes.filter(({ before }) => isFinal(before))).toEqual([]);
    const ends = changes.filter(({ after }) => isFinal(after)).map(({ id }) => id);
    expect(ends.toSorted()).toEqual([...acknowledged.runs.keys()].toSorted());
    // Or the kills did not hit what they were for.
    expect(await count("from training_runs where attempt > 1")).toBeGreaterThan(0);

    const artifacts = await ledger.query<{ id: string; run_id: string; sha256: string }>(
      "select id, run_id, sha256 from artifacts",
    );
    await tenAtATime(acknowledged.runs, async ([id, { owner }]) => {
      const run = (await (await clientOf(owner).get(`/training-runs/${id}`)).json()) as Record<string, unknown>;
      const own = artifacts.filter(({ run_id }) => run_id === id);
      if (run.status === "failed") {
        // Three attempts, and each time its process or the database went away.
        expect(run).toMatchObject({
          attempt: 3,
          error: { code: expect.stringMatching(/^(TRAINING_CRASHED|DATABASE_FAILED)$/) },
        });
        expect(own).toEqual([]);
        return;
      }
      expect([run.status, own.map(({ id: artifactId }) => artifactId)]).toEqual(["succeeded", [run.artifactId]]);
      const answer = await clientOf(owner).get(`/artifacts/${run.artifactId}/content`);
      expect([answer.status, sha256(await answer.bytes())], `model of ${id}`).toEqual([200, own[0]!.sha256]);
    });
  });

  test("owners take turns: who sent five times as much, and first, has no more of the first places", async () => {
    const started = (await ledger.runs()).filter(({ before, after }) => before === "queued" && after === "running");
    const order = [...new Set(started.map(({ id }) => id))].filter((id) => facts.firstRuns.has(id));
    const greedys = order.slice(0, 60).filter((id) => acknowledged.runs.get(id)?.owner === owners[0]);
    // Three in turns; a queue without them would have begun with all its 24.
    expect(greedys.length).toBeLessThanOrEqual(8);
  });

  test("TTL cycles run once in each interval, in the whole deployment", async () => {
    const jobs = await ledger.ttlJobs();
    const idsOf = (slot: string) => new Set(jobs.filter((job) => job.slot === slot).map(({ id }) => id));
    for (const slot of new Set(jobs.map((job) => job.slot))) expect(idsOf(slot).size, `jobs for ${slot}`).toBe(1);
    const taken = jobs.filter(({ after }) => after === "active").map(({ id }) => id);
    expect(new Set(taken).size, "a job is taken once").toBe(taken.length);

    // And in quiet times none is left out; what all workers count is what the database saw.
    const cycles = async (): Promise<number> => {
      const counted = cluster.living("worker").map(({ metric }) => metric("mlops_backend_dataset_ttl_cycles_total"));
      return (await Promise.all(counted)).reduce((sum, value) => sum + value, 0);
    };
    /** All of it at a moment at which no cycle is under way, however late they are. */
    const betweenCycles = () =>
      eventually(async () => {
        const successes = await ledger.ttlSuccesses();
        const seen = await ledger.ttlJobs();
        const states = new Map(seen.map(({ id, after }) => [id, after]));
        if ([...states.values()].some((state) => ["created", "active", "retry"].includes(state))) return false;
        const counted = await cycles();
        return (await ledger.ttlSuccesses()) === successes && { successes, counted, seen };
      });
    const before = await betweenCycles();
    await eventually(async () => (await ledger.ttlSuccesses()) >= before.successes + 3);
    const after = await betweenCycles();
    const since = after.seen.slice(before.seen.length);
    const slots = [...new Set(since.map(({ slot }) => slot))];
    expect(slots.length).toBeGreaterThanOrEqual(3);
    const begins = slots.map((slot) => Date.parse(`${slot}Z`));
    expect(begins).toEqual(begins.map((_, index) => begins[0]! + index * ttlSeconds * 1_000));
    for (const slot of slots)
      expect(since.filter((job) => job.slot === slot).map((job) => job.after)).toEqual([
        "created",
        "active",
        "completed",
      ]);
    expect([after.successes - before.successes, after.counted - before.counted]).toEqual([slots.length, slots.length]);
  });

  test("every process's gauges of the deployment say what the database says", async () => {
    const client = clients[1]!;
    const dataset = await client.upload(Buffer.from(noiseCsv()), "noise");
    const ids: string[] = [];
    // Three are trained without end, the others wait.
    for (let index = 0; index < 5; index += 1) ids.push(await client.train(dataset, endless));
    await eventually(async () => (await count("from training_runs where status = 'running'")) === 3);
    const told = async (service: RunningService) => ({
      datasets: await service.metric("mlops_backend_datasets"),
      datasetBytes: await service.metric("mlops_backend_storage_bytes", { kind: "dataset" }),
      modelBytes: await service.metric("mlops_backend_storage_bytes", { kind: "artifact" }),
      missing: await service.metric("mlops_backend_files_missing"),
      queued: await service.metric("mlops_backend_training_queue_jobs", { state: "queued" }),
      active: await service.metric("mlops_backend_training_queue_jobs", { state: "active" }),
      failed: await service.metric("mlops_backend_training_queue_jobs", { state: "failed" }),
      readable: await service.metric("mlops_backend_state_readable"),
      ttlInterval: await service.metric("mlops_backend_dataset_ttl_interval_seconds"),
    });
    const bytes = (table: string, size = "size_bytes") => `(select sum(${size})::int from ${table})`;
    const datasetBytes = bytes("datasets", "size_bytes + coalesce(typed_bytes, 0)");
    const jobs = (state: string) =>
      `(select count(*)::int from pgboss.job where name = 'training' and state = '${state}')`;
    // A typed copy may come at any moment.
    const readKnown = async () =>
      (
        await ledger.query<Record<string, number>>(`select
      (select count(*)::int from datasets) as "datasets", ${datasetBytes} as "datasetBytes",
      ${bytes("artifacts")} as "modelBytes", 0 as "missing", ${jobs("created")} as "queued", ${jobs("active")} as "active",
      ${jobs("failed")} as "failed", 1 as "readable", ${ttlSeconds} as "ttlInterval"`)
      )[0];
    expect(await readKnown()).toMatchObject({ datasets: 201, queued: 2, active: 3 });
    for (const service of cluster.living()) {
      // A reading is kept for five seconds.
      await vi.waitFor(async () => expect(await told(service)).toEqual(await readKnown()), {
        timeout: 15_000,
        interval: 500,
      });
      // Times go on: what is told was true at some moment of the question, or five seconds before, and a second is for both clocks.
      const before = await timesOf(ledger);
      const toldAge = await service.metric("mlops_backend_training_queue_oldest_age_seconds");
      const toldLast = await service.metric("mlops_backend_dataset_ttl_last_success_timestamp_seconds");
      const after = await timesOf(ledger);
      expect(toldAge).toBeGreaterThan(before.age - 6);
      expect(toldAge).toBeLessThan(after.age + 1);
      expect(toldLast).toBeGreaterThan(before.last - 6 - ttlSeconds);
      expect(toldLast).toBeLessThan(after.last + 1);
    }
    for (const id of ids) await client.cancel(id);
    await eventually(async () => (await count("from training_runs where status in ('queued', 'running')")) === 0);
  });

  test("after a sweep each object has its row and each row its object", async () => {
    // Before it, too, no row is without its object; objects without a row are what kills may leave for an hour.
    for (const kind of ["dataset", "artifact"] as const) {
      const there = await objects(kind);
      expect((await rows(kind)).filter((id) => !there.includes(id))).toEqual([]);
    }
    for (const id of facts.expired) expect(await objects("dataset")).not.toContain(id);
    // As a kill between file and row leaves it: there must be one of each kind, or the sweep has proved nothing.
    const put = async (kind: string): Promise<string> => {
      const id = randomUUID();
      await gateway.client.send(new PutObjectCommand({ Bucket: bucket, Key: `${kind}/${id}`, Body: "orphan" }));
      return id;
    };
    await put("dataset");
    await put("artifact");
    const left = (await objects("dataset")).length - (await rows("dataset")).length;
    console.log(`datasets without a row before the sweep: ${left}, one of them the test's`);
    const old = new Date(Date.now() - 2 * 3_600_000);
    for (const name of await readdir(gateway.folderOf(bucket), { recursive: true, withFileTypes: true }))
      if (name.isFile()) await utimes(join(name.parentPath, name.name), old, old);
    const young = await put("dataset");

    const [member] = cluster.members;
    await cluster.crash(member!, 0);
    await cluster.whole();
    expect(await objects("dataset")).toEqual([...(await rows("dataset")), young].sort());
    expect(await objects("artifact")).toEqual(await rows("artifact"));
  });
});
