import { execFile } from "node:child_process";
import { readdir, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { findDatasetToProfile, markDatasetDeleting } from "../../src/datasets/kept/dataset-repository.ts";
import { setTyped } from "../../src/datasets/typed/typed-repository.ts";
import { forgetTyped } from "../../src/storage/forget-typed.ts";
import { openStore } from "../../src/store/database.ts";
import { seattleWeatherCsv } from "../support/real-data.ts";
import { eventually, type RunningService, serviceEnvironment, startService, withService } from "../support/service.ts";

const weather = seattleWeatherCsv();
const csv = (label: string): string => `a,b,label\n1,2,x\n3,4,y\n5,6,${label}\n`;
const filesOf = (service: Pick<RunningService, "dataDir">, kind: string): string =>
  join(service.dataDir, "files", kind);
const typedFiles = (service: RunningService): Promise<string[]> => readdir(filesOf(service, "typed"));
const datasetOf = async (service: RunningService, id: string) => (await service.call("GET", `/datasets/${id}`)).json;
const profiled = (service: RunningService, id: string) =>
  eventually(async () => {
    const dataset = await datasetOf(service, id);
    return dataset.profile === null ? undefined : dataset;
  });
/** The name of its file, once there is another than that one. */
const typedFile = (service: RunningService, before?: string): Promise<string> =>
  eventually(async () => (await typedFiles(service)).find((name) => name !== before));
const toldOf = (service: RunningService, words: string): Promise<string> =>
  eventually(async () => service.lines.find((line) => line.includes(words)));
const firstRow = ["2012-01-01", 0, 12.8, 5, 4.7, "drizzle"];
const rowsOf = async (service: RunningService, id: string) =>
  (await service.call("GET", `/datasets/${id}/rows?limit=1`)).json.rows;

test("goes with its dataset, and counts as kept as long as it is there", () =>
  withService({}, async (service) => {
    const { id } = (await service.upload(weather)).json;
    const { typedBytes } = await profiled(service, id);
    const file = join(filesOf(service, "typed"), await typedFile(service));
    expect((await stat(file)).size).toBe(typedBytes);
    const stored = () => service.metric("mlops_backend_storage_bytes", { kind: "dataset" });
    await eventually(async () => (await stored()) === weather.length + typedBytes);
    expect((await service.call("DELETE", `/datasets/${id}`)).status).toBe(204);
    expect(await typedFiles(service)).toEqual([]);
    await eventually(async () => (await stored()) === 0);
  }));

test("goes at once when its dataset is corrected: nobody's quota counts it any more", () =>
  withService({}, async (service) => {
    const { id } = (await service.upload(weather)).json;
    await profiled(service, id);
    let before = await typedFile(service);
    for (const wind of ["text", null]) {
      expect((await service.call("PATCH", `/datasets/${id}`, { types: { wind } })).status).toBe(200);
      const { typedBytes } = await profiled(service, id);
      const after = await typedFile(service, before);
      expect(await typedFiles(service)).toEqual([after]);
      expect((await stat(join(filesOf(service, "typed"), after))).size).toBe(typedBytes);
      before = after;
    }
  }));

test("goes with a dataset whose time is over", () =>
  withService({ DATASET_TTL_DAYS: "0.0001", DATASET_TTL_CHECK_INTERVAL_SECONDS: "1" }, async (service) => {
    const { id } = (await service.upload(weather)).json;
    await profiled(service, id);
    await typedFile(service);
    await eventually(async () => (await service.call("GET", `/datasets/${id}`)).status === 404);
    await eventually(async () => (await typedFiles(service)).length === 0);
    // Told when the cycle is over.
    await eventually(async () => (await service.metric("mlops_backend_dataset_ttl_files_removed_total")) === 1);
  }));

test("a dataset that is removed while it is written leaves nothing", () =>
  withService({}, async (service) => {
    const lines = Array.from({ length: 200_000 }, (_, row) => `${row},${row % 7},${row % 2}\n`);
    const { id } = (await service.upload(`a,b,label\n${lines.join("")}`)).json;
    await eventually(async () => (await readdir(filesOf(service, "tmp"))).length > 0);
    expect((await service.call("DELETE", `/datasets/${id}`)).status).toBe(204);
    // The next one is made after it.
    await profiled(service, (await service.upload(csv("x"))).json.id);
    expect(await typedFiles(service)).toHaveLength(1);
    expect(await readdir(filesOf(service, "tmp"))).toEqual([]);
  }));

test("a process that dies while it is written leaves it to the next one", async () => {
  const first = await startService({ env: { MAX_CSV_UPLOAD_BYTES: "50000000" } });
  const lines = Array.from({ length: 1_000_000 }, (_, row) => `${row},${row % 7},${row % 2}\n`);
  const { id } = (await first.upload(`a,b,label\n${lines.join("")}`)).json;
  await eventually(async () => (await readdir(filesOf(first, "tmp"))).length > 0);
  await first.kill("SIGKILL");
  expect(await typedFiles(first)).toEqual([]);
  const second = await startService({ on: first });
  try {
    const { typedBytes } = await profiled(second, id);
    expect((await stat(join(filesOf(second, "typed"), await typedFile(second)))).size).toBe(typedBytes);
    expect(await typedFiles(second)).toHaveLength(1);
    // On PostgreSQL another process may be writing it: it goes when it is an hour old.
    if (!process.env.TEST_DATABASE_URL) expect(await readdir(filesOf(second, "tmp"))).toEqual([]);
  } finally {
    await second.stop();
  }
});

const harms = {
  missing: (path: string) => rm(path),
  "cut in the middle": async (path: string) => truncate(path, Math.floor((await stat(path)).size / 2)),
  "something else": (path: string) => writeFile(path, "a,b\n1,2\n"),
};

test.each(Object.entries(harms))("one that is %s fails neither a run nor rows, and is made again", (_, harm) =>
  withService({}, async (service) => {
    const { id } = (await service.upload(weather)).json;
    await profiled(service, id);
    const lost = await typedFile(service);
    await harm(join(filesOf(service, "typed"), lost));
    expect((await service.train(id)).json).toMatchObject({ status: "succeeded", attempt: 1 });
    await toldOf(service, "is missing or damaged, and is made again");
    const again = await typedFile(service, lost);
    await eventually(async () => (await datasetOf(service, id)).typedBytes !== null);
    await harm(join(filesOf(service, "typed"), again));
    expect(await rowsOf(service, id)).toEqual([firstRow]);
    await eventually(async () => (await typedFiles(service)).find((name) => name !== lost && name !== again));
    await eventually(async () => (await datasetOf(service, id)).typedBytes !== null);
    await rm(join(filesOf(service, "dataset"), id));
    expect(await rowsOf(service, id)).toEqual([firstRow]);
  }),
);

test("the sweep takes one that no dataset names, keeps the others, and has a missing one made again", async () => {
  const first = await startService();
  const [kept, lost] = [(await first.upload(csv("x"))).json.id, (await first.upload(csv("y"))).json.id];
  for (const id of [kept, lost]) await profiled(first, id);
  await first.halt();
  const folder = filesOf(first, "typed");
  const store = await openStore(first);
  const named = await store.db.selectFrom("datasets").select(["id", "typed_id"]).execute();
  await store.stop();
  const fileOf = (id: string): string => join(folder, named.find((row) => row.id === id)?.typed_id ?? "");
  const orphan = join(folder, "01900000-0000-7000-8000-000000000000");
  await writeFile(orphan, "left over");
  for (const path of [orphan, fileOf(kept)]) await utimes(path, 1_000_000, 1_000_000);
  await rm(fileOf(lost));
  const second = await startService({ on: first });
  try {
    expect(await toldOf(second, "files swept")).toContain('"orphansRemoved":1,"filesMissing":0');
    await eventually(async () => (await datasetOf(second, lost)).typedBytes !== null);
    const left = await typedFiles(second);
    expect(left).toHaveLength(2);
    expect(left).toContain(fileOf(kept).split("/").at(-1));
    expect(await second.metric("mlops_backend_files_missing")).toBe(0);
  } finally {
    await second.stop();
  }
});

test("takes no more than its owner may keep, and then there is none", () =>
  withService({ MAX_STORAGE_BYTES_PER_OWNER: String(weather.length + 10) }, async (service) => {
    const { id } = (await service.upload(weather)).json;
    expect(await profiled(service, id)).toMatchObject({ typedBytes: null, profileFault: null });
    await toldOf(service, "no room in its owner's quota");
    expect(await typedFiles(service)).toEqual([]);
    expect((await service.train(id)).json.status).toBe("succeeded");
    expect(await rowsOf(service, id)).toEqual([firstRow]);
  }));

test("counts in its owner's quota", async () => {
  const first = await startService();
  const { id } = (await first.upload(weather)).json;
  const { typedBytes } = await profiled(first, id);
  await first.halt();
  const small = csv("x");
  const quota = weather.length + typedBytes + small.length - 1;
  const second = await startService({ on: first, env: { MAX_STORAGE_BYTES_PER_OWNER: String(quota) } });
  try {
    expect((await second.upload(small)).json.code).toBe("QUOTA_EXCEEDED");
  } finally {
    await second.stop();
  }
});

test("of a dataset from before, none is made", async () => {
  const first = await startService({ env: { SERVICE_ROLE: "api" } });
  const { id } = (await first.upload(weather)).json;
  await first.halt();
  const store = await openStore(first);
  await store.db.updateTable("datasets").set({ typed_wanted: false }).execute();
  await store.stop();
  const second = await startService({ on: first });
  try {
    expect((await profiled(second, id)).typedBytes).toBeNull();
    expect((await second.train(id)).json.status).toBe("succeeded");
    expect(await rowsOf(second, id)).toEqual([firstRow]);
    expect(await typedFiles(second)).toEqual([]);
  } finally {
    await second.stop();
  }
});

test("of a table that is read in another way from now on another one is made", async () => {
  const first = await startService();
  const { id } = (await first.upload("zip,label\n01,x\n02,y\n10,x\n", { types: '{"zip":"number"}' })).json;
  await profiled(first, id);
  expect(await rowsOf(first, id)).toEqual([[1, "x"]]);
  const before = await typedFile(first);
  await first.halt();
  const store = await openStore(first);
  const columns = JSON.stringify([
    { name: "zip", type: "text" },
    { name: "label", type: "text" },
  ]);
  await store.db.transaction().execute(async (tx) => {
    await sql`update datasets set columns = ${columns}::jsonb where id = ${id}`.execute(tx);
    expect(await forgetTyped(tx, "id", id)).toEqual([id]);
  });
  await store.stop();
  const second = await startService({ on: first });
  try {
    await typedFile(second, before);
    await eventually(async () => (await datasetOf(second, id)).typedBytes !== null);
    await rm(join(filesOf(second, "dataset"), id));
    expect(await rowsOf(second, id)).toEqual([["01", "x"]]);
  } finally {
    await second.stop();
  }
});

test("of a table that does not fit into the engine's memory there is none, and a profile all the same", () =>
  withService({ MAX_CSV_UPLOAD_BYTES: "20000000" }, async (service) => {
    const line = (cell: (place: number) => string) => `${Array.from({ length: 2_000 }, (_, place) => cell(place))}\n`;
    const rows = Array.from({ length: 50 }, (_, row) => line((place) => `w${((row + 7) * (place + 11)).toString(36)}`));
    const { id } = (await service.upload(line((place) => `c${place}`) + rows.join(""))).json;
    const { typedBytes, profile, profileFault } = await profiled(service, id);
    expect([typedBytes, profile.length, profileFault]).toEqual([null, 2_000, null]);
    expect(await toldOf(service, "typed copy can't be made; its file is read instead")).toContain("Out of Memory");
    expect(await typedFiles(service)).toEqual([]);
    expect(await readdir(filesOf(service, "tmp"))).toEqual([]);
  }));

test("a row takes one copy, and none of a table that is read otherwise meanwhile, or of a dataset that goes", async () => {
  const service = await startService({ env: { SERVICE_ROLE: "api" } });
  const { id } = (await service.upload(csv("x"))).json;
  await service.halt();
  const store = await openStore(service);
  try {
    const { db } = store;
    const fileOf = (of: string) => ({ id: `01900000-0000-7000-8000-00000000000${of}`, sizeBytes: 1, sha256: of });
    const begun = (await findDatasetToProfile(db, id))!;
    await sql`update datasets set reading = reading + 1`.execute(db);
    expect(await setTyped(db, begun, fileOf("1"))).toBe(false);
    const now = (await findDatasetToProfile(db, id))!;
    expect(await setTyped(db, now, fileOf("2"))).toBe(true);
    // Another worker, which was slower.
    expect(await setTyped(db, now, fileOf("3"))).toBe(false);
    await forgetTyped(db, "id", id);
    expect(await markDatasetDeleting(db, id, new Date(0))).toBe("marked");
    expect(await setTyped(db, now, fileOf("4"))).toBe(false);
  } finally {
    await store.stop();
    await service.stop();
  }
});

test.skipIf(process.env.TEST_DATABASE_URL)(
  "a backup with a damaged one has no gap: another is made after a restore",
  async () => {
    const service = await startService();
    const { id } = (await service.upload(weather)).json;
    await profiled(service, id);
    await writeFile(join(filesOf(service, "typed"), await typedFile(service)), "something else");
    await service.halt();
    const call = (command: string, ...options: string[]) =>
      promisify(execFile)(process.execPath, [`src/commands/${command}.ts`, ...options], {
        env: serviceEnvironment(service),
      });
    const archive = join(service.dataDir, "backup.tar.gz");
    expect((await call("backup-data", "--to", archive)).stdout).toContain('"damaged":0,"typedForgotten":1');
    expect((await call("restore-data", "--from", archive)).stdout).toContain('"whole":1');
    const restored = await startService({ on: service });
    try {
      await eventually(async () => (await datasetOf(restored, id)).typedBytes !== null);
      expect(await rowsOf(restored, id)).toEqual([firstRow]);
    } finally {
      await restored.stop();
    }
  },
);
