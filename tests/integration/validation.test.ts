import { expect, test } from "vitest";
import { seededRandom } from "../../src/models/split-rows.ts";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { eventually, type RunningService, withService } from "../support/service.ts";

const random = seededRandom(11);
/** Fifty customers with four visits each; who spends more than 50 comes again. */
const lines = Array.from({ length: 200 }, (_, row) => {
  const spent = 100 * random();
  const day = new Date(Date.UTC(2024, 0, 1 + row)).toISOString().slice(0, 10);
  return `${row % 50},${day},${row % 40 === 7 ? "" : spent.toFixed(2)},${["web", "shop"][row % 2]},${spent > 50 ? "yes" : "no"}`;
});
const csv = `customer,day,spent,place,again\n${lines.join("\n")}\n`;

const upload = async (service: RunningService, said: Record<string, string> = {}): Promise<string> =>
  (await service.upload(csv, { name: "visits", target: "again", ...said })).json.id;

test("a run is validated as it asks, says how, and keeps it", async () => {
  await withService({}, async (service) => {
    const id = await upload(service);
    const run = async (validation: Record<string, unknown> | undefined, mode = "light") =>
      (await service.train(id, { mode, parameters: { validation, seed: 5 } })).json;
    const usual = await run(undefined);
    expect(usual.metrics).toMatchObject({
      validation: { kind: "folds", folds: 5, repeats: 4, seed: 5 },
      rows: { train: 200, test: 200 },
    });
    const quarter = await run({ kind: "holdout" });
    expect(quarter.metrics).toMatchObject({
      validation: { kind: "holdout", share: 0.25, seed: 5 },
      rows: { train: 200, test: 50 },
    });
    const half = await run({ kind: "holdout", share: 0.5 });
    expect(half.metrics.rows).toEqual({ train: 200, test: 100 });
    for (const mode of ["light", "heavy"]) {
      const asked = { kind: "folds", folds: 4, repeats: 2 };
      const folds = await run(asked, mode);
      expect(folds).toMatchObject({ status: "succeeded", progress: 1, parameters: { validation: asked } });
      expect(folds.metrics).toMatchObject({ validation: { ...asked, seed: 5 }, rows: { train: 200, test: 200 } });
      expect(folds.metrics.confusionMatrix.counts.flat().reduce((sum: number, count: number) => sum + count)).toBe(200);
      const [low, high] = folds.metrics.intervals.accuracy;
      expect(low).toBeLessThanOrEqual(folds.metrics.accuracy);
      expect(high).toBeGreaterThanOrEqual(folds.metrics.accuracy);
      const { json: listed } = await service.call("GET", "/training-runs");
      expect(listed.items[0].metrics).toMatchObject({ validation: asked });
      const { json: file } = await service.call("GET", `/artifacts/${folds.artifactId}/content`);
      expect(file.metrics.validation).toEqual(folds.metrics.validation);
      const row = { customer: 3, day: "2024-03-01", spent: 90, place: "web" };
      const answer = await service.call("POST", `/artifacts/${folds.artifactId}/predictions`, { rows: [row] });
      expect(answer.json.predictions[0].prediction).toBe("yes");
    }
    const time = await run({ kind: "time", column: "day", share: 0.2 });
    expect(time.metrics).toMatchObject({
      validation: { kind: "time", column: "day", share: 0.2, from: "2024-06-09", withoutMoment: 0 },
      rows: { train: 200, test: 40 },
    });
    const group = await run({ kind: "group", column: "customer", folds: 5 });
    expect(group.metrics.validation).toMatchObject({ kind: "group", column: "customer", folds: 5, groups: 50 });
    expect(group.columns[0]).toEqual({ name: "customer", as: "left_out", reason: "group" });
  });
});

