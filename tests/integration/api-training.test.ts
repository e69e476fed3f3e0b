import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { seattleWeatherCsv } from "../support/real-data.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";

const unknownId = "01a20a3e-3be8-733e-aec6-a42d3a37a41c";

let service: RunningService;
let datasetId: string;
let noiseId: string;
beforeAll(async () => {
  service = await startService({ env: { MAX_QUEUED_RUNS_PER_OWNER: "3", MAX_MODEL_ARTIFACTS: "4" } });
  datasetId = (await service.upload(seattleWeatherCsv(), { target: "weather" })).json.id;
  noiseId = (await service.upload(noiseCsv())).json.id;
});
afterAll(() => service?.stop());

describe("training", () => {
  test.each(["light", "heavy"] as const)("a %s run beats the naive baseline, and its model predicts", async (mode) => {
    const run = await service.train(datasetId, { mode });
    expect(run.json).toMatchObject({
      status: "succeeded",
      mode,
      task: "classification",
      progress: 1,
      attempt: 1,
      error: null,
    });
    expect(run.json.metrics.accuracy).toBeGreaterThan(run.json.metrics.baseline.accuracy);
    expect(run.json.metrics.rows).toEqual({ train: 1461, test: 365 });
    const artifact = await service.call("GET", `/artifacts/${run.json.artifactId}`);
    expect(artifact.json).toMatchObject({ runId: run.json.id, datasetId, mode, pinned: false });
    const rainy = { date: "2020-01-01", precipitation: 20, temp_max: 10, temp_min: 5, wind: 4 };
    const predicted = await service.call("POST", `/artifacts/${run.json.artifactId}/predictions`, { rows: [rainy] });
    expect(predicted.json.predictions[0].prediction).toBe("rain");
    const csv = "date,precipitation,temp_max,temp_min,wind\n2020-01-01,20,10,5,4\n";
    const fromCsv = await service.call("POST", `/artifacts/${run.json.artifactId}/predictions`, csv, {
      "content-type": "text/csv",
    });
    expect(fromCsv.json.predictions).toEqual(predicted.json.predictions);
    const content = await service.call("GET", `/artifacts/${run.json.artifactId}/content`);
    expect(content.json).toMatchObject({ task: "classification", target: "weather", mode });
  });

  test("another target of the same dataset can be a number", async () => {
    const run = await service.train(datasetId, { target: "temp_max", mode: "heavy" });
    expect(run.json).toMatchObject({ status: "succeeded", task: "regression" });
    expect(run.json.metrics.r2).toBeGreaterThan(0.5);
  });

  test("server-sent events tell of progress until the end, then there is nothing more", async () => {
    const submitted = await service.call("POST", "/training-runs", { datasetId, mode: "heavy" });
    const events = await service.call("GET", `/training-runs/${submitted.json.id}/events`);
    expect(events.headers.get("content-type")).toContain("text/event-stream");
    const data = [...events.text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? ""));
    expect(data.at(-1).status).toBe("succeeded");
    const lastId = [...events.text.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? "";
    const again = await service.call("GET", `/training-runs/${submitted.json.id}/events`, undefined, {
      "last-event-id": lastId,
    });
    expect(again.status).toBe(204);
  });

  test("a running run is cancelled at once, not when it would have ended, and can't be cancelled again", async () => {
    const { json } = await service.call("POST", "/training-runs", { datasetId: noiseId, ...endless });
    await service.waitForRun(json.id, (run) => run.status === "running");
    expect(await service.call("DELETE", `/datasets/${noiseId}`)).toMatchObject({
      status: 409,
      json: { status: 409, code: "DATASET_IN_USE" },
    });
    expect((await service.call("POST", `/training-runs/${json.id}/cancel`)).status).toBe(202);
    await service.waitForRun(json.id, (run) => run.status === "cancelled");
    await eventually(
      async () => (await service.metric("mlops_backend_training_worker_slots", { state: "busy" })) === 0,
    );
    expect((await service.call("POST", `/training-runs/${json.id}/cancel`)).json.code).toBe("RUN_ALREADY_FINAL");
  });

  test("a waiting run that is cancelled leaves the queue at once, not when its turn comes", async () => {
    const queued = () => service.metric("mlops_backend_training_queue_jobs", { state: "queued" });
    const first = await service.call("POST", "/training-runs", { datasetId: noiseId, ...endless });
    await service.waitForRun(first.json.id, (run) => run.status === "running");
    const second = await service.call("POST", "/training-runs", { datasetId, mode: "light" });
    await eventually(async () => (await queued()) === 1);
    expect((await service.call("POST", `/training-runs/${second.json.id}/cancel`)).status).toBe(202);
    await eventually(async () => (await queued()) === 0);
    expect((await service.call("GET", `/training-runs/${first.json.id}`)).json.status).toBe("running");
    await service.call("POST", `/training-runs/${first.json.id}/cancel`);
  });

  test("waiting runs have a place, a limit, and are told apart by Idempotency-Key", async () => {
    const first = await service.call("POST", "/training-runs", { datasetId: noiseId, ...endless });
    await service.waitForRun(first.json.id, (run) => run.status === "running");
    const key = { "idempotency-key": "one" };
    const second = await service.call("POST", "/training-runs", { datasetId: noiseId, ...endless }, key);
    const same = await service.call("POST", "/training-runs", { datasetId: noiseId, ...endless }, key);
    expect(same.json.id).toBe(second.json.id);
    expect((await service.call("POST", "/training-runs", { datasetId, mode: "light" }, key)).json).toMatchObject({
      code: "IDEMPOTENCY_KEY_REUSED",
      status: 422,
    });
    const waiting = [second.json.id];
    for (let count = 0; count < 2; count += 1)
      waiting.push((await service.call("POST", "/training-runs", { datasetId, mode: "light" })).json.id);
    const full = await service.call("POST", "/training-runs", { datasetId, mode: "light" });
    expect(full.json).toMatchObject({ code: "QUEUE_FULL", status: 429 });
    expect(full.headers.get("retry-after")).toMatch(/^\d+$/);
    expect((await service.call("GET", `/training-runs/${waiting[2]}`)).json.queuePosition).toBe(3);
    const listed = await service.call("GET", "/training-runs?status=queued");
    expect(listed.json.items).toHaveLength(3);
    for (const id of [...waiting, first.json.id]) await service.call("POST", `/training-runs/${id}/cancel`);
    for (const id of [...waiting, first.json.id]) await service.waitForRun(id);
  });

  test("bad requests have their own codes", async () => {
    const post = (body: unknown) => service.call("POST", "/training-runs", body);
    expect((await post({ datasetId: unknownId, mode: "light" })).json.code).toBe("DATASET_NOT_FOUND");
    expect((await post({ datasetId, mode: "huge" })).json).toMatchObject({
      code: "VALIDATION_FAILED",
      errors: [{ path: "mode" }],
    });
    expect((await post({ datasetId, mode: "light", target: "nope" })).json.code).toBe("TARGET_UNKNOWN");
    expect((await post({ datasetId, mode: "light", features: ["nope"] })).json.code).toBe("FEATURE_UNKNOWN");
    expect((await post({ datasetId, mode: "light", target: "weather", task: "regression" })).json.code).toBe(
      "TARGET_NOT_NUMERIC",
    );
    expect((await service.call("POST", "/training-runs", "{", { "content-type": "application/json" })).json.code).toBe(
      "JSON_INVALID",
    );
    const members = Object.fromEntries(Array.from({ length: 2100 }, (_, index) => [`\\"${index}`, index]));
    for (const manyParts of [members, [Array.from({ length: 2100 }, () => [])]])
      expect((await post(manyParts)).json).toMatchObject({
        code: "VALIDATION_FAILED",
        detail: expect.stringContaining("more than 2100 members, lists and objects"),
      });
    const wide = Buffer.from(JSON.stringify(members), "utf16le");
    const other = { "content-type": "application/json; charset=utf-16le" };
    expect((await service.call("POST", "/training-runs", wide, other)).json.code).toBe("UNSUPPORTED_MEDIA_TYPE");
    // What stands in a text is none of them.
    const names = Array.from({ length: 400 }, (_, index) => `a\\": [{${index}`);
    expect((await post({ datasetId, mode: "light", features: names })).json.code).toBe("FEATURE_UNKNOWN");
    for (const encoding of ["gzip", "br", "zstd", "deflate"]) {
      const headers = { "content-type": "application/json", "content-encoding": encoding };
      const answer = await service.call("POST", "/training-runs", "this is not compressed at all", headers);
      expect([encoding, answer.json.code]).toEqual([encoding, "VALIDATION_FAILED"]);
    }
    expect((await service.call("POST", "/training-runs", "x", { "content-type": "text/plain" })).json.code).toBe(
      "UNSUPPORTED_MEDIA_TYPE",
    );
    expect((await service.call("GET", `/training-runs/${unknownId}`)).json.code).toBe("RUN_NOT_FOUND");
    expect((await service.call("GET", "/training-runs/nope")).json.code).toBe("ID_INVALID");
  });

  test("a dataset that cannot be learnt from is the data's fault: no retry", async () => {
    const small = await service.upload("a,label\n1,x\n2,y\n3,x\n", { name: "small" });
    const run = await service.train(small.json.id);
    expect(run.json).toMatchObject({ status: "failed", attempt: 1 });
    expect(run.json.error.code).toBeTypeOf("string");
    // Counted once the row says so; a client may be faster.
    const failures = { error_type: "data" };
    await eventually(async () => (await service.metric("mlops_backend_training_failures_total", failures)) === 1);
  });
});

