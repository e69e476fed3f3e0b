import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noiseCsv } from "../support/endless-training.ts";
import { carsCsv, penguinsCsv } from "../support/real-data.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";

let service: RunningService;
let penguinsId: string;
let carsId: string;
beforeAll(async () => {
  service = await startService();
  penguinsId = (await service.upload(penguinsCsv(), { target: "Species" })).json.id;
  carsId = (await service.upload(carsCsv(), { target: "Miles_per_Gallon" })).json.id;
});
afterAll(() => service?.stop());

const auto = (parameters: object = {}) => ({ mode: "auto", parameters: { maxTrials: 6, ...parameters } });

test("a run of the mode auto ends with a leaderboard, and its model is what a run of the best trial makes", async () => {
  const validation = { kind: "holdout" };
  const { json: run } = await service.train(penguinsId, auto({ validation }));
  expect(run).toMatchObject({ status: "succeeded", mode: "auto", progress: 1, error: null });
  const { leaderboard } = run;
  expect(leaderboard).toMatchObject({ metric: "logLoss", trialsDone: 6, trialsOf: 6, stoppedBy: "trials" });
  expect(leaderboard.validation).toMatchObject({ kind: "folds", folds: 5, repeats: 2 });
  const scores = leaderboard.trials.map(({ score }: { score: number }) => score);
  expect(scores).toEqual(scores.toSorted((a: number, b: number) => a - b));
  expect(leaderboard.trials.map(({ isBest }: { isBest: boolean }) => isBest)).toEqual([true, ...Array(5).fill(false)]);
  const modes = new Set(leaderboard.trials.map(({ mode }: { mode: string }) => mode));
  expect(modes).toEqual(new Set(["light", "heavy"]));

  const [best] = leaderboard.trials;
  const artifact = (await service.call("GET", `/artifacts/${run.artifactId}`)).json;
  expect(artifact.mode).toBe(best.mode);
  const document = (await service.call("GET", `/artifacts/${run.artifactId}/content`)).json;
  expect(document).toMatchObject({ mode: best.mode, parameters: best.parameters });
  const parameters = { ...best.parameters, validation };
  const { json: same } = await service.train(penguinsId, { mode: best.mode, parameters });
  const alone = (await service.call("GET", `/artifacts/${same.artifactId}/content`)).json;
  expect({ ...document, parameters: undefined }).toEqual({ ...alone, parameters: undefined });
  const bare = await service.call("GET", `/artifacts/${run.artifactId}/content?format=xgboost`);
  expect(bare.json.learner.feature_names.length).toBeGreaterThan(4);
});

test("what is tried is told while it is, in the run and its events, and not in lists", async () => {
  const submitted = await service.call("POST", "/training-runs", { datasetId: carsId, ...auto({ maxTrials: 12 }) });
  expect(submitted.json.leaderboard).toBeNull();
  const events = await service.call("GET", `/training-runs/${submitted.json.id}/events`);
  const told = [...events.text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? ""));
  expect(told.at(-1)).toMatchObject({ status: "succeeded", leaderboard: { metric: "rmse", trialsDone: 12 } });
  const done = told.flatMap(({ leaderboard }) => leaderboard?.trialsDone ?? []);
  expect(done).toEqual(done.toSorted((a, b) => a - b));
  const [listed] = (await service.call("GET", "/training-runs?mode=auto&limit=1")).json.items;
  expect(listed).toMatchObject({ id: submitted.json.id, mode: "auto" });
  expect(listed).not.toHaveProperty("leaderboard");
  const { json: light } = await service.train(carsId, { mode: "light" });
  expect(light.leaderboard).toBeNull();
});

test("metrics count the run by what was asked for, and its model by what it is", async () => {
  const { json: run } = await service.train(penguinsId, auto({ maxTrials: 2 }));
  const { mode } = run.leaderboard.trials[0];
  const outcome = { task: "classification", outcome: "succeeded" };
  expect(await service.metric("mlops_backend_training_runs_total", { mode: "auto", ...outcome })).toBeGreaterThan(0);
  const measured = { mode, task: "classification" };
  expect(await service.metric("mlops_backend_training_relative_error_count", measured)).toBeGreaterThan(0);
});