test("a column that nothing shall be learnt from can say what is kept together, and what is later", async () => {
  await withService({}, async (service) => {
    const id = await upload(service, { leftOut: '["customer", "day"]' });
    for (const validation of [
      { kind: "group", column: "customer" },
      { kind: "time", column: "day" },
    ]) {
      for (const features of [undefined, ["spent"]]) {
        const { json } = await service.train(id, { mode: "light", features, parameters: { validation } });
        expect(json).toMatchObject({ status: "succeeded", metrics: { validation } });
        const learnt = json.columns.filter(({ as }: { as: string }) => as !== "left_out");
        expect(learnt.map(({ name }: { name: string }) => name)).toEqual(features ?? ["spent", "place"]);
      }
    }
  });
});

test("what is no validation is refused, with the reason", async () => {
  await withService({}, async (service) => {
    const datasetId = await upload(service);
    const post = async (validation: unknown) =>
      (await service.call("POST", "/training-runs", { datasetId, mode: "light", parameters: { validation } })).json;
    for (const validation of [
      "folds",
      null,
      {},
      { kind: "loo" },
      { kind: "holdout", share: 0.04 },
      { kind: "holdout", share: 0.51 },
      { kind: "holdout", folds: 5 },
      { kind: "folds", folds: 1 },
      { kind: "folds", folds: 21 },
      { kind: "folds", folds: 2.5 },
      { kind: "folds", repeats: 21 },
      { kind: "time" },
      { kind: "time", column: "day", share: 0 },
      { kind: "group", column: "customer", share: 0.2, folds: 5 },
      { kind: "group", column: "" },
    ]) {
      const answer = await post(validation);
      expect([validation, answer.status, answer.code]).toEqual([validation, 400, "VALIDATION_FAILED"]);
      expect(answer.errors[0].path).toMatch(/^parameters\.validation/);
    }
    const words = [
      [{ kind: "time", column: "date" }, '`validation` names "date", which is no column of the dataset. Leave it out.'],
      [{ kind: "group", column: "again" }, '`validation` names "again", which is the target. Leave it out.'],
      [
        { kind: "time", column: "place" },
        '`validation` is by time, and "place" is text, not a column of dates, times or numbers. Leave it out.',
      ],
    ] as const;
    for (const [validation, detail] of words) {
      expect(await post(validation)).toMatchObject({
        status: 400,
        code: "PARAMETER_UNUSABLE",
        detail,
        errors: [{ path: "parameters.validation" }],
      });
    }
    const failed = await service.train(datasetId, {
      mode: "light",
      parameters: { validation: { kind: "group", column: "place", folds: 3 } },
    });
    expect(failed.json).toMatchObject({
      status: "failed",
      attempt: 1,
      error: { code: "PARAMETER_UNUSABLE", message: expect.stringMatching(/needs 3 of them, and "place" has 2/) },
    });
  });
});

test("a run is cancelled between its folds, and tells how far it has come over all fits", async () => {
  await withService({}, async (service) => {
    const { json: dataset } = await service.upload(noiseCsv(), { target: "label" });
    const { json: run } = await service.call("POST", "/training-runs", {
      datasetId: dataset.id,
      mode: "heavy",
      // Each fit takes some tenths of a second, and all of them a minute.
      parameters: { ...endless.parameters, rounds: 3, validation: { kind: "folds", folds: 20, repeats: 20 } },
    });
    const now = async () => (await service.call("GET", `/training-runs/${run.id}`)).json;
    // One fit is a part in 381, a fold a little less.
    await eventually(async () => (await now()).progress > 3 / 381);
    expect(await now()).toMatchObject({ status: "running", metrics: null });
    await service.call("POST", `/training-runs/${run.id}/cancel`);
    await eventually(async () => (await now()).status === "cancelled");
    expect((await now()).artifactId).toBeNull();
  });
});

test("the time of all folds together is bounded", async () => {
  await withService({ TRAINING_TIMEOUT_SECONDS: "3" }, async (service) => {
    const { json: dataset } = await service.upload(noiseCsv(), { target: "label" });
    const { json } = await service.train(dataset.id, {
      mode: "heavy",
      parameters: { ...endless.parameters, rounds: 3, validation: { kind: "folds", folds: 20, repeats: 20 } },
    });
    expect(json).toMatchObject({ status: "failed", error: { code: "TRAINING_TIMEOUT" }, artifactId: null });
  });
});
