import { expect, test } from "vitest";
import { seededRandom } from "../../src/models/split-rows.ts";
import { type RunningService, withService } from "../support/service.ts";

const random = seededRandom(4);
const lines = Array.from({ length: 400 }, (_, row) => {
  const size = 10 * random();
  const noise = 4 * random();
  const calls = Math.floor(size * random());
  const kind = size + noise > 9 ? "yes" : "no";
  return `${size.toFixed(3)},${["red", "green", "blue"][row % 3]},2024-0${1 + (row % 9)}-11,${row % 2 === 0},${kind},${(3 * size + 5 * noise - 8).toFixed(2)},${calls},${row % 4}`;
});
const csv = `size,colour,day,isNew,kind,price,calls,times\n${lines.join("\n")}\n`;
const price = { target: "price", task: "regression" };

const upload = async (service: RunningService): Promise<string> =>
  (await service.upload(csv, { name: "kinds", target: "kind" })).json.id;

test("parameters of a heavy run are kept with it and change the model as they say", async () => {
  await withService({}, async (service) => {
    const id = await upload(service);
    const train = async (request: Record<string, unknown>) =>
      (await service.train(id, { mode: "heavy", ...price, ...request })).json;
    const modelOf = async (run: { artifactId: string }) =>
      (await service.call("GET", `/artifacts/${run.artifactId}/content`)).json;
    const parameters = {
      subsample: 0.5,
      colsampleByTree: 0.5,
      alpha: 0.5,
      gamma: 0.1,
      maxBins: 16,
      refit: false,
      objective: "reg:quantileerror",
      quantileAlpha: 0.9,
      weight: "times",
    };
    const run = await train({ parameters });
    expect(run).toMatchObject({ status: "succeeded", parameters });
    expect(run.columns.at(-1)).toEqual({ name: "times", as: "left_out", reason: "weight" });
    const model = await modelOf(run);
    expect(model.library.version).toBe("1.6.0");
    expect(model.model.learner.objective).toEqual({
      name: "reg:quantileerror",
      quantile_loss_param: { quantile_alpha: "[0.9]" },
    });
    expect(model.features.map(({ column }: { column: string }) => column)).not.toContain("times");
    const again = await train({ parameters });
    expect(await modelOf(again)).toEqual(model);
    expect(await modelOf(await train({ parameters: { ...parameters, weight: undefined } }))).not.toEqual(model);

    // By default all rows are learnt from at last, those that are measured on by folds and those that tell when to stop.
    const learntFrom = async (more: Record<string, unknown>) =>
      (await modelOf(await train({ parameters: more }))).model.learner.gradient_booster.model.trees[0].sum_hessian[0];
    const holdout = { validation: { kind: "holdout" } };
    expect(await learntFrom({})).toBeCloseTo(400, 3);
    expect(await learntFrom(holdout)).toBeCloseTo(400, 3);
    expect(await learntFrom({ ...holdout, earlyStopping: "part" })).toBeCloseTo(400, 3);
    expect(await learntFrom({ ...holdout, refit: false })).toBeCloseTo(255, 3);
  });
});

test("answers follow a monotone constraint, and counts are predicted by their link", async () => {
  await withService({}, async (service) => {
    const id = await upload(service);
    const answersOf = async (request: Record<string, unknown>): Promise<number[]> => {
      const run = (await service.train(id, { mode: "heavy", ...request })).json;
      const rows = Array.from({ length: 100 }, (_, at) => ({
        size: at / 10,
        colour: "red",
        day: "2024-03-11",
        isNew: true,
        price: 10,
        kind: "yes",
        times: 1,
        calls: 3,
      }));
      const { json } = await service.call("POST", `/artifacts/${run.artifactId}/predictions`, { rows });
      return json.predictions.map(({ prediction }: { prediction: number }) => prediction);
    };
    const falls = (answers: number[]) => answers.filter((answer, at) => at > 0 && answer < answers[at - 1]! - 1e-6);
    const features = ["size", "colour", "day", "isNew"];
    const free = await answersOf({ ...price, features });
    const monotoneConstraints = { size: 1, isNew: -1, day: 1 };
    const kept = await answersOf({ ...price, features, parameters: { monotoneConstraints } });
    expect(falls(free)).not.toEqual([]);
    expect(falls(kept)).toEqual([]);
    expect(kept.at(-1)).toBeGreaterThan(kept[0]! + 10);
    const counts = await answersOf({
      target: "calls",
      task: "regression",
      features,
      parameters: { objective: "count:poisson" },
    });
    expect(Math.min(...counts)).toBeGreaterThan(0);
    // Without its link it would be the logarithm: less than 1.
    expect(counts.at(-1)).toBeGreaterThan(1.8);
    expect(counts[0]).toBeLessThan(1);
  });
});

