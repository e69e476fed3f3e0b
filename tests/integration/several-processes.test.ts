import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { follow } from "../support/followed-run.ts";
import { type Answer, eventually, type RunningService, startService } from "../support/service.ts";

// What one process keeps by itself, several must keep together: only the database knows of both.

const csv = `a,b,label\n${Array.from({ length: 40 }, (_, row) => `${row},${row % 7},${row % 2 === 0 ? "x" : "y"}`).join("\n")}\n`;
const limits = { MAX_QUEUED_RUNS_PER_OWNER: "5", MAX_STORAGE_BYTES_PER_OWNER: "2000000", MAX_MODEL_ARTIFACTS: "2" };
const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status).sort();

describe.runIf(process.env.TEST_DATABASE_URL)("two api processes and two workers on one PostgreSQL", () => {
  let apis: RunningService[];
  const workers: RunningService[] = [];
  beforeAll(async () => {
    const first = await startService({ env: { SERVICE_ROLE: "api", ...limits } });
    apis = [first, await startService({ on: first, env: { SERVICE_ROLE: "api", ...limits } })];
  });
  afterAll(async () => {
    for (const worker of workers) await worker.halt();
    await apis?.[1]?.halt();
    await apis?.[0]?.stop();
  });
  /** The same call at both, that often each, all at once. */
  const atBoth = (times: number, call: (service: RunningService, index: number) => Promise<Answer>) =>
    Promise.all(Array.from({ length: times * 2 }, (_, index) => call(apis[index % 2]!, index)));
  const all = async (path: string): Promise<{ id: string }[]> => (await apis[0]!.call("GET", path)).json.items;

  test("one content uploaded at both at once is one dataset", async () => {
    const answers = await atBoth(2, (service) => service.upload(csv, { name: "the same" }));
    expect(statuses(answers)).toEqual([200, 200, 200, 201]);
    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
  });

  test("a quota of bytes holds over both", async () => {
    const large = csv + "1,2,x\n".repeat(100_000);
    const answers = await atBoth(3, (service, index) => service.upload(large, { name: `large ${index}` }));
    expect(statuses(answers)).toEqual([201, 201, 201, 507, 507, 507]);
    const kept = (await all("/datasets")) as { id: string; sizeBytes: number }[];
    expect(kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeLessThanOrEqual(2_000_000);
    for (const { json, status } of answers)
      if (status === 201) expect((await apis[1]!.call("DELETE", `/datasets/${json.id}`)).status).toBe(204);
  });

  test("one Idempotency-Key at both at once is one run; the limit of waiting runs holds over both", async () => {
    const [dataset] = await all("/datasets");
    const submit = (service: RunningService, key: string) =>
      service.call("POST", "/training-runs", { datasetId: dataset!.id, mode: "light" }, { "idempotency-key": key });
    const repeated = await atBoth(3, (service) => submit(service, "once"));
    expect(new Set(repeated.map(({ json }) => json.id)).size).toBe(1);
    expect(repeated.filter(({ status }) => status === 202)).toHaveLength(6);
    const more = await atBoth(5, (service, index) => submit(service, `each-${index}`));
    expect(statuses(more)).toEqual([202, 202, 202, 202, 429, 429, 429, 429, 429, 429]);
    expect(await all("/training-runs?status=queued")).toHaveLength(5);
  });

  test("the runs of one are trained by the others once each, and the newest models stay", async () => {
    for (let index = 0; index < 2; index += 1)
      workers.push(await startService({ on: apis[0]!, env: { SERVICE_ROLE: "worker", ...limits } }));
    await eventually(async () => (await all("/training-runs?status=succeeded")).length === 5);
    const trained = async (): Promise<number> => {
      const succeeded = { outcome: "succeeded" };
      const counts = workers.map((worker) => worker.metric("mlops_backend_training_runs_total", succeeded));
      return (await Promise.all(counts)).reduce((sum, count) => sum + count);
    };
    // Counted after the commit, by other processes than the one that tells of it; a run trained twice would follow.
    await eventually(async () => (await trained()) >= 5);
    await eventually(async () => (await all("/artifacts")).length === 2);
    expect(await trained()).toBe(5);
    for (const { id } of await all("/artifacts"))
      expect((await apis[1]!.call("GET", `/artifacts/${id}/content`)).status).toBe(200);
  });

  test("who follows a run at one hears what the other was told", async () => {
    const noise = await apis[0]!.upload(noiseCsv());
    const run = await apis[0]!.call("POST", "/training-runs", { datasetId: noise.json.id, ...endless });
    const streams = await Promise.all(apis.map((service) => follow(service, run.json.id)));
    // Both have told of it: states that are over may be left out of a stream.
    await eventually(async () => streams.every(({ text }) => text.includes('"status":"running"')));
    expect((await apis[1]!.call("POST", `/training-runs/${run.json.id}/cancel`)).status).toBe(202);
    await eventually(async () => streams.every(({ isOver }) => isOver));
    for (const { text } of streams) {
      const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? ""));
      expect(events.map(({ status }) => status)).toContain("running");
      expect(events.at(-1)).toMatchObject({ status: "cancelled" });
    }
    const isFree = async (worker: RunningService) =>
      (await worker.metric("mlops_backend_training_worker_slots", { state: "busy" })) === 0;
    await eventually(async () => (await Promise.all(workers.map(isFree))).every((free) => free));
  });
});
