import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { constants, type FileHandle, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeText } from "../support/encode-text.ts";
import { nicenessOf } from "../support/process-stat.ts";
import { eventually, type RunningService, startService, withService } from "../support/service.ts";

const json = { "content-type": "application/json" };
const csv = { "content-type": "text/csv" };
const training = `a,b,label\n${Array.from({ length: 60 }, (_, row) => `${row},${(row * 7) % 11},${row % 3 === 0 ? "x" : "y"}`).join("\n")}\n`;
/** Two megabytes that no model looks at: what they cost to read makes the prediction a long one. */
const padded = `a,b,padding\n1,2,${"p".repeat(2_100_000)}\n`;
const predictions = "mlops_backend_predictions_total";

async function trainedModel(service: RunningService, headers: Record<string, string> = {}): Promise<string> {
  const { json: dataset } = await service.upload(training, {}, "data.csv", headers);
  const submitted = await service.call("POST", "/training-runs", { datasetId: dataset.id, mode: "heavy" }, headers);
  const run = await eventually(async () => {
    const answer = await service.call("GET", `/training-runs/${submitted.json.id}`, undefined, headers);
    return answer.json.status === "succeeded" && answer;
  });
  return run.json.artifactId;
}

/** Puts a pipe in the place of the model's file: whoever reads it waits until the test lets it go on. */
async function holdModel(service: RunningService, artifactId: string) {
  const path = join(service.dataDir, "files", "artifact", artifactId);
  const content = await readFile(path);
  await rename(path, `${path}.kept`);
  execFileSync("mkfifo", [path]);
  return {
    path,
    content,
    /** The pipe's end to write into, as soon as somebody reads it; closing it ends what was read. */
    async whenRead(): Promise<FileHandle> {
      await using _probe = await eventually(() =>
        open(path, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => undefined),
      );
      return await open(path, "w");
    },
  };
}

