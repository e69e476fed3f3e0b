import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { noiseCsv } from "../support/endless-training.ts";
import { freePort } from "../support/free-port.ts";
import { eventually, type OwnProcess, startService } from "./processes.ts";
import { startPrometheus } from "./prometheus-process.ts";

const resources = new AsyncDisposableStack();
afterAll(() => resources.disposeAsync());
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "mlops-backend-last-scrape-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

async function answer(call: Promise<Response>): Promise<{ id: string; status: string }> {
  const response = await call;
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as { id: string; status: string };
}

/** Begins a training that takes a while, and ends the service as soon as it runs. */
async function endInTheMiddle(service: OwnProcess, url: string): Promise<number | null> {
  const api = `${url}/api/ml/v1`;
  const form = new FormData();
  form.set("file", new Blob([noiseCsv()], { type: "text/csv" }), "noise.csv");
  const dataset = await answer(fetch(`${api}/datasets/upload`, { method: "POST", body: form }));
  const run = await answer(
    fetch(`${api}/training-runs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ datasetId: dataset.id, mode: "heavy", parameters: { rounds: 40 } }),
    }),
  );
  await eventually("the run's beginning", 120, async () => {
    const { status } = await answer(fetch(`${api}/training-runs/${run.id}`));
    return status === "queued" ? undefined : status;
  });
  return await service.end();
}

test.each([
  ["the API's port", undefined],
  ["a port of their own", "metrics"],
])("what happened after the signal to stop is in Prometheus, which scrapes %s", async (_where, own) => {
  const metricsPort = own === undefined ? undefined : await freePort();
  // Longer than any training here takes: a wait that does not end by a scrape would be seen.
  const env = { SHUTDOWN_GRACE_SECONDS: "240", ...(metricsPort && { METRICS_PORT: String(metricsPort) }) };
  const { service, url } = await startService(newFolder(), env);
  resources.use(service);
  const target = metricsPort === undefined ? new URL(url).host : `127.0.0.1:${metricsPort}`;
  const prometheus = await startPrometheus({ folder: newFolder(), target, rules: new Map() });
  resources.use(prometheus.process);
  await eventually("two scrapes", 60, async () => {
    const [up] = await prometheus.query('count_over_time(up{job="backend"}[5m])');
    return Number(up?.value[1]) >= 2 ? up : undefined;
  });

  expect(await endInTheMiddle(service, url)).toBe(0);
  expect(service.output).toContain("waiting for one more scrape");
  expect(service.output).not.toContain("were not read by all");
  const succeeded = 'max_over_time(mlops_backend_training_runs_total{job="backend",outcome="succeeded"}[5m])';
  const [runs] = await prometheus.query(`sum(${succeeded})`);
  expect(runs?.value[1]).toBe("1");
});
