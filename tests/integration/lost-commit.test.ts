import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { penguinsCsv } from "../support/real-data.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";

/** A way to PostgreSQL that breaks a connection off at its COMMIT, which was on its way and arrives all the same. */
interface BreakingWay extends AsyncDisposable {
  readonly url: string;
  /** The next one of a transaction that has begun a statement with that. */
  breakAtCommitAfter(statement: string): void;
  /** Whether it has. */
  hasBroken(): boolean;
}

/** Longer than it takes to look for the row on another connection, shorter than a session may be silent. */
const underWayMs = 400;

async function openWay(databaseUrl: string): Promise<BreakingWay> {
  const target = new URL(databaseUrl);
  const [port, host] = [Number(target.port), target.hostname];
  const sockets = new Set<Socket>();
  let statement: string | undefined;
  const server = createServer((near) => {
    const far = connect(port, host);
    let hasWritten = false;
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        if (one === far) other.destroy();
      });
    }
    far.pipe(near);
    near.on("end", () => far.end());
    near.on("data", async (chunk: Buffer) => {
      const text = chunk.toString("latin1");
      hasWritten ||= statement !== undefined && text.includes(statement);
      if (hasWritten && /^Q....commit\0$/s.test(text)) {
        statement = undefined;
        near.destroy();
        await delay(underWayMs);
      }
      far.write(chunk);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  target.port = String((server.address() as AddressInfo).port);
  return {
    url: target.toString(),
    breakAtCommitAfter(begin) {
      statement = begin;
    },
    hasBroken: () => statement === undefined,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

describe.runIf(process.env.TEST_DATABASE_URL)("a COMMIT whose answer is lost, and which stands a moment later", () => {
  const resources = new AsyncDisposableStack();
  let way: BreakingWay;
  let service: RunningService;
  beforeAll(async () => {
    const first = await startService();
    resources.defer(() => first.stop());
    await first.halt();
    way = resources.use(await openWay(first.databaseUrl));
    service = await startService({ on: { dataDir: first.dataDir, databaseUrl: way.url } });
    resources.defer(async () => void (await service.halt()));
  });
  afterAll(() => resources.disposeAsync());

  test("of an upload: the row has its file, and who sends it again gets that", async () => {
    const csv = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";
    way.breakAtCommitAfter('insert into "datasets"');
    expect((await service.upload(csv)).json.code).toBe("DATABASE_UNAVAILABLE");
    expect(way.hasBroken()).toBe(true);
    await eventually(async () => (await service.call("GET", "/datasets")).json.items.length === 1);
    const again = await service.upload(csv);
    expect(again.status).toBe(200);
    const content = await service.call("GET", `/datasets/${again.json.id}/content`);
    expect([content.status, content.text]).toEqual([200, csv]);
  });

  test("of a model: the run has it", async () => {
    const { json: dataset } = await service.upload(penguinsCsv());
    way.breakAtCommitAfter('insert into "artifacts"');
    const { json: run } = await service.train(dataset.id);
    expect(way.hasBroken()).toBe(true);
    expect(run).toMatchObject({ status: "succeeded", attempt: 1 });
    expect((await service.call("GET", `/artifacts/${run.artifactId}/content`)).status).toBe(200);
    // And it is counted, once, as any other one that has ended well.
    const ended = () => service.metric("mlops_backend_training_runs_total");
    await eventually(async () => (await ended()) > 0);
    expect(await service.metric("mlops_backend_training_runs_total", { outcome: "succeeded" })).toBe(1);
    expect(await ended()).toBe(1);
  });

  test("of a cancellation: the run is cancelled, and counted", async () => {
    const { json: dataset } = await service.upload(noiseCsv(), { name: "noise" });
    const { json: run } = await service.call("POST", "/training-runs", { datasetId: dataset.id, ...endless });
    await service.waitForRun(run.id, ({ status }) => status === "running");
    way.breakAtCommitAfter('update "training_runs" set "status" = $1, "version"');
    expect((await service.call("POST", `/training-runs/${run.id}/cancel`)).json).toMatchObject({ status: "cancelled" });
    expect(way.hasBroken()).toBe(true);
    expect(await service.metric("mlops_backend_training_runs_total", { outcome: "cancelled" })).toBe(1);
  });

  test("of a model's removal: it is gone, and counted", async () => {
    const { json: dataset } = await service.upload(penguinsCsv(), { name: "removed" });
    const { json: run } = await service.train(dataset.id);
    way.breakAtCommitAfter('update "artifacts" set "deleting_at"');
    expect((await service.call("DELETE", `/artifacts/${run.artifactId}`)).status).toBe(204);
    expect(way.hasBroken()).toBe(true);
    expect(await service.metric("mlops_backend_artifacts_removed_total", { reason: "request" })).toBe(1);
  });
});
