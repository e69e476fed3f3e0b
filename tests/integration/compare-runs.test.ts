import { afterAll, beforeAll, expect, test } from "vitest";
import { carsCsv, penguinsCsv } from "../support/real-data.ts";
import { type RunningService, startService } from "../support/service.ts";

let service: RunningService;
let carsId: string;
let penguinsId: string;
beforeAll(async () => {
  service = await startService();
  carsId = (await service.upload(carsCsv(), { target: "Miles_per_Gallon" })).json.id;
  penguinsId = (await service.upload(penguinsCsv(), { target: "Species" })).json.id;
});
afterAll(() => service?.stop());

const compare = (...ids: string[]) => service.call("GET", `/training-runs/compare?ids=${ids.join(",")}`);
const trained = async (datasetId: string, run: Record<string, unknown>) => (await service.train(datasetId, run)).json;

test("models that were measured on the same rows stand beside each other, with what differs", async () => {
  const validation = { kind: "holdout" };
  const light = await trained(carsId, { mode: "light", parameters: { validation } });
  const heavy = await trained(carsId, { mode: "heavy", parameters: { rounds: 60, validation } });
  const poor = await trained(carsId, { mode: "light", features: ["Year"], parameters: { validation } });
  const { status, json } = await compare(light.id, heavy.id, poor.id);
  expect(status).toBe(200);
  const target = { target: "Miles_per_Gallon", task: "regression" };
  expect(json).toMatchObject({ datasetId: carsId, ...target, by: "rows", rows: light.metrics.rows.test });
  const [first, second, third] = json.runs;
  expect(first).toMatchObject({ id: light.id, mode: "light", artifactId: light.artifactId, differences: null });
  expect(second).toMatchObject({ id: heavy.id, parameters: { rounds: 60, validation } });
  expect(second.metrics.rmse).toBe(heavy.metrics.rmse);
  const { difference, interval } = second.differences.rmse;
  expect(difference).toBeCloseTo(heavy.metrics.rmse - light.metrics.rmse, 10);
  expect(interval[0]).toBeLessThanOrEqual(difference);
  expect(interval[1]).toBeGreaterThanOrEqual(difference);
  expect(second.differences.r2.interval).toBeNull();
  // A model of one column is worse, and by more than chance.
  expect(third.differences.rmse.interval[0]).toBeGreaterThan(0);
  expect(third.differences.mae.interval[0]).toBeGreaterThan(0);
  // The artifact is not needed for it.
  expect((await service.call("DELETE", `/artifacts/${heavy.artifactId}`)).status).toBeLessThan(300);
  expect((await compare(light.id, heavy.id)).json.runs[1].differences).toEqual(second.differences);
});

test("by folds, runs of either mode and of a search are compared fold by fold", async () => {
  const validation = { kind: "folds", folds: 3, repeats: 1 };
  const light = await trained(penguinsId, { mode: "light", parameters: { validation } });
  const found = await trained(penguinsId, { mode: "auto", parameters: { validation, maxTrials: 3 } });
  const { json } = await compare(light.id, found.id);
  expect(json).toMatchObject({ by: "folds", task: "classification", rows: light.metrics.rows.test });
  const { logLoss, balancedAccuracy } = json.runs[1].differences;
  expect(logLoss.difference).toBeCloseTo(found.metrics.logLoss - light.metrics.logLoss, 10);
  expect(logLoss.interval).toHaveLength(2);
  expect(balancedAccuracy.interval).toHaveLength(2);

  const numbers = { mode: "light", parameters: { validation: { ...validation, folds: 20 } } };
  const one = await trained(carsId, numbers);
  const other = await trained(carsId, { ...numbers, features: ["Year"] });
  const { differences } = (await compare(one.id, other.id)).json.runs[1];
  // What stands by the baseline is of all folds together; means of the folds' own R² would be elsewhere.
  for (const name of ["r2", "relativeError", "rmse"])
    expect((differences[name].interval[0] + differences[name].interval[1]) / 2).toBeCloseTo(
      differences[name].difference,
      9,
    );
});

test("what can't be compared is refused, with what to do", async () => {
  const cars = await trained(carsId, { mode: "light" });
  const refused = async (...ids: string[]) => {
    const { status, json } = await compare(...ids);
    return [status, json.code, json.detail];
  };
  const notComparable = (detail: string) => [422, "RUNS_NOT_COMPARABLE", expect.stringContaining(detail)];
  const penguins = await trained(penguinsId, { mode: "light" });
  expect(await refused(cars.id, penguins.id)).toEqual(notComparable("different datasets"));
  const otherTarget = await trained(carsId, { mode: "light", target: "Horsepower" });
  expect(await refused(cars.id, otherTarget.id)).toEqual(notComparable("different targets"));
  const otherRows = await trained(carsId, { mode: "light", parameters: { seed: 7 } });
  expect(await refused(cars.id, otherRows.id)).toEqual(notComparable("the same rows"));
  const folds = await trained(carsId, { mode: "light", parameters: { validation: { kind: "folds", folds: 2 } } });
  expect(await refused(cars.id, folds.id)).toEqual(notComparable("the same rows"));
  const failed = await trained(carsId, {
    mode: "light",
    parameters: { validation: { kind: "group", column: "Origin", folds: 20 } },
  });
  expect(await refused(cars.id, failed.id)).toEqual(notComparable("has no model: it is failed"));

  const unknown = "01a20a3e-3be8-733e-aec6-a42d3a37a41c";
  expect((await compare(cars.id, unknown)).json.code).toBe("RUN_NOT_FOUND");
  for (const ids of [[cars.id], [], [cars.id, "nope"], Array(11).fill(cars.id), [cars.id, cars.id]])
    expect([ids.length, (await compare(...ids)).json.code]).toEqual([ids.length, "VALIDATION_FAILED"]);
});
