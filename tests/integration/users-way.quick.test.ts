import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { penguinsCsv } from "../support/real-data.ts";
import { startService } from "../support/service.ts";

/** One on the real process, so that `npm test` says something of the whole: what every user does, from the start to the end. */
test("a table is uploaded, trained on, predicted with, counted and removed; the process ends, and what was kept is there", async () => {
  const service = await startService({ env: { DATASET_TTL_DAYS: "30" } });
  try {
    expect((await service.call("GET", "/api/health/ready")).json).toMatchObject({ status: "ready" });
    const kept = await service.upload("a,label\n1,x\n2,y\n3,x\n", { name: "kept" });
    const uploaded = await service.upload(penguinsCsv(), { name: "penguins", target: "Species" });
    expect([kept.status, uploaded.status]).toEqual([201, 201]);
    const { id: datasetId } = uploaded.json;
    const { json: listed } = await service.call("GET", "/datasets");
    expect(listed.items.map(({ name }: { name: string }) => name).toSorted()).toEqual(["kept", "penguins"]);
    expect((await service.upload("a,b\n1,2\n3\n")).json).toMatchObject({ status: 400, code: "ROW_RAGGED" });

    const { json: run } = await service.train(datasetId, { mode: "heavy" });
    expect(run).toMatchObject({ status: "succeeded", task: "classification", attempt: 1, progress: 1, error: null });
    expect(run.metrics.accuracy).toBeGreaterThan(run.metrics.baseline.accuracy);

    const artifact = `/artifacts/${run.artifactId}`;
    const [row] = (await service.call("GET", `/datasets/${datasetId}/content`)).text.split("\n").slice(1);
    const [header = ""] = penguinsCsv().toString().split("\n");
    const csv = `${header}\n${row}\n`;
    const predicted = await service.call("POST", `${artifact}/predictions`, csv, { "content-type": "text/csv" });
    expect(predicted.json.predictions).toEqual([expect.objectContaining({ prediction: row?.split(",")[0] })]);

    const counted = [
      await service.metric("mlops_backend_dataset_uploads_total", { outcome: "accepted" }),
      await service.metric("mlops_backend_dataset_upload_rejections_total", { reason: "ROW_RAGGED" }),
      await service.metric("mlops_backend_training_runs_total", { outcome: "succeeded", mode: "heavy" }),
      await service.metric("mlops_backend_predictions_total", { outcome: "succeeded" }),
    ];
    expect(counted).toEqual([2, 1, 1, 1]);

    for (const path of [artifact, `/datasets/${datasetId}`]) {
      expect((await service.call("DELETE", path)).status, path).toBe(204);
      expect((await service.call("GET", path)).status, path).toBe(404);
    }
    expect(await service.halt()).toBe(0);
    expect(service.lines.join("\n")).toContain('"msg":"stopped"');
    expect(existsSync(join(service.dataDir, "owner.lock"))).toBe(false);

    const again = await startService({ on: service });
    const { items } = (await again.call("GET", "/datasets")).json;
    expect(items).toEqual([expect.objectContaining({ id: kept.json.id, name: "kept" })]);
    expect((await again.call("GET", `/training-runs/${run.id}`)).json).toMatchObject({ status: "succeeded" });
    expect(await again.halt()).toBe(0);
  } finally {
    await service.stop();
  }
});