describe("models", () => {
  test("retention keeps the newest, pinned ones aside, and the run says that its model is gone", async () => {
    const pinned = await service.train(datasetId);
    expect((await service.call("PATCH", `/artifacts/${pinned.json.artifactId}`, { pinned: true })).json.pinned).toBe(
      true,
    );
    const first = await service.train(datasetId, { parameters: { seed: 1 } });
    for (const seed of [2, 3, 4, 5]) await service.train(datasetId, { parameters: { seed } });
    const gone = await eventually(async () => {
      const run = await service.call("GET", `/training-runs/${first.json.id}`);
      return run.json.artifactRemovedAt === null ? undefined : run;
    });
    expect(gone.json.metrics.accuracy).toBeGreaterThan(0);
    expect((await service.call("GET", `/artifacts/${first.json.artifactId}`)).json.code).toBe("ARTIFACT_NOT_FOUND");
    expect((await service.call("GET", `/artifacts/${pinned.json.artifactId}`)).status).toBe(200);
    expect((await service.call("GET", "/artifacts?limit=100")).json.items).toHaveLength(5);
  });

  test("a row of the training data is one that the model predicts, whatever DuckDB takes for a number", async () => {
    const lines = Array.from({ length: 40 }, (_, n) => `${["NaN", "inf", "1_000", "7"][n % 4]},${n},${n * 3}`);
    const csv = `a,__proto__,target\n${lines.join("\n")}\n`;
    const dataset = await service.upload(csv, { name: "odd numbers" });
    const { json } = await service.train(dataset.json.id, { mode: "light" });
    const path = `/artifacts/${json.artifactId}/predictions`;
    const fromCsv = await service.call("POST", path, csv, { "content-type": "text/csv" });
    expect(fromCsv.status).toBe(200);
    expect(fromCsv.json.predictions).toHaveLength(40);
    const body = '{"rows":[{"a":"inf","__proto__":4}]}';
    expect((await service.call("POST", path, body, { "content-type": "application/json" })).status).toBe(200);
    const huge = await service.call("POST", path, { rows: [{ a: 3e38, ["__proto__"]: 3e38 }] });
    expect(huge.json).toMatchObject({ code: "PREDICTION_INPUT_INVALID", status: 400 });
  });

  test("a body of a million rows is refused at once, not read to its end", async () => {
    const { json } = await service.train(datasetId, { mode: "light" });
    const path = `/artifacts/${json.artifactId}/predictions`;
    const csv = await service.call("POST", path, `a\n${"1\n".repeat(2_000_000)}`, { "content-type": "text/csv" });
    expect(csv.json).toMatchObject({ code: "TOO_MANY_ROWS", status: 400 });
    const rows = await service.call("POST", path, `{"rows":[${"{},".repeat(1_300_000)}{}]}`, {
      "content-type": "application/json",
    });
    expect(rows.json).toMatchObject({ code: "TOO_MANY_ROWS", status: 400 });
    const wide = await service.call("POST", path, `${"a,".repeat(300_000)}b\n`, { "content-type": "text/csv" });
    expect(wide.json).toMatchObject({ code: "PREDICTION_INPUT_INVALID", status: 400 });
  });

  test("more features than fit are the data's fault, and nothing is tried again", async () => {
    const columns = 400;
    const letters = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"];
    const line = (row: number): string =>
      [...Array.from({ length: columns }, (_, column) => letters[(row * 7 + column) % 50]), row % 2].join(",");
    const header = [...Array.from({ length: columns }, (_, column) => `c${column}`), "target"].join(",");
    const csv = `${header}\n${Array.from({ length: 2_000 }, (_, row) => line(row)).join("\n")}\n`;
    // Its own service: the file is larger than this one takes, and the memory smaller.
    const roomy = await startService({ env: { TRAINING_MEMORY_BYTES: "318767104" } });
    try {
      const dataset = await roomy.upload(csv, { name: "wide" });
      const { json } = await roomy.train(dataset.json.id, { mode: "light" });
      expect(json).toMatchObject({ status: "failed", attempt: 1, error: { code: "TOO_MANY_FEATURES" } });
      const profiled = await eventually(async () => {
        const answer = await roomy.call("GET", `/datasets/${dataset.json.id}`);
        return answer.json.profile === null ? undefined : answer;
      });
      expect(profiled.json.profile).toHaveLength(columns + 1);
    } finally {
      await roomy.stop();
    }
  });

  test("bad prediction input names row and column", async () => {
    const { json } = await service.train(datasetId);
    const path = `/artifacts/${json.artifactId}/predictions`;
    const wrong = await service.call("POST", path, {
      rows: [{ date: "2015-12-24", precipitation: "much", temp_max: 1, temp_min: 1, wind: 1 }],
    });
    expect(wrong.json).toMatchObject({ code: "PREDICTION_INPUT_INVALID", status: 400 });
    expect(wrong.json.errors[0].path).toContain("precipitation");
    expect((await service.call("POST", path, { rows: [] })).json.code).toBe("VALIDATION_FAILED");
    expect((await service.call("POST", path, { rows: Array(1001).fill({}) })).json.code).toBe("TOO_MANY_ROWS");
    expect((await service.call("POST", path, "<rows/>", { "content-type": "text/xml" })).json.code).toBe(
      "UNSUPPORTED_MEDIA_TYPE",
    );
    expect((await service.call("POST", path, "a,b\n1\n", { "content-type": "text/csv" })).json.code).toBe(
      "PREDICTION_INPUT_INVALID",
    );
    const compressed = { "content-type": "text/csv", "content-encoding": "gzip" };
    expect((await service.call("POST", path, "not compressed", compressed)).json.code).toBe("VALIDATION_FAILED");
    expect(await service.metric("mlops_backend_predictions_total", { outcome: "failed" })).toBe(0);
    expect((await service.call("DELETE", `/artifacts/${json.artifactId}`)).status).toBe(204);
    expect((await service.call("POST", path, { rows: [{}] })).json.code).toBe("ARTIFACT_NOT_FOUND");
  });

  test("trends and summary tell of quality", async () => {
    const summary = await service.call("GET", "/metrics/summary");
    expect(summary.status).toBe(200);
    expect(JSON.stringify(summary.json)).toContain("classification");
    expect((await service.call("GET", "/metrics/trends")).status).toBe(200);
  });
});