describe("whether rows come as JSON or CSV", () => {
  let service: RunningService;
  let path: string;
  beforeAll(async () => {
    service = await startService();
    path = `/artifacts/${await trainedModel(service)}/predictions`;
  });
  afterAll(() => service?.stop());

  test("no rows are refused in the same words", async () => {
    const ofJson = await service.call("POST", path, { rows: [] });
    const ofCsv = await service.call("POST", path, "a,b\n", csv);
    expect(ofJson.json).toMatchObject({ status: 400, code: "VALIDATION_FAILED", errors: [{ path: "rows" }] });
    const { code, detail, errors } = ofJson.json;
    expect(ofCsv.json).toMatchObject({ status: 400, code, detail, errors });
  });

  test("a value that is no number is named by the same row, counted from 1", async () => {
    const ofJson = await service.call("POST", path, {
      rows: [
        { a: 1, b: 2 },
        { a: "much", b: 2 },
      ],
    });
    const ofCsv = await service.call("POST", path, "a,b\n1,2\nmuch,2\n", csv);
    expect(ofJson.json.detail).toContain('Row 2: column "a" must be a number');
    const { code, detail, errors } = ofJson.json;
    expect(ofCsv.json).toMatchObject({ status: 400, code, detail, errors });
    expect((await service.call("POST", path, "a,b\n1,2\n3\n", csv)).json.detail).toContain("Row 2 has 1 cells");
  });

  test("a letter that is not of the encoding is refused, not read as another", async () => {
    for (const [body, type] of [
      ['{"rows":[{"a":"\xe9"}]}', json],
      ["a,b\n\xe9,1\n", csv],
    ] as const) {
      const latin = Buffer.from(body, "latin1");
      const said = { "content-type": `${type["content-type"]}; charset=utf-8` };
      expect((await service.call("POST", path, latin, said)).json).toMatchObject({
        status: 400,
        code: "WRONG_ENCODING",
      });
      const unknown = { "content-type": `${type["content-type"]}; charset=klingon` };
      expect((await service.call("POST", path, latin, unknown)).json.code).toBe("UNSUPPORTED_MEDIA_TYPE");
      const told = { "content-type": `${type["content-type"]}; charset=latin1` };
      expect((await service.call("POST", path, latin, told)).json.detail).toContain('not "é"');
    }
  });

  test("a CSV that is no UTF-8 is read by its letters, as an upload is, and the answer says how", async () => {
    const names = ["Москва", "Тверь", "Казань", "Уфа"];
    const table = `город,размер,класс\n${Array.from({ length: 40 }, (_, row) => `${names[row % 4]},${row},${row % 4 < 2 ? "да" : "нет"}\n`).join("")}`;
    const windows = encodeText(table, "windows-1251");
    const { id } = (await service.upload(windows, { name: "cities" })).json;
    const run = await service.train(id, { mode: "heavy" });
    const call = (body: string | Buffer, type: string) =>
      service.call("POST", `/artifacts/${run.json.artifactId}/predictions`, body, { "content-type": type });
    const guessed = await call(windows, "text/csv");
    expect(guessed.json).toMatchObject({ encoding: "windows-1251" });
    const plain = await call(table, "text/csv");
    expect(plain.json.encoding).toBeUndefined();
    expect(guessed.json.predictions).toEqual(plain.json.predictions);
    expect(guessed.text).not.toContain("unknown");
    const said = await call(encodeText(table, "koi8-r"), "text/csv; charset=koi8-r");
    expect(said.json).toMatchObject({ encoding: "koi8-r", predictions: plain.json.predictions });
    const damaged = Buffer.concat([Buffer.from(table), Buffer.from([0xd0, 0x0a])]);
    expect((await call(damaged, "text/csv")).json.code).toBe("WRONG_ENCODING");
  });

  test("small and large ones get the same answer, and count alike", async () => {
    const small = await service.call("POST", path, { rows: [{ a: 1, b: 2 }] });
    const before = await service.metric(predictions, { outcome: "succeeded" });
    const large = await service.call("POST", path, padded, csv);
    const largeJson = await service.call("POST", path, { rows: [{ a: 1, b: 2, padding: "p".repeat(3_000_000) }] });
    expect([small.status, large.status, largeJson.status]).toEqual([200, 200, 200]);
    expect(large.json).toEqual(small.json);
    expect(largeJson.json).toEqual(small.json);
    expect(large.headers.get("content-type")).toBe(small.headers.get("content-type"));
    expect(await service.metric(predictions, { outcome: "succeeded" })).toBe(before + 2);
    const wrong = await service.call("POST", path, padded.replace("1,2", "much,2"), csv);
    expect(wrong.json).toMatchObject({ status: 400, code: "PREDICTION_INPUT_INVALID", errors: [{ path: "rows.0.a" }] });
  });

  test.runIf(process.platform === "linux")("a thread that predicts lets the event loop go first", async () => {
    expect((await service.call("POST", path, padded, csv)).status).toBe(200);
    const niceness = nicenessOf(service.pid);
    const ofLoop = niceness.get(service.pid)!;
    expect([...niceness.values()]).toContain(Math.min(ofLoop + 5, 19));
  });

  test("a model that nobody has is a rejected prediction of an unknown task", async () => {
    const labels = { task: "unknown", outcome: "rejected" };
    const before = await service.metric(predictions, labels);
    const none = "/artifacts/01a21436-e593-75a4-b8da-59723708b7b3/predictions";
    expect((await service.call("POST", none, { rows: [{ a: 1 }] })).status).toBe(404);
    expect(await service.metric(predictions, labels)).toBe(before + 1);
  });

  test("a model's file that is gone is a fault of ours, in a thread too", async () => {
    const id = await trainedModel(service);
    const file = join(service.dataDir, "files", "artifact", id);
    await rename(file, `${file}.away`);
    const before = await service.metric(predictions, { outcome: "failed" });
    for (const body of ["a,b\n1,2\n", padded])
      expect((await service.call("POST", `/artifacts/${id}/predictions`, body, csv)).json).toMatchObject({
        status: 500,
        code: "FILE_MISSING_IN_STORAGE",
      });
    expect(await service.metric(predictions, { outcome: "failed" })).toBe(before + 2);
  });

  describe("values that the model never saw", () => {
    let path: string;
    beforeAll(async () => {
      const lines = Array.from(
        { length: 60 },
        (_, row) =>
          `${row % 2 === 0 ? "True" : "False"},${["Rome", "Oslo"][row % 3 === 0 ? 0 : 1]},${row % 2 === 0 ? "yes" : "no"}`,
      );
      const { json } = await service.upload(`flag,city,y\n${lines.join("\n")}\n`, { name: "flags" });
      const run = await service.train(json.id);
      path = `/artifacts/${run.json.artifactId}/predictions`;
    });
    const name = "mlops_backend_prediction_unknown_values_total";

    test("are told for each row, and counted", async () => {
      const before = await service.metric(name, { task: "classification" });
      const rows = [
        { flag: true, city: "Rome" },
        { flag: "maybe", city: "Paris" },
        { flag: null, city: "" },
        { flag: "False", city: "Bonn" },
      ];
      const { json: answer } = await service.call("POST", path, { rows });
      expect(answer.predictions.map(({ unknown }: { unknown?: string[] }) => unknown)).toEqual([
        undefined,
        ["flag", "city"],
        undefined,
        ["city"],
      ]);
      expect(await service.metric(name, { task: "classification" })).toBe(before + 3);
    });

    test("are refused by row and column where the caller wants no guess", async () => {
      const answer = await service.call("POST", `${path}?strict=true`, "flag,city\nTrue,Rome\nTrue,Paris\n", csv);
      expect(answer.json).toMatchObject({
        status: 400,
        code: "PREDICTION_INPUT_INVALID",
        errors: [{ path: "rows.1.city" }],
      });
      expect(answer.json.detail).toContain("Paris");
      expect(
        (await service.call("POST", `${path}?strict=perhaps`, { rows: [{ flag: true, city: "Rome" }] })).json.code,
      ).toBe("VALIDATION_FAILED");
    });

    test("a truth value is the category that spells it, in JSON and CSV alike", async () => {
      const { json: answer } = await service.call("POST", `${path}?strict=true`, {
        rows: [true, "true", "TRUE", "True"].map((flag) => ({ flag, city: "Rome" })),
      });
      expect(new Set(answer.predictions.map((one: object) => JSON.stringify(one))).size).toBe(1);
      expect(answer.predictions[0].prediction).toBe("yes");
    });
  });
});