test("a column of weights counts in light models too, though it is left out of learning", async () => {
  await withService({}, async (service) => {
    const id = (await service.upload(csv, { name: "kinds", target: "kind", leftOut: JSON.stringify(["times"]) })).json
      .id;
    const run = async (parameters: Record<string, unknown>) =>
      (await service.train(id, { mode: "light", features: ["size", "colour"], ...price, parameters })).json;
    const [weighted, plain] = [await run({ weight: "times" }), await run({})];
    expect(weighted).toMatchObject({ status: "succeeded", parameters: { weight: "times" } });
    expect(weighted.metrics.rmse).not.toBe(plain.metrics.rmse);
    expect(weighted.metrics.rmse).toBeCloseTo(plain.metrics.rmse, 0);
    expect(weighted.metrics.rows).toEqual(plain.metrics.rows);
  });
});

test("what is out of bounds, would do nothing or can't be kept is refused, with the reason", async () => {
  await withService({}, async (service) => {
    const datasetId = await upload(service);
    const post = async (body: Record<string, unknown>) =>
      (await service.call("POST", "/training-runs", { datasetId, mode: "heavy", ...body })).json;
    for (const parameters of [
      { subsample: 0 },
      { subsample: 1.1 },
      { colsampleByTree: 0 },
      { alpha: -1 },
      { gamma: -1 },
      { maxBins: 1 },
      { maxBins: 257 },
      { scalePosWeight: 0 },
      { refit: "yes" },
      { earlyStopping: "cv" },
      { objective: "reg:gamma" },
      { quantileAlpha: 1 },
      { monotoneConstraints: { size: 2 } },
      { weight: 3 },
    ]) {
      const { status, code, errors } = await post({ ...price, parameters });
      expect([parameters, status, code]).toEqual([parameters, 400, "VALIDATION_FAILED"]);
      expect(errors[0].path).toMatch(new RegExp(`^parameters\\.${Object.keys(parameters)[0]}`));
    }
    const refused = async (request: Record<string, unknown>, detail: string) => {
      const name = Object.keys(request.parameters as object).at(-1);
      expect(await post(request)).toMatchObject({
        status: 400,
        code: "PARAMETER_UNUSABLE",
        detail: `${detail}. Leave it out.`,
        errors: [{ path: `parameters.${name}` }],
      });
    };
    await refused(
      { mode: "light", parameters: { gamma: 1 } },
      "`gamma` is for models of the mode heavy, and this one is light",
    );
    await refused(
      { ...price, parameters: { earlyStopping: "folds", refit: false } },
      "`refit` can't be false where folds say when to stop: the model learns from all rows then",
    );
    for (const validation of [{ kind: "folds" }, { kind: "group", column: "colour", folds: 2 }])
      await refused(
        { mode: "light", parameters: { validation, refit: false } },
        "`refit` can't be false where each row is measured on once: a light model learns from all rows then",
      );
    await refused(
      { ...price, parameters: { scalePosWeight: 2 } },
      "`scalePosWeight` is for classes, and this is a regression",
    );
    await refused(
      { parameters: { objective: "count:poisson" } },
      "`objective` is for regressions, and this is a classification",
    );
    await refused(
      { ...price, parameters: { quantileAlpha: 0.5 } },
      "`quantileAlpha` is for the objective reg:quantileerror, and that is not asked for",
    );
    await refused(
      { ...price, parameters: { objective: "reg:absoluteerror", monotoneConstraints: { size: 1 } } },
      "`monotoneConstraints` can't be kept by the objective reg:absoluteerror, which sets leaves afterwards",
    );
    for (const [name, why] of [
      ["colour", "is text and has no order"],
      ["kind", "is the target"],
      ["nope", "is no column of the dataset"],
      ["calls", "nothing is learnt from"],
    ])
      await refused(
        { features: ["size", "colour"], parameters: { monotoneConstraints: { [name!]: 1 } } },
        `\`monotoneConstraints\` names "${name}", which ${why}`,
      );
    for (const [name, why] of [
      ["colour", "is no column of numbers of the dataset"],
      ["price", "is the target"],
      ["size", "is one of the `features`"],
    ])
      await refused(
        { ...price, features: ["size"], parameters: { weight: name } },
        `\`weight\` names "${name}", which ${why}`,
      );

    const failed = async (request: Record<string, unknown>) =>
      (await service.train(datasetId, { mode: "heavy", ...request })).json;
    const colour = { target: "colour", task: "classification" };
    expect(await failed({ ...colour, parameters: { scalePosWeight: 2 } })).toMatchObject({
      status: "failed",
      attempt: 1,
      error: {
        code: "PARAMETER_UNUSABLE",
        message: "`scalePosWeight` is for two classes, and the target has 3. Leave it out.",
      },
    });
    expect((await failed({ ...colour, parameters: { monotoneConstraints: { size: 1 } } })).error.code).toBe(
      "PARAMETER_UNUSABLE",
    );
    const { error } = await failed({ ...price, parameters: { objective: "count:poisson" } });
    expect(error).toMatchObject({ code: "TARGET_NEGATIVE", message: expect.stringContaining("is for counts") });
    expect((await failed({ parameters: { weight: "price" } })).error).toMatchObject({
      code: "WEIGHT_UNUSABLE",
      message: expect.stringMatching(/^The column of weights «price» has the weight -\d\S* in row \d+\. /),
    });
  });
});
