import { expect, test } from "vitest";
import { seededRandom } from "../../src/models/split-rows.ts";
import { type RunningService, withService } from "../support/service.ts";

const random = seededRandom(4);
/** One in ten is rare, and hardly to be told from the others. */
const lines = Array.from({ length: 400 }, (_, row) => {
  const rare = row % 10 === 0;
  const size = 1000 * (random() + (rare ? 0.25 : 0));
  return `${size.toFixed(2)},${["red", "green"][row % 2]},2024-0${1 + (row % 9)}-11,${rare ? "rare" : "usual"},${(3 * size + 50 * random()).toFixed(3)}`;
});
const csv = `size,colour,day,kind,price\n${lines.join("\n")}\n`;

const upload = async (service: RunningService): Promise<string> =>
  (await service.upload(csv, { name: "kinds", target: "kind" })).json.id;

test("class weights find the rare class, a larger ridge shrinks weights, and the run says how it was trained", async () => {
  await withService({}, async (service) => {
    const id = await upload(service);
    const features = ["size", "colour"];
    const train = async (parameters: Record<string, unknown>) =>
      (await service.train(id, { mode: "light", features, parameters })).json;
    const rareFound = (run: { metrics: { confusionMatrix: { counts: number[][] } } }) =>
      run.metrics.confusionMatrix.counts[0]![0]!;
    const plain = await train({});
    expect(plain).toMatchObject({ status: "succeeded", parameters: {} });
    expect(plain.metrics.solver).toEqual({ name: "newton", iterations: expect.any(Number), converged: true });
    const balanced = await train({ classWeight: "balanced" });
    expect(balanced.parameters).toEqual({ classWeight: "balanced" });
    expect(rareFound(balanced)).toBeGreaterThan(rareFound(plain) + 2);
    // What «balanced» says of 30 rows and 270.
    const byHand = await train({ classWeight: { rare: 300 / 60, usual: 300 / 540 } });
    expect(byHand.parameters).toEqual({ classWeight: { rare: 5, usual: 300 / 540 } });
    expect(byHand.metrics.logLoss).toBeCloseTo(balanced.metrics.logLoss, 9);
    const listed = await service.call("GET", "/training-runs");
    expect(listed.json.items[0].parameters).toEqual(byHand.parameters);

    const weightOf = async (run: { artifactId: string }) => {
      const { json } = await service.call("GET", `/artifacts/${run.artifactId}/content`);
      return json.coefficients.features[0].weights[0];
    };
    const shrunk = await weightOf(await train({ ridge: 1e6 }));
    expect(Math.abs(shrunk)).toBeLessThan(Math.abs(await weightOf(plain)) / 100);
  });
});

test("a model's coefficients are in the units of the data: by hand they give what it predicts", async () => {
  await withService({}, async (service) => {
    const id = await upload(service);
    const run = (await service.train(id, { mode: "light", target: "price", task: "regression" })).json;
    const { json: model } = await service.call("GET", `/artifacts/${run.artifactId}/content`);
    expect(model.library.version).toBe("1.6.0");
    const { outputs, intercepts, features } = model.coefficients;
    expect(outputs).toEqual(["price"]);
    const names = features.map(({ column, category, part }: Record<string, string>) => category ?? part ?? column);
    expect(names).toEqual(["size", "green", "red", "month", "dayofweek", "days", "rare", "usual"]);
    const [size] = features;
    expect(size.weights[0]).toBeGreaterThan(2.9);
    expect(size.weights[0]).toBeLessThan(3.1);
    expect(size.deviation).toBeGreaterThan(250);
    const values: Record<string, number> = { size: 400, green: 1, month: 3, days: 60, dayofweek: 0, usual: 1 };
    const byHand = features.reduce(
      (
        sum: number,
        { column, category, part, weights }: { column: string; category?: string; part?: string; weights: number[] },
      ) => sum + (values[category ?? part ?? column] ?? 0) * weights[0]!,
      intercepts[0],
    );
    const row = { size: 400, colour: "green", day: "2024-03-11", kind: "usual" };
    const answer = await service.call("POST", `/artifacts/${run.artifactId}/predictions`, { rows: [row] });
    expect(answer.json.predictions[0].prediction).toBeCloseTo(byHand, 1);
  });
});

