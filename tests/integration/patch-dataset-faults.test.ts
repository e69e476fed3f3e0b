import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { expect, test } from "vitest";
import { openStore } from "../../src/store/database.ts";
import { type RunningService, startService } from "../support/service.ts";

const table = (salt: string, count = 40) =>
  `id;zip;kg;label\n${Array.from({ length: count }, (_, row) => `${salt}${row};${1000 + (row % 4)};${row % 9 === 0 ? "none" : `${row % 7},5`};${row % 2}\n`).join("")}`;

async function withService(env: Record<string, string>, work: (service: RunningService) => Promise<void>) {
  const service = await startService({ env });
  try {
    await work(service);
  } finally {
    await service.stop();
  }
}
const shown = async (service: RunningService, id: string) => (await service.call("GET", `/datasets/${id}`)).json;
const filesOf = async ({ dataDir }: RunningService) => (await readdir(join(dataDir, "files", "dataset"))).sort();
const temporaryOf = ({ dataDir }: RunningService) => readdir(join(dataDir, "files", "tmp"));
const typesOf = ({ understood }: { understood: { columns: { type: string }[] } }) =>
  understood.columns.map(({ type }) => type);

/** The service started anew, with a dataset as it was kept before what is said of it was. */
async function fromBefore(service: RunningService, id: string): Promise<RunningService> {
  await service.halt();
  const store = await openStore(service);
  const forget = { said: null as unknown as string };
  await store.db.updateTable("datasets").set(forget).where("id", "=", id).execute();
  await store.stop();
  return startService({ on: service });
}

test("a dataset from before what is said was kept is read as it was, and corrected in that", async () => {
  const first = await startService();
  const said = { delimiter: ";", decimal: ",", missing: "none", header: "true", types: '{"zip":"text"}' };
  const { json: dataset } = await first.upload(table("old"), { name: "old", target: "zip", ...said });
  const service = await fromBefore(first, dataset.id);
  try {
    expect((await shown(service, dataset.id)).said).toBeNull();
    const idle = await service.call("PATCH", `/datasets/${dataset.id}`, { target: "zip" });
    expect([idle.status, idle.json.said]).toEqual([200, null]);
    const answer = await service.call("PATCH", `/datasets/${dataset.id}`, { leftOut: ["id"] });
    expect(answer.json).toMatchObject({
      target: "zip",
      rows: 40,
      said: { target: "zip", delimiter: ";", decimal: ",", missing: ["none"], header: true, leftOut: ["id"] },
      understood: { delimiter: ";", decimal: ",", missing: expect.arrayContaining(["none"]) },
    });
    expect(typesOf(answer.json)).toEqual(["text", "number", "number", "number"]);
  } finally {
    await service.stop();
  }
});

test("a dataset from before there were dates is the same when it is sent again by a form that says nothing of types", async () => {
  const days = Array.from({ length: 40 }, (_, row) => `2024-01-${10 + (row % 20)},${row},${row % 2}\n`);
  const content = `day,kg,label\n${days.join("")}`;
  const first = await startService();
  const { json: dataset } = await first.upload(content, { name: "days", delimiter: ",", types: '{"day":"text"}' });
  const service = await fromBefore(first, dataset.id);
  try {
    const again = (more = {}) => service.upload(content, { name: "days", delimiter: ",", ...more });
    expect([(await again()).status, (await again()).json.id]).toEqual([200, dataset.id]);
    expect((await again({ types: '{"day":"date"}' })).json.code).toBe("DATASET_EXISTS");
    expect((await again({ missing: "7" })).json.code).toBe("DATASET_EXISTS");
    await service.train(dataset.id, { mode: "light" });
    const version = await service.call("PATCH", `/datasets/${dataset.id}`, { leftOut: ["kg"] });
    expect([version.status, typesOf(version.json)[0]]).toEqual([201, "date"]);
    expect((await again()).json.id).toBe(dataset.id);
  } finally {
    await service.stop();
  }
});

test("a profile that is being made of the types before is thrown away, and made anew", () =>
  withService({}, async (service) => {
    const { json } = await service.upload(table("long", 150_000), { name: "long" });
    for (const type of ["text", "number", "text"])
      expect((await service.call("PATCH", `/datasets/${json.id}`, { types: { zip: type } })).status).toBe(200);
    const profile = () => shown(service, json.id).then((dataset) => dataset.profile);
    await expect.poll(profile).not.toBeNull();
    expect((await profile())[1]).toMatchObject({ name: "zip", type: "text", minLength: 4 });
    // What was overtaken is no try of it.
    expect((await shown(service, json.id)).profileFault).toBeNull();
  }));

test("a correction beside a removal is one of what is there or of nothing, and leaves nothing behind", () =>
  withService({}, async (service) => {
    for (const isUsed of [false, true]) {
      for (let round = 0; round < 6; round += 1) {
        const { json } = await service.upload(table(`gone ${isUsed} ${round}`, 5_000), { name: `gone ${round}` });
        if (isUsed) await service.train(json.id, { mode: "light", features: ["kg"] });
        const [corrected, removed] = await Promise.all([
          service.call("PATCH", `/datasets/${json.id}`, { types: { zip: "text" } }),
          service.call("DELETE", `/datasets/${json.id}`),
        ]);
        expect(removed.status).toBe(204);
        expect([isUsed ? 201 : 200, 404], corrected.text).toContain(corrected.status);
        expect((await service.call("PATCH", `/datasets/${json.id}`, { target: "kg" })).json.code).toBe(
          "DATASET_NOT_FOUND",
        );
      }
    }
    const { items } = (await service.call("GET", "/datasets?limit=100")).json;
    await expect.poll(() => filesOf(service)).toEqual(items.map(({ id }: { id: string }) => id).sort());
    await expect.poll(() => temporaryOf(service)).toEqual([]);
  }));

