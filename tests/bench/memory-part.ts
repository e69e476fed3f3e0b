/** Loads the parts of the service one after another, up to the one that BENCH_UP_TO names, and stays. */
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const folder = process.env.BENCH_FOLDER ?? "";
mkdirSync(folder, { recursive: true });
const upTo = process.env.BENCH_UP_TO ?? "node";
const order = ["node", "telemetry", "http", "pglite", "queue", "duckdb"];
const has = (step: string): boolean => order.indexOf(step) <= order.indexOf(upTo);

if (has("telemetry")) await import("../../otel/register.ts");
if (has("http")) {
  await import("../../src/http/app.ts");
  await import("../../src/training/routes.ts");
  await import("../../src/artifacts/routes.ts");
  await import("../../src/datasets/routes.ts");
}
if (has("pglite")) {
  const { readConfig } = await import("../../src/settings/config.ts");
  const { openStore } = await import("../../src/store/database.ts");
  const store = await openStore(readConfig({ DATA_DIR: folder }));
  process.on("SIGTERM", () => void store.stop().then(() => process.exit(0)));
  if (has("queue")) {
    const { startQueue } = await import("../../src/queue/job-queue.ts");
    const { createLog } = await import("../../src/log.ts");
    const { systemClock } = await import("../../src/clock.ts");
    await startQueue(store, { log: createLog("silent" as never), clock: systemClock, trainingTimeoutSeconds: 600 });
  }
}
if (has("duckdb")) {
  const { openCsvEngine } = await import("../../src/tables/csv-engine.ts");
  const engine = await openCsvEngine([join(folder)]);
  await engine.query("select 1");
}
const server = createServer().listen(0, "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ msg: "ready", url: "http://127.0.0.1" })}\n`);
});
server.ref();
