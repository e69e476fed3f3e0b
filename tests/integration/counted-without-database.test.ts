import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { penguinsCsv } from "../support/real-data.ts";
import { startService } from "../support/service.ts";

/** A way to PostgreSQL that can be cut: connections break off, and new ones too. */
async function openWay(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const [port, host] = [Number(target.port), target.hostname];
  const sockets = new Set<Socket>();
  let isCut = false;
  const cut = (): void => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((near) => {
    const far = connect(port, host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
    if (isCut) cut();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  target.port = String((server.address() as AddressInfo).port);
  return {
    url: target.toString(),
    cut,
    mend() {
      isCut = false;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      cut();
      await once(server, "close");
    },
  };
}

describe.runIf(process.env.TEST_DATABASE_URL)("while the database is away", () => {
  test("what fails is counted: predictions of a task that nobody could read, uploads, TTL cycles", async () => {
    await using resources = new AsyncDisposableStack();
    const first = await startService();
    resources.defer(() => first.stop());
    await first.halt();
    const way = resources.use(await openWay(first.databaseUrl));
    const on = { dataDir: first.dataDir, databaseUrl: way.url };
    const service = await startService({ on, env: { DATASET_TTL_DAYS: "30" } });
    resources.defer(async () => void (await service.halt()));
    const { json: dataset } = await service.upload(penguinsCsv());
    const { json: run } = await service.train(dataset.id);
    const path = `/artifacts/${run.artifactId}/predictions`;

    way.cut();
    for (let time = 0; time < 3; time += 1) {
      const answer = await service.call("POST", path, { rows: [{}] });
      expect(answer.json).toMatchObject({ status: 503, code: "DATABASE_UNAVAILABLE" });
    }
    expect((await service.upload("a,b,label\n1,2,x\n3,4,y\n5,6,x\n")).status).toBe(503);
    expect((await service.call("DELETE", "/datasets/expired")).status).toBe(503);

    const failed = { outcome: "failed" };
    expect(await service.metric("mlops_backend_predictions_total", { ...failed, task: "unknown" })).toBe(3);
    expect(await service.metric("mlops_backend_predictions_total", failed)).toBe(3);
    expect(await service.metric("mlops_backend_dataset_uploads_total", failed)).toBe(1);
    expect(await service.metric("mlops_backend_dataset_ttl_errors_total")).toBeGreaterThanOrEqual(1);
    way.mend();
  });
});