// It takes a transaction that stands still: on PostgreSQL alone there is a second one.
test.runIf(process.env.TEST_DATABASE_URL)("a run that commits while a correction waits for it is one before it", () =>
  withService({}, async (service) => {
    const { json: other } = await service.upload(table("other"), { name: "other" });
    const { json: run } = await service.train(other.id, { mode: "light" });
    const { json } = await service.upload(table("waits"), { name: "waits" });
    // Whoever makes the profile would wait for the same row, and stand where the correction is looked for.
    await expect.poll(async () => (await shown(service, json.id)).profile).not.toBeNull();
    const submission = new pg.Client({ connectionString: service.databaseUrl });
    // A transaction sees what others did when it looked first, and no more.
    const looking = new pg.Client({ connectionString: service.databaseUrl });
    await Promise.all([submission.connect(), looking.connect()]);
    try {
      await submission.query("begin");
      await submission.query("select id from datasets where id = $1 for share", [json.id]);
      await submission.query("update training_runs set dataset_id = $1 where id = $2", [json.id, run.id]);
      const correcting = service.call("PATCH", `/datasets/${json.id}`, { types: { zip: "text" } });
      const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        and query like '%"datasets"%for update%'`;
      await expect.poll(async () => (await looking.query(waiting)).rowCount).toBe(1);
      await submission.query("commit");
      const answer = await correcting;
      expect([answer.status, answer.json.versionOf]).toEqual([201, json.id]);
      expect(typesOf(await shown(service, json.id))[1]).toBe("number");
    } finally {
      await Promise.all([submission.end(), looking.end()]);
    }
  }),
);

test("a file that is missing is told, and nothing has changed", () =>
  withService({ SERVICE_ROLE: "api" }, async (service) => {
    const { json } = await service.upload(table("lost"), { name: "lost" });
    await rm(join(service.dataDir, "files", "dataset", json.id));
    const answer = await service.call("PATCH", `/datasets/${json.id}`, { target: "kg" });
    expect(answer.json.code).toBe("FILE_MISSING_IN_STORAGE");
    expect(await shown(service, json.id)).toMatchObject({ target: "label", said: {} });
  }));

test("a version counts against what its owner may keep, and one that does not fit leaves nothing", () => {
  const content = table("quota");
  const env = { SERVICE_ROLE: "api", MAX_STORAGE_BYTES_PER_OWNER: String(Math.ceil(content.length * 1.5)) };
  return withService(env, async (service) => {
    const { json } = await service.upload(content, { name: "quota" });
    // Nobody works it off: the dataset is used all the same.
    await service.call("POST", "/training-runs", { datasetId: json.id, mode: "light" });
    const answer = await service.call("PATCH", `/datasets/${json.id}`, { target: "kg" });
    expect(answer.json).toMatchObject({ code: "QUOTA_EXCEEDED", status: 507 });
    expect(await filesOf(service)).toEqual([json.id]);
    await expect.poll(() => temporaryOf(service)).toEqual([]);
  });
});

test("all columns of a table with 2,000 may be named", () =>
  withService({}, async (service) => {
    const names = Array.from({ length: 2_000 }, (_, index) => `measure_${index}`);
    const line = (row: number) => names.map((_, index) => (index * row) % 5).join(",");
    const content = `${names.join(",")}\n${Array.from({ length: 30 }, (_, row) => line(row)).join("\n")}\n`;
    const { json } = await service.upload(content, { name: "wide" });
    const types = Object.fromEntries(names.map((name) => [name, "text"]));
    const leftOut = names.slice(0, 1_990);
    const answer = await service.call("PATCH", `/datasets/${json.id}`, { types, leftOut });
    expect(answer.status, answer.text.slice(0, 500)).toBe(200);
    expect(new Set(typesOf(answer.json))).toEqual(new Set(["text"]));
    const run = (await service.train(json.id, { mode: "light" })).json;
    expect(run.columns.filter(({ reason }: { reason?: string }) => reason === "left_out_in_dataset")).toHaveLength(
      1_990,
    );
    const version = await service.call("PATCH", `/datasets/${json.id}`, { types: null });
    expect([version.status, version.json.said]).toEqual([201, { leftOut }]);
  }));

test("whoever leaves meanwhile changes nothing", () =>
  withService({ SERVICE_ROLE: "api" }, async (service) => {
    const { json } = await service.upload(table("left", 100_000), { name: "left" });
    const leaving = new AbortController();
    const sent = fetch(`${service.url}/api/ml/v1/datasets/${json.id}`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ types: { zip: "text" } }),
      signal: leaving.signal,
    }).catch((error: Error) => error.name);
    await expect.poll(() => service.metric("http_server_active_requests", { http_request_method: "PATCH" })).toBe(1);
    leaving.abort();
    expect(await sent).toBe("AbortError");
    await expect.poll(() => service.metric("http_server_active_requests", { http_request_method: "PATCH" })).toBe(0);
    expect(await shown(service, json.id)).toMatchObject({ said: {} });
    await expect.poll(() => temporaryOf(service)).toEqual([]);
  }));

test("a version goes when its file is as old as datasets may be", () =>
  withService({ DATASET_TTL_DAYS: "30" }, async (service) => {
    const { json } = await service.upload(table("aged"), { name: "aged" });
    await service.train(json.id, { mode: "light" });
    const version = await service.call("PATCH", `/datasets/${json.id}`, { target: "kg" });
    expect(version.status).toBe(201);
    expect(version.json.expiresAt).toBe(json.expiresAt);
    expect(json.expiresAt).not.toBeNull();
  }));
