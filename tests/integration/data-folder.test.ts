import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fileKinds } from "../../src/storage/file-storage.ts";
import { createDatabase, dropDatabase, type RunningService, refusedStart, startService } from "../support/service.ts";

const csv = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";
const onPostgres = Boolean(process.env.TEST_DATABASE_URL);

async function withDataset(use: (service: RunningService, datasetId: string) => Promise<void>): Promise<void> {
  const service = await startService();
  try {
    const { json } = await service.upload(csv);
    await service.halt();
    await use(service, json.id);
  } finally {
    await service.stop();
  }
}

test("files of another database are not swept away: the start is refused", () =>
  withDataset(async (mine, datasetId) => {
    const other = await startService();
    await other.halt();
    try {
      // Old enough for the sweep.
      await utimes(join(mine.dataDir, "files", "dataset", datasetId), 0, 0);
      if (onPostgres) {
        const mixed = await refusedStart({ dataDir: mine.dataDir, databaseUrl: other.databaseUrl });
        expect(mixed).toMatchObject({ code: 1, stderr: expect.stringContaining("belong to another database") });
      } else {
        await rm(join(mine.dataDir, "database"), { recursive: true });
        await rm(join(mine.dataDir, "database.ready"));
        const emptied = await refusedStart(mine);
        expect(emptied).toMatchObject({ code: 1, stderr: expect.stringContaining("belong to another database") });
        await rm(join(mine.dataDir, "files", "deployment"));
        const unmarked = await refusedStart(mine);
        expect(unmarked).toMatchObject({ code: 1, stderr: expect.stringContaining("the database knows of none") });
      }
      expect(await readdir(join(mine.dataDir, "files", "dataset"))).toEqual([datasetId]);
    } finally {
      await other.stop();
    }
  }));

test("a file without a row stays while its row may be on its way, an hour, and goes then", async () => {
  const service = await startService();
  await service.halt();
  try {
    const folders = fileKinds.map((kind) => join(service.dataDir, "files", kind));
    const [young, old] = [randomUUID(), randomUUID()];
    for (const folder of folders)
      for (const [id, minutes] of [
        [young, 50],
        [old, 61],
      ] as const) {
        const then = new Date(Date.now() - minutes * 60_000);
        await writeFile(join(folder, id), "x");
        await utimes(join(folder, id), then, then);
      }
    await (await startService({ on: service })).halt();
    for (const folder of folders) expect(await readdir(folder)).toEqual([young]);
  } finally {
    await service.stop();
  }
});

test.skipIf(onPostgres)("a database restored without its mark keeps its rows", () =>
  withDataset(async (service, datasetId) => {
    await rm(join(service.dataDir, "database.ready"));
    const again = await startService({ on: service });
    expect((await again.call("GET", `/datasets/${datasetId}`)).status).toBe(200);
    await again.halt();
  }),
);

test.skipIf(onPostgres)("a half-made database is moved aside and made anew", async () => {
  const service = await startService();
  await service.halt();
  try {
    await rm(service.dataDir, { recursive: true });
    await mkdir(join(service.dataDir, "database", "base"), { recursive: true });
    await writeFile(join(service.dataDir, "database", "PG_VERSION"), "17\n");
    const again = await startService({ on: service });
    expect((await again.upload(csv)).status).toBe(201);
    await again.halt();
    expect((await readdir(service.dataDir)).filter((name) => name.includes("unreadable"))).toHaveLength(1);
  } finally {
    await service.stop();
  }
});

test.skipIf(onPostgres)("a lock of another container counts while its time moves on, and no longer", async () => {
  const service = await startService();
  await service.halt();
  const lock = join(service.dataDir, "owner.lock");
  try {
    await writeFile(lock, "1 100 elsewhere/pid:[1]");
    const beat = setInterval(() => utimes(lock, new Date(), new Date()).catch(() => {}), 500);
    const held = await refusedStart(service);
    clearInterval(beat);
    expect(held).toMatchObject({ code: 1, stderr: expect.stringContaining("in use by process 1 of elsewhere") });
    const again = await startService({ on: service });
    await again.halt();
  } finally {
    await service.stop();
  }
});

/** As after a kill between mark and file: only the database can tell, so it is told here. */
async function markDeleting(service: RunningService, ids: readonly string[]): Promise<void> {
  const { openStore } = await import("../../src/store/database.ts");
  const store = await openStore(service);
  await store.db
    .updateTable("datasets")
    .set({ deleting_at: new Date(Date.now() - 2 * 3_600_000) })
    .where("id", "in", ids)
    .execute();
  await store.stop();
}

test("a file that can't be removed keeps neither the service from starting nor others from going", async () => {
  const service = await startService();
  try {
    const stuck = (await service.upload(csv, { name: "stuck" })).json.id;
    const other = (await service.upload(csv, { name: "other" })).json.id;
    const orphan = "01a20a3e-3be8-733e-aec6-a42d3a37a41c";
    await service.halt();
    await markDeleting(service, [stuck, other]);
    const files = join(service.dataDir, "files");
    // A folder is no file: it can't be removed as one, by root neither.
    const folders = [`dataset/${stuck}`, `artifact/${orphan}`, "artifact/lost+found", "tmp/left"];
    for (const path of folders.map((folder) => join(files, folder))) {
      await rm(path, { force: true });
      await mkdir(path);
      await utimes(path, 0, 0);
    }
    const again = await startService({ on: service });
    expect(await readdir(join(files, "dataset"))).toEqual([stuck]);
    const warned = again.lines.map((line) => JSON.parse(line)).filter(({ level }) => level === "warn");
    // The sweep names it, and so does a later round.
    const named = new Set(warned.map(({ fileId }) => fileId));
    expect([...named].sort()).toEqual([stuck, orphan, "left"].sort());
    await again.halt();
  } finally {
    await service.stop();
  }
});

test("a removal that a crash cut in half is finished at the next start", async () => {
  const service = await startService();
  try {
    const { json } = await service.upload(csv);
    await service.halt();
    await markDeleting(service, [json.id]);
    const again = await startService({ on: service });
    expect(await readdir(join(service.dataDir, "files", "dataset"))).toEqual([]);
    expect(await again.metric("mlops_backend_storage_bytes", { kind: "dataset" })).toBe(0);
    await again.halt();
  } finally {
    await service.stop();
  }
});

test("a DATA_DIR that can't be written, embedded database or not, ends the start in one line", async () => {
  const place = await mkdtemp(join(tmpdir(), "data-dir-"));
  const databaseUrl = await createDatabase();
  try {
    const file = join(place, "file");
    await writeFile(file, "");
    // What can't be made may lie around DATA_DIR; for another user's folder the system names that one, too.
    const link = join(place, "file-that-is-away");
    await symlink(join(place, "nowhere"), link);
    for (const dataDir of [file, join(link, "data")]) {
      const { code, stderr } = await refusedStart({ dataDir, databaseUrl });
      expect(code).toBe(1);
      expect(stderr).toMatch(
        new RegExp(
          `^DATA_DIR: ${file}\\S* can't be written \\((EEXIST|ENOTDIR)\\): name a folder that this user may write\\.\n$`,
        ),
      );
    }
  } finally {
    await dropDatabase(databaseUrl);
    await rm(place, { recursive: true });
  }
});
