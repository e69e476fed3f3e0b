import { expect, test } from "vitest";
import { seededRandom } from "../../src/models/split-rows.ts";
import { type RunningService, withService } from "../support/service.ts";

const random = seededRandom(9);
/** One in twenty is a fraud, and hardly to be told from the others. */
const lines = Array.from({ length: 800 }, (_, row) => {
  const isFraud = row % 20 === 0;
  const amount = 100 * (random() + (isFraud ? 0.4 : 0));
  return `${amount.toFixed(2)},${random().toFixed(3)},${isFraud ? "fraud" : "usual"},${["a", "b", "c"][row % 3]}`;
});
const csv = `amount,noise,kind,shop\n${lines.join("\n")}\n`;

/** So that counts of the held-out rows are those of one model. */
const validation = { kind: "holdout" };

const upload = async (service: RunningService): Promise<string> =>
  (await service.upload(csv, { name: "payments", target: "kind" })).json.id;

test("a run tells of the class that is looked for beside its accuracy", async () => {
  await withService({}, async (service) => {
    const datasetId = await upload(service);
    const { json: run } = await service.train(datasetId, {
      mode: "light",
      features: ["amount", "noise"],
      parameters: { validation },
    });
    const { metrics } = run;
    expect(metrics.accuracy).toBeGreaterThan(0.9);
    expect(metrics.balancedAccuracy).toBeLessThan(0.6);
    expect(metrics.positive).toMatchObject({ class: "fraud", support: 10, threshold: 0.5 });
    expect(metrics.positive.recall).toBe(metrics.positive.found / 10);
    expect(metrics.baseline).toMatchObject({
      balancedAccuracy: 0.5,
      positive: { class: "fraud", found: 0, recall: 0 },
    });
    expect(metrics.averagePrecision).toBeGreaterThan(metrics.baseline.averagePrecision);
    expect(metrics.brier).toBeGreaterThan(0);
    // Of ten frauds, found or not, nobody can know the recall to a tenth.
    const [least, most] = metrics.intervals.positive.recall;
    expect(least).toBeLessThanOrEqual(metrics.positive.recall);
    expect(most - least).toBeGreaterThan(0.1);
    expect(metrics.intervals.accuracy[0]).toBeGreaterThan(0.9);

    const { roc, precisionRecall, calibration } = metrics.curves;
    expect([roc.fpr[0], roc.tpr[0], roc.thresholds[0], roc.fpr.at(-1), roc.tpr.at(-1)]).toEqual([0, 0, null, 1, 1]);
    expect([precisionRecall.recall[0], precisionRecall.recall.at(-1)]).toEqual([1, 0]);
    expect(calibration.counts.reduce((sum: number, count: number) => sum + count)).toBe(200);
    // Of a list, and of models, they would be megabytes.
    const { curves: _, intervals: _intervals, importances, ...shown } = metrics;
    const listed = await service.call("GET", "/training-runs");
    expect(listed.json.items[0].metrics).toEqual(shown);
    expect((await service.call("GET", `/artifacts/${run.artifactId}`)).json.metrics).toEqual(shown);
    const { json: model } = await service.call("GET", `/artifacts/${run.artifactId}/content`);
    expect(model.metrics.curves).toEqual(metrics.curves);
    expect(model.metrics.importances).toEqual(importances);
    expect(importances).toMatchObject({ rows: 200, loss: "logLoss" });
    const counted = new Map(importances.columns.map(({ column, ...each }: { column: string }) => [column, each]));
    expect(counted.get("amount")).toMatchObject({ gain: expect.closeTo(metrics.featureImportances.amount, 5) });

    expect(run.warnings).toMatchObject([{ code: "TARGET_IMBALANCED", column: "kind" }]);
    expect(run.warningCount).toBe(1);
    const again = await service.train(datasetId, {
      mode: "light",
      features: ["amount", "noise"],
      parameters: { validation },
    });
    expect(again.json.metrics).toEqual(metrics);

    for (const path of ["/metrics/trends", "/metrics/summary"]) {
      const [item] = (await service.call("GET", path)).json.items;
      expect((item.average ?? item).balancedAccuracy).toBeCloseTo(metrics.balancedAccuracy, 12);
    }

    const asked = await service.train(datasetId, { mode: "heavy", parameters: { positiveClass: "usual", validation } });
    expect(asked.json.parameters).toEqual({ positiveClass: "usual", validation });
    expect(asked.json.metrics.positive).toMatchObject({ class: "usual", support: 190 });
  });
});

