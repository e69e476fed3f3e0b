/** The service's queue with nothing to do: POST /jobs?count=N sends so many jobs and answers when all are filed. */
import { createServer } from "node:http";
import { createLog } from "../../../src/log.ts";
import { startQueue } from "../../../src/queue/job-queue.ts";
import { readConfig } from "../../../src/settings/config.ts";
import { openStore } from "../../../src/store/database.ts";

const store = await openStore(readConfig(process.env));
const queue = await startQueue(store, { log: createLog("silent") });
await queue.work("training", { concurrency: 1 }, async () => "done");

async function idle(): Promise<boolean> {
  const { queued, active } = await queue.counts("training");
  return queued + active === 0;
}

const server = createServer(async (request, response) => {
  const count = Number(new URL(request.url ?? "/", "http://localhost").searchParams.get("count"));
  for (let index = 0; index < count; index += 1) await queue.send("training", { index }, store.db);
  while (!(await idle())) await new Promise((resolve) => setTimeout(resolve, 50));
  response.end();
}).listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ msg: "ready", url: `http://127.0.0.1:${port}` })}\n`);
});
process.on("SIGTERM", async () => {
  server.close();
  await queue.stop();
  await store.stop();
  process.exit(0);
});