test("what a search tries itself is refused, and its budget for other modes", async () => {
  const codeOf = async (body: object) => {
    const { json } = await service.call("POST", "/training-runs", { datasetId: penguinsId, ...body });
    return [json.code, json.errors?.map(({ path }: { path: string }) => path)];
  };
  const unusable = (...names: string[]) => ["PARAMETER_UNUSABLE", names.map((name) => `parameters.${name}`)];
  expect(await codeOf(auto({ rounds: 5, ridge: 1, scalePosWeight: 2 }))).toEqual(
    unusable("rounds", "ridge", "scalePosWeight"),
  );
  expect(await codeOf({ mode: "heavy", parameters: { maxTrials: 5 } })).toEqual(unusable("maxTrials"));
  expect(await codeOf({ mode: "light", parameters: { maxSeconds: 5 } })).toEqual(unusable("maxSeconds"));
  // No less than the time of the whole training.
  expect(await codeOf(auto({ maxSeconds: 600 }))).toEqual(unusable("maxSeconds"));
  for (const [name, value] of [
    ["maxTrials", 1],
    ["maxTrials", 201],
    ["maxTrials", 2.5],
    ["maxSeconds", 0],
    ["tries", 3],
  ] as const)
    expect((await codeOf(auto({ [name]: value })))[0]).toBe("VALIDATION_FAILED");
});

test("a search that can't learn in any way fails as a run of one mode does", async () => {
  const csv = `a,y\n${Array.from({ length: 20 }, (_, row) => `1,${row}`).join("\n")}\n`;
  const { json: dataset } = await service.upload(csv, { target: "y" });
  const { json: run } = await service.train(dataset.id, { ...auto(), task: "regression" });
  expect(run).toMatchObject({ status: "failed", error: { code: "NO_USABLE_FEATURES" }, artifactId: null });
});

describe("a search that is cancelled", () => {
  let noiseId: string;
  beforeAll(async () => {
    noiseId = (await service.upload(noiseCsv(), { target: "label" })).json.id;
  });
  /** Minutes, to the end. */
  const submit = async () =>
    (await service.call("POST", "/training-runs", { datasetId: noiseId, ...auto({ maxTrials: 200 }) })).json.id;
  const cancel = (id: string, query = "") => service.call("POST", `/training-runs/${id}/cancel${query}`);
  const hasScore = (run: { status: string; leaderboard?: { trials: { score: number | null }[] } | null }) =>
    (run.leaderboard?.trials[0]?.score ?? null) !== null;
  const counted = async (outcome: string) =>
    (await service.metric("mlops_backend_training_runs_total", { mode: "auto", task: "classification", outcome })) ?? 0;

  test("keeps the best so far, and has succeeded", async () => {
    const before = { cancelled: await counted("cancelled"), succeeded: await counted("succeeded") };
    const id = await submit();
    await service.waitForRun(id, hasScore);
    for (let call = 0; call < 3; call++)
      expect(await cancel(id)).toMatchObject({ status: 202, json: { status: "running", endsEarly: true } });
    const { json: run } = await service.waitForRun(id);
    expect(run).toMatchObject({
      status: "succeeded",
      attempt: 1,
      endsEarly: true,
      leaderboard: { stoppedBy: "cancel" },
    });
    expect(run.leaderboard.trialsDone).toBeLessThan(200);
    const artifact = (await service.call("GET", `/artifacts/${run.artifactId}`)).json;
    expect(artifact.mode).toBe(run.leaderboard.trials[0].mode);
    expect(run.metrics.rows.train).toBe(20_000);
    expect((await cancel(id)).json.code).toBe("RUN_ALREADY_FINAL");
    const after = { cancelled: await counted("cancelled"), succeeded: await counted("succeeded") };
    expect(after).toEqual({ cancelled: before.cancelled, succeeded: before.succeeded + 1 });
  });

  test("without keeping the best is cancelled, without a model", async () => {
    const id = await submit();
    await service.waitForRun(id, hasScore);
    expect((await cancel(id)).json.status).toBe("running");
    expect((await cancel(id, "?keepBest=no")).json.code).toBe("VALIDATION_FAILED");
    expect(await cancel(id, "?keepBest=false")).toMatchObject({
      status: 202,
      json: { status: "cancelled", artifactId: null },
    });
    expect((await cancel(id)).json.code).toBe("RUN_ALREADY_FINAL");
    await eventually(
      async () => (await service.metric("mlops_backend_training_worker_slots", { state: "busy" })) === 0,
    );
    expect((await service.call("GET", `/training-runs/${id}`)).json).toMatchObject({
      status: "cancelled",
      artifactId: null,
    });
  });

  test("before it has found anything is cancelled, as any other run", async () => {
    const id = await submit();
    await service.waitForRun(id, ({ status }) => status === "running");
    expect(await cancel(id)).toMatchObject({ status: 202, json: { status: "cancelled", endsEarly: false } });
  });
});
