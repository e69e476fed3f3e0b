import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noiseCsv } from "../support/endless-training.ts";
import { eventually, startService } from "../support/service.ts";
import { startScratchPostgres } from "./scratch-postgres.ts";

test("an attempt that ends while the database is away does not count, nor one that is taken for dead meanwhile", async () => {
  const folder = await mkdtemp(join(tmpdir(), "run-outage-"));
  await chmod(folder, 0o755);
  await using resources = new AsyncDisposableStack();
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const postgres = resources.use(await startScratchPostgres(join(folder, "postgres")));
  const place = { dataDir: join(folder, "data"), databaseUrl: await postgres.newDatabase() };
  const service = await startService({ on: place, env: { TRAINING_CONCURRENCY: "2" } });
  resources.defer(async () => void (await service.halt()));
  const { json: dataset } = await service.upload(noiseCsv());
  const train = async (rounds: number): Promise<string> => {
    const parameters = { rounds, earlyStoppingRounds: rounds, maxDepth: 10, learningRate: 0.001 };
    const { json } = await service.call("POST", "/training-runs", { datasetId: dataset.id, mode: "heavy", parameters });
    await service.waitForRun(json.id, ({ status }) => status === "running");
    return json.id;
  };
  const [long, short] = [await train(5_000), await train(60)];
  const said = (text: string): boolean => service.lines.some((line) => line.includes(text) && line.includes(short));

  await postgres.stop();
  await eventually(async () => said("an outage ended an attempt"), 240);
  await postgres.start();
  // What supervision does with a job whose heart has not beaten for so long, where it comes before the worker's next beat.
  const database = new URL(place.databaseUrl).pathname.slice(1);
  await postgres.ask(
    database,
    `update pgboss.job set state = 'retry', start_after = now() where state = 'active' and id = '${long}'`,
  );

  expect((await service.waitForRun(short)).json).toMatchObject({ status: "succeeded", attempt: 1 });
  const attempts = `select attempt from training_runs where id = '${long}'`;
  await eventually(async () => Number((await postgres.ask(database, attempts))[0]?.attempt) === 2, 120);
  await eventually(async () => (await service.call("GET", `/training-runs/${long}`)).json.attempt === 1);
  // Both attempts were in this process; the second is given back as any other.
  expect(await service.halt()).toBe(0);
}, 600_000);