test("a threshold decides in the metrics and in predictions, and is chosen on rows that are learnt from", async () => {
  await withService({}, async (service) => {
    const datasetId = await upload(service);
    const train = async (parameters: Record<string, unknown>, mode = "light") =>
      (
        await service.train(datasetId, {
          mode,
          features: ["amount", "noise"],
          parameters: { validation, ...parameters },
        })
      ).json;
    const rows = [12, 50, 75, 90, 99, 120].map((amount) => ({ amount, noise: 0.5 }));
    const predict = async (run: { artifactId: string }) =>
      (await service.call("POST", `/artifacts/${run.artifactId}/predictions`, { rows })).json;

    const plain = await train({});
    expect(await predict(plain)).not.toHaveProperty("decision");

    for (const [mode, threshold] of [
      ["light", "f1"],
      ["heavy", "f1"],
      ["light", { falsePositive: 1, falseNegative: 15 }],
      ["light", 0.08],
    ] as const) {
      const run = await train({ threshold }, mode);
      expect(run).toMatchObject({ status: "succeeded", parameters: { threshold } });
      const { positive, confusionMatrix, auc } = run.metrics;
      if (threshold === 0.08) expect(positive.threshold).toBe(0.08);
      expect(positive.threshold).toBeLessThan(0.5);
      expect(positive.found).toBeGreaterThan(0);
      expect(confusionMatrix.counts[0]).toEqual([positive.found, 10 - positive.found]);
      // The model is the same: only what is said by its chances is another.
      if (mode === "light") expect(auc).toBe(plain.metrics.auc);
      const { decision, predictions } = await predict(run);
      expect(decision).toEqual({ positiveClass: "fraud", threshold: positive.threshold });
      for (const { prediction, probabilities } of predictions)
        expect(prediction).toBe(probabilities.fraud >= decision.threshold ? "fraud" : "usual");
      const { json: model } = await service.call("GET", `/artifacts/${run.artifactId}/content`);
      expect(model.decision).toEqual(decision);
    }
  });
});

test("a class to look for that means nothing is refused, with the reason", async () => {
  await withService({}, async (service) => {
    const datasetId = await upload(service);
    const parameters = { positiveClass: "fraud" };
    const train = (body: Record<string, unknown>) => service.train(datasetId, { mode: "light", parameters, ...body });
    const notNumbers = await service.call("POST", "/training-runs", {
      datasetId,
      mode: "heavy",
      target: "amount",
      task: "regression",
      parameters,
    });
    expect(notNumbers.json).toMatchObject({
      status: 400,
      code: "PARAMETER_UNUSABLE",
      detail: "`positiveClass` is for classes, and this is a regression. Leave it out.",
      errors: [{ path: "parameters.positiveClass" }],
    });
    expect((await train({ parameters: { positiveClass: "Fraud" } })).json).toMatchObject({
      status: "failed",
      attempt: 1,
      error: {
        code: "CLASS_UNKNOWN",
        message: "`positiveClass` names «Fraud», and the classes are «fraud», «usual». Name them as the model does.",
      },
    });
    for (const threshold of [
      "F1",
      -0.1,
      1.1,
      "0.5",
      null,
      {},
      { falsePositive: 1 },
      { falsePositive: 0, falseNegative: 1 },
    ]) {
      const { status, json } = await service.call("POST", "/training-runs", {
        datasetId,
        mode: "light",
        parameters: { threshold },
      });
      expect([threshold, status, json.code]).toEqual([threshold, 400, "VALIDATION_FAILED"]);
      expect(json.errors[0].path).toMatch(/^parameters\.threshold/);
    }
    expect((await train({ target: "shop", parameters: { threshold: 0.3 } })).json.error).toMatchObject({
      code: "PARAMETER_UNUSABLE",
      message: expect.stringMatching(/^`threshold` is for two classes/),
    });
    expect((await train({ target: "shop" })).json).toMatchObject({
      status: "failed",
      error: {
        code: "PARAMETER_UNUSABLE",
        message:
          '`positiveClass` is for two classes, and "shop" has 3: «a», «b», «c». Leave it out, or choose another target.',
      },
    });
  });
});

test("no threshold is chosen by a handful of rows", async () => {
  await withService({}, async (service) => {
    const rows = Array.from({ length: 200 }, (_, row) => `${row % 13},${row % 40 ? "usual" : "fraud"}`);
    const { json } = await service.upload(`size,label\n${rows.join("\n")}\n`, { name: "five frauds" });
    const { json: run } = await service.train(json.id, { mode: "light", parameters: { threshold: "f1" } });
    expect(run).toMatchObject({
      status: "failed",
      error: {
        code: "PARAMETER_UNUSABLE",
        message: expect.stringMatching(/of «fraud» \d rows are learnt from at once, and 10 are/),
      },
    });
  });
});