test("where large ones are as many as may be, the next is told so, small ones go on, and who leaves makes room", async () => {
  await withService({ PREDICTION_THREADS: "1", MAX_CONCURRENT_PREDICTIONS: "1" }, async (service) => {
    const [held, free] = [await trainedModel(service), await trainedModel(service)];
    const model = await holdModel(service, held);
    const leaving = new AbortController();
    const left = fetch(`${service.url}/api/ml/v1/artifacts/${held}/predictions`, {
      method: "POST",
      headers: csv,
      body: padded,
      signal: leaving.signal,
    }).catch((error: unknown) => error);
    await using _pipe = await model.whenRead();
    const path = `/artifacts/${free}/predictions`;
    const refused = await service.call("POST", path, padded, csv);
    expect(refused.json).toMatchObject({ status: 429, code: "TOO_MANY_PREDICTIONS" });
    expect(refused.json.detail).toContain("1 large predictions are under way");
    expect(refused.headers.get("retry-after")).toBe("1");
    const whole = await service.call("GET", `/artifacts/${free}/content?format=onnx`);
    expect(whole.json).toMatchObject({ status: 429, code: "TOO_MANY_PREDICTIONS" });
    expect((await service.call("POST", path, { rows: [{ a: 1, b: 2 }] })).status).toBe(200);
    leaving.abort();
    await left;
    await eventually(async () => (await service.call("POST", path, padded, csv)).status === 200);
    expect(await service.metric(predictions, { task: "classification", outcome: "aborted" })).toBe(1);
    expect(await service.metric(predictions, { outcome: "rejected" })).toBeGreaterThanOrEqual(1);
    expect(await service.metric(predictions, { outcome: "failed" })).toBe(0);
  });
});

test("a prediction that takes longer than it may is ended, and says what to do", async () => {
  await withService({ PREDICTION_TIMEOUT_SECONDS: "0.5", PREDICTION_THREADS: "1" }, async (service) => {
    const id = await trainedModel(service);
    const model = await holdModel(service, id);
    // Both ends of the pipe: whoever reads it waits, and the test need not wait for the reader.
    await using _pipe = await open(model.path, "r+");
    const late = await service.call("POST", `/artifacts/${id}/predictions`, padded, csv);
    expect(late.json).toMatchObject({ status: 422, code: "PREDICTION_TOO_LARGE" });
    expect(late.json.detail).toContain("longer than 0.5 s");
    expect(await service.metric(predictions, { outcome: "rejected" })).toBe(1);
    const whole = await service.call("GET", `/artifacts/${id}/content?format=onnx`);
    expect(whole.json).toMatchObject({ status: 422, code: "EXPORT_UNAVAILABLE" });
    expect(whole.json.detail).toContain("The export took longer than 0.5 s");
    expect(whole.headers.get("content-type")).toContain("application/problem+json");
  });
});

test("one owner can't have all of it where there are several", async () => {
  const keys = { ann: "key-of-ann", bob: "key-of-bob" };
  const hashes = Object.entries(keys).map(([name, key]) => `${name}:${createHash("sha256").update(key).digest("hex")}`);
  const env = { API_KEYS: hashes.join(","), PREDICTION_THREADS: "2", MAX_CONCURRENT_PREDICTIONS: "2" };
  await withService(env, async (service) => {
    const ann = { authorization: `Bearer ${keys.ann}` };
    const bob = { authorization: `Bearer ${keys.bob}` };
    const [ofAnn, ofBob] = [await trainedModel(service, ann), await trainedModel(service, bob)];
    const model = await holdModel(service, ofAnn);
    const first = service.call("POST", `/artifacts/${ofAnn}/predictions`, padded, { ...csv, ...ann });
    {
      await using pipe = await model.whenRead();
      const second = await service.call("POST", `/artifacts/${ofAnn}/predictions`, padded, { ...csv, ...ann });
      expect(second.json).toMatchObject({ status: 429, code: "TOO_MANY_PREDICTIONS" });
      const others = await service.call("POST", `/artifacts/${ofBob}/predictions`, padded, { ...csv, ...bob });
      expect(others.status).toBe(200);
      await pipe.write(model.content);
    }
    expect((await first).status).toBe(200);
  });
});
