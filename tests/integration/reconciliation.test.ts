import { mkdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Kysely, sql } from "kysely";
import { expect, test } from "vitest";
import { openStore } from "../../src/store/database.ts";
import type { Tables } from "../../src/store/schema.ts";
import { penguinsCsv } from "../support/real-data.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";

/** Ends a service, changes its rows, and starts one on what is left. */
async function startAfter(
  first: RunningService,
  change: (db: Kysely<Tables>) => Promise<unknown>,
  env: Record<string, string> = {},
): Promise<RunningService> {
  await first.halt();
  const store = await openStore(first);
  await change(store.db).finally(() => store.stop());
  return startService({ on: first, env });
}

const withoutWorker = { env: { SERVICE_ROLE: "api" } };
const csv = (name: string): string => `a,b,label\n1,2,x\n3,4,y\n5,6,${name}\n`;
const datasetFile = (service: RunningService, id: string): string => join(service.dataDir, "files", "dataset", id);
const profileOf = async (service: RunningService, id: string) =>
  (await service.call("GET", `/datasets/${id}`)).json as { profile: object[] | null; profileFault: object | null };

test("a dataset without a profile whose job was given up, or is gone, gets its profile", async () => {
  const api = await startService(withoutWorker);
  const givenUp = (await api.upload(csv("x"))).json.id;
  const gone = (await api.upload(csv("y"))).json.id;
  const service = await startAfter(api, async (db) => {
    await sql`update pgboss.job set state = 'failed' where data->>'datasetId' = ${givenUp}`.execute(db);
    await sql`delete from pgboss.job where data->>'datasetId' = ${gone}`.execute(db);
  });
  try {
    for (const id of [givenUp, gone])
      await eventually(async () => (await profileOf(service, id)).profile?.length === 3);
  } finally {
    await service.stop();
  }
});

test.each(["queued", "running"] as const)(
  "a run whose row says %s and whose job is gone gets another",
  async (status) => {
    const api = await startService(withoutWorker);
    const { json: dataset } = await api.upload(penguinsCsv());
    const { json: run } = await api.call("POST", "/training-runs", { datasetId: dataset.id, mode: "light" });
    const attempt = status === "running" ? 1 : 0;
    const service = await startAfter(api, async (db) => {
      await sql`delete from pgboss.job where id = ${run.id}`.execute(db);
      await db.updateTable("training_runs").set({ status, attempt }).where("id", "=", run.id).execute();
    });
    try {
      // The one whose process has died with it is an attempt; who did that nobody can tell.
      expect((await service.waitForRun(run.id)).json).toMatchObject({ status: "succeeded", attempt: attempt + 1 });
    } finally {
      await service.stop();
    }
  },
);

test("a process that dies over a profile again and again does not use it up at once, and not for ever", async () => {
  const api = await startService(withoutWorker);
  const [nine, ten] = [(await api.upload(csv("x"))).json.id, (await api.upload(csv("y"))).json.id];
  const service = await startAfter(api, async (db) => {
    for (const [id, deaths] of [
      [nine, 9],
      [ten, 10],
    ] as const)
      await db.updateTable("datasets").set({ profile_attempts: deaths }).where("id", "=", id).execute();
  });
  try {
    await eventually(async () => (await profileOf(service, nine)).profile !== null);
    await eventually(async () => (await profileOf(service, ten)).profileFault !== null);
    expect(await profileOf(service, ten)).toMatchObject({ profile: null, profileFault: { code: "PROFILE_CRASHED" } });
  } finally {
    await service.stop();
  }
});

test("a profile that can't be made is tried three times, then its owner is told, and no job is sent for it again", async () => {
  const api = await startService(withoutWorker);
  const { id } = (await api.upload(csv("x"))).json;
  const withoutProfile = (await api.call("GET", `/datasets/${id}`)).headers.get("etag");
  // Not what was checked at its upload: rows of another length.
  await writeFile(datasetFile(api, id), "a,b,label\n1,2,x,4,5\n");
  const service = await startAfter(api, async () => {});
  try {
    await eventually(async () => (await profileOf(service, id)).profileFault !== null);
    const answer = await service.call("GET", `/datasets/${id}`);
    expect(answer.json).toMatchObject({ profile: null, profileFault: { code: "PROFILE_FAILED" } });
    expect(answer.text).not.toContain(service.dataDir);
    expect(answer.headers.get("etag")).not.toBe(withoutProfile);
  } finally {
    await service.halt();
  }
  const store = await openStore(service);
  const { rows } = await sql<{
    state: string;
  }>`select state::text as state from pgboss.job where name = 'dataset-profile'`.execute(store.db);
  expect(rows).toEqual([{ state: "failed" }]);
  await store.stop();
  const says = (text: string) => service.lines.filter((line) => line.includes(text)).length;
  expect([says("is tried again"), says("is given up"), says("given a job again")]).toEqual([2, 1, 0]);
  await service.stop();
});

test("a dataset whose file is missing is said to be, and gets its profile when the file is back", async () => {
  const api = await startService(withoutWorker);
  const { id } = (await api.upload(csv("x"))).json;
  const aside = join(api.dataDir, "aside");
  await rename(datasetFile(api, id), aside);
  const service = await startAfter(api, async () => {});
  await eventually(async () => (await service.metric("mlops_backend_files_missing", { kind: "dataset" })) === 1);
  await service.halt();
  await writeFile(datasetFile(api, id), await readFile(aside));
  const again = await startService({ on: service });
  try {
    await eventually(async () => (await profileOf(again, id)).profile !== null);
  } finally {
    await again.stop();
  }
});

test("what was removed half-way, dataset or model, is finished by itself, also where nothing expires", async () => {
  const service = await startService();
  try {
    const { json: dataset } = await service.upload(penguinsCsv());
    const { json: run } = await service.train(dataset.id);
    const bytes = (kind: string) => service.metric("mlops_backend_storage_bytes", { kind });
    await eventually(async () => (await bytes("dataset")) > 0 && (await bytes("artifact")) > 0);
    const things = [
      [`/artifacts/${run.artifactId}`, join(service.dataDir, "files", "artifact", run.artifactId)],
      [`/datasets/${dataset.id}`, datasetFile(service, dataset.id)],
    ] as const;
    for (const [path, file] of things) {
      // A folder in the file's place makes a removal fail half-way.
      await rm(file);
      await mkdir(file);
      expect((await service.call("DELETE", path)).status).toBe(500);
      expect((await service.call("GET", path)).status).toBe(404);
      await rmdir(file);
    }
    await eventually(async () => (await bytes("dataset")) === 0 && (await bytes("artifact")) === 0);
  } finally {
    await service.stop();
  }
});