test("the penalty is of weights of numbers by their deviation, and of categories as they are", async () => {
  const colours = ["red", "green", "blue"] as const;
  const rows = Array.from({ length: 60 }, (_, row) => {
    const colour = row === 7 || row === 40 ? "rare" : colours[row % 3]!;
    return { size: (row * 37) % 101, colour, price: 3 * ((row * 37) % 101) + colour.length * 20 + ((row * 13) % 7) };
  });
  const csv = ["size,colour,price", ...rows.map(({ size, colour, price }) => `${size},${colour},${price}`)].join("\n");
  await withService({}, async (service) => {
    const { id } = (await service.upload(csv)).json;
    const run = await service.train(id, {
      mode: "light",
      target: "price",
      task: "regression",
      parameters: { ridge: 2 },
    });
    const { json: model } = await service.call("GET", `/artifacts/${run.json.artifactId}/content`);
    const { intercepts, features } = model.coefficients as {
      intercepts: number[];
      features: { column: "size" | "colour"; category?: string; deviation: number; weights: number[] }[];
    };
    const cellOf = (row: (typeof rows)[number], at: (typeof features)[number]) =>
      at.category === undefined ? row.size : Number(row.colour === at.category);
    const faults = rows.map(
      (row) => row.price - features.reduce((sum, at) => sum + cellOf(row, at) * at.weights[0]!, intercepts[0]!),
    );
    expect(features.map(({ category }) => category)).toEqual([undefined, "blue", "green", "rare", "red"]);
    // Where half the squared faults and the penalty are least, the slope of one is the other's.
    for (const at of features) {
      const slope = faults.reduce((sum, fault, row) => sum + fault * cellOf(rows[row]!, at), 0);
      const scale = at.category === undefined ? at.deviation ** 2 : 1;
      expect(slope / scale).toBeCloseTo(2 * at.weights[0]!, 1);
    }
  });
});

test("weights that mean nothing are refused, with the reason", async () => {
  await withService({}, async (service) => {
    const datasetId = await upload(service);
    const post = (body: Record<string, unknown>) =>
      service.call("POST", "/training-runs", { datasetId, mode: "light", ...body });
    for (const classWeight of [
      "Balanced",
      {},
      { rare: 0 },
      { rare: -1 },
      { rare: "2" },
      { rare: null },
      3,
      [1],
      null,
    ]) {
      const { status, json } = await post({ parameters: { classWeight } });
      expect([classWeight, status, json.code]).toEqual([classWeight, 400, "VALIDATION_FAILED"]);
      expect(json.errors[0].path).toMatch(/^parameters\.classWeight/);
    }
    const notTold = await post({ parameters: { classWeight: "Balanced" } });
    expect(notTold.json.errors[0].message).toContain('"balanced", or an object of classes and weights');
    const parameters = { classWeight: "balanced" };
    expect((await post({ mode: "heavy", parameters })).json).toMatchObject({
      status: 400,
      code: "PARAMETER_UNUSABLE",
      detail: "`classWeight` is for models of the mode light, and this one is heavy. Leave it out.",
      errors: [{ path: "parameters.classWeight" }],
    });
    expect((await post({ target: "price", task: "regression", parameters })).json).toMatchObject({
      code: "PARAMETER_UNUSABLE",
      detail: "`classWeight` is for classes, and this is a regression. Leave it out.",
    });
    const unknown = await service.train(datasetId, { mode: "light", parameters: { classWeight: { Rare: 2 } } });
    expect(unknown.json).toMatchObject({
      status: "failed",
      attempt: 1,
      error: {
        code: "CLASS_UNKNOWN",
        message: "`classWeight` names «Rare», and the classes are «rare», «usual». Name them as the model does.",
      },
    });
  });
});
