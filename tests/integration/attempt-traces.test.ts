import { expect, test } from "vitest";
import { openStore } from "../../src/store/database.ts";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { loseTable } from "../support/lose-table.ts";
import { OtlpReceiver, type ReceivedSpan } from "../support/otlp-receiver.ts";
import { type RunningService, startService } from "../support/service.ts";
import { startTraced, treeOf } from "../support/traced-service.ts";

const runKey = "mlops.training.run.id";

/** Submits a training that does not end by itself; ready when its table is loaded. */
async function beginEndless(service: RunningService, receiver: OtlpReceiver) {
  const dataset = await service.upload(noiseCsv());
  const submitted = await service.call("POST", "/training-runs", { datasetId: dataset.json.id, ...endless });
  const runId: string = submitted.json.id;
  const load = await receiver.until((spans) =>
    spans.find(({ name, attributes }) => name === "training load" && attributes[runKey] === runId),
  );
  return { runId, load };
}

const spansOf = (receiver: OtlpReceiver, name: string, runId: string): ReceivedSpan[] =>
  receiver.spans
    .filter((span) => span.name === name && span.attributes[runKey] === runId)
    .toSorted((a, b) => (a.startNanos < b.startNanos ? -1 : 1));
const stillFitting = (attempt: string) => ["process training", `  ${attempt}`, "    training load", "    training fit"];

test("a retry after a killed worker shows both attempts: the second is linked to the first, both to the request", async () => {
  await using receiver = await OtlpReceiver.start();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: "50" };
  const killed = await startService({ env });
  const dataset = await killed.upload(noiseCsv());
  const submitted = await killed.call("POST", "/training-runs", { datasetId: dataset.json.id, ...endless });
  const runId = submitted.json.id;
  const loadedBy = (attempt: number) =>
    receiver.until((spans) =>
      spans.find(
        ({ name, attributes }) =>
          name === "training load" &&
          attributes["mlops.training.run.id"] === runId &&
          attributes["mlops.training.attempt"] === attempt,
      ),
    );
  // The attempt's own span would be sent at its end, which a killed process has not.
  const first = await loadedBy(1);
  await killed.kill("SIGKILL");

  const service = await startService({ env, on: killed });
  try {
    const second = await loadedBy(2);
    expect(second.traceId).not.toBe(first.traceId);
    await service.call("POST", `/training-runs/${runId}/cancel`);
    const attempt = await receiver.until((spans) =>
      spans.find(({ name, traceId }) => name === "training attempt" && traceId === second.traceId),
    );
    expect(attempt.attributes["mlops.training.attempt"]).toBe(2);
    expect(attempt.links.map(({ traceId }) => traceId)).toEqual([first.traceId]);
    const process = await receiver.until((spans) =>
      spans.find(({ name, traceId }) => name === "process training" && traceId === second.traceId),
    );
    expect(process.links.map(({ traceId }) => traceId)).toEqual([submitted.headers.get("x-trace-id")]);
  } finally {
    await service.stop();
  }
});

test("a fault of the system fails the attempt's span, and the job that is given back for it is none", async () => {
  await using traced = await startTraced();
  const { service, receiver } = traced;
  const dataset = await service.upload("a,b,target\n1,2,x\n3,4,y\n5,6,x\n");
  await loseTable(service, dataset.json.id);
  const { id } = (await service.train(dataset.json.id)).json;
  await receiver.until(() => spansOf(receiver, "process training", id).length === 3);
  const attempts = spansOf(receiver, "training attempt", id);
  expect(attempts.map(({ attributes }) => attributes["mlops.outcome"])).toEqual(["returned", "returned", "failed"]);
  for (const { statusCode, attributes } of attempts)
    expect([statusCode, attributes["error.type"]]).toEqual([2, "STORAGE_FAILED"]);
  expect(attempts[2]?.links.map(({ traceId }) => traceId)).toEqual(attempts.slice(0, 2).map(({ traceId }) => traceId));
  const jobs = spansOf(receiver, "process training", id);
  expect(jobs.map(({ statusCode, attributes }) => [statusCode, attributes["error.type"]])).toEqual(
    jobs.map(() => [0, undefined]),
  );
  expect(spansOf(receiver, "training load", id).map(({ attributes }) => attributes["mlops.outcome"])).toEqual(
    attempts.map(() => "unfinished"),
  );
});

test("a run that a stopping service gives back has no failed span, and shows how far it came", async () => {
  await using traced = await startTraced();
  const { service, receiver } = traced;
  const { runId, load } = await beginEndless(service, receiver);
  expect(await service.halt()).toBe(0);
  expect(treeOf(receiver.spans, load.traceId)).toEqual(stillFitting("training attempt"));
  const ofTrace = receiver.spans.filter(({ traceId }) => traceId === load.traceId);
  expect(ofTrace.filter(({ statusCode }) => statusCode === 2)).toEqual([]);
  for (const [name, outcome] of [
    ["process training", "returned"],
    ["training attempt", "returned"],
    ["training fit", "unfinished"],
  ] as const)
    expect(spansOf(receiver, name, runId)[0]?.attributes["mlops.outcome"]).toBe(outcome);
});

// A service each: on a slow machine the time may be over before there is anything to cancel.
test.each([
  ["cancelled", {}, "cancelled", undefined],
  ["timed-out", { TRAINING_TIMEOUT_SECONDS: "4" }, "failed", "TRAINING_TIMEOUT"],
] as const)("a %s attempt says so, with the phases and rows that are known", async (how, env, outcome, errorType) => {
  await using traced = await startTraced(env);
  const { service, receiver } = traced;
  const { runId, load } = await beginEndless(service, receiver);
  if (how === "cancelled") await service.call("POST", `/training-runs/${runId}/cancel`);
  await receiver.until((spans) =>
    spans.find(({ name, traceId }) => name === "process training" && traceId === load.traceId),
  );
  expect(treeOf(receiver.spans, load.traceId)).toEqual(stillFitting("training attempt"));
  const [attempt] = spansOf(receiver, "training attempt", runId);
  expect(attempt?.attributes).toMatchObject({ "mlops.outcome": outcome, "mlops.training.rows": 20_000 });
  expect(attempt?.attributes["error.type"]).toBe(errorType);
  expect(load.attributes["mlops.training.rows"]).toBe(20_000);
  expect(spansOf(receiver, "training fit", runId)[0]?.attributes).toMatchObject({
    "mlops.outcome": "unfinished",
    "mlops.training.rows": 20_000,
  });
});

test.each(["running", "queued"] as const)(
  "a run whose last attempt died while its row said %s ends with a span that is linked to the attempts",
  async (status) => {
    await using receiver = await OtlpReceiver.start();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: "50" };
    const killed = await startService({ env });
    const { runId, load } = await beginEndless(killed, receiver);
    await killed.kill("SIGKILL");
    const store = await openStore(killed);
    await store.db.updateTable("training_runs").set({ attempt: 3, status }).where("id", "=", runId).execute();
    await store.stop();

    const service = await startService({ env, on: killed });
    try {
      expect((await service.waitForRun(runId)).json.error.code).toBe("TRAINING_CRASHED");
      const end = await receiver.until(() => spansOf(receiver, "training end", runId)[0]);
      expect(end).toMatchObject({
        statusCode: 2,
        attributes: { "mlops.outcome": "failed", "error.type": "TRAINING_CRASHED", "mlops.training.attempt": 3 },
      });
      expect(end.links.map(({ traceId }) => traceId)).toEqual([load.traceId]);
      expect(end.traceId).not.toBe(load.traceId);
    } finally {
      await service.stop();
    }
  },
);
