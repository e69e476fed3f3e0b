import { expect, test } from "vitest";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { follow } from "../support/followed-run.ts";
import type { ReceivedSpan } from "../support/otlp-receiver.ts";
import { eventually } from "../support/service.ts";
import { startTraced } from "../support/traced-service.ts";

const isStatement = ({ kind, attributes }: ReceivedSpan): boolean =>
  kind === 3 && attributes["db.system.name"] !== undefined;
const nanos = (ms: number): string => `${BigInt(Math.round(ms)) * 1_000_000n}`.padStart(20, "0");

test("progress and event streams put no statements into a trace, however long a training takes", async () => {
  await using traced = await startTraced();
  const { service, receiver } = traced;
  const dataset = await service.upload(noiseCsv());
  const submitted = await service.call("POST", "/training-runs", { datasetId: dataset.json.id, ...endless });
  const runId = submitted.json.id;
  const stream = await follow(service, runId);
  const progresses = () => stream.text.split("event: progress").length - 1;
  await eventually(async () => progresses() > 0);
  const fromMs = Date.now();
  await eventually(async () => progresses() >= 5);
  const untilMs = Date.now();
  await service.call("POST", `/training-runs/${runId}/cancel`);
  await eventually(async () => stream.isOver);

  const process = await receiver.until((spans) =>
    spans.find(({ name, attributes }) => name === "process training" && attributes["mlops.training.run.id"] === runId),
  );
  await receiver.until((spans) => spans.some(({ traceId, kind }) => traceId === stream.traceId && kind === 2));
  // The profile of the table and the daily sweep have traces of their own, whose statements come when they come.
  expect(await service.halt()).toBe(0);
  const isOtherJob = ({ kind, name }: ReceivedSpan): boolean => kind === 5 && name !== "process training";
  const ofOthers = new Set(receiver.spans.filter(isOtherJob).map(({ traceId }) => traceId));
  const statements = receiver.spans.filter(isStatement);
  const meanwhile = statements.filter(
    ({ startNanos, traceId }) => startNanos > nanos(fromMs) && startNanos < nanos(untilMs) && !ofOthers.has(traceId),
  );
  expect(meanwhile.map(({ name }) => name)).toEqual([]);
  for (const traceId of [process.traceId, stream.traceId]) {
    const count = statements.filter((span) => span.traceId === traceId).length;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(20);
  }
});

test("who changes a run has no statements of those who follow it in his trace", async () => {
  await using traced = await startTraced();
  const { service, receiver } = traced;
  const dataset = await service.upload(noiseCsv());
  const submit = async () =>
    (await service.call("POST", "/training-runs", { datasetId: dataset.json.id, ...endless })).json.id;
  const running = await submit();
  await service.waitForRun(running, ({ status }) => status === "running");
  const [alone, followed] = [await submit(), await submit()];
  const stream = await follow(service, followed);
  await eventually(async () => stream.text.includes('"status":"queued"'));

  const cancel = async (id: string) => {
    const answer = await service.call("POST", `/training-runs/${id}/cancel`);
    return answer.headers.get("x-trace-id") ?? "";
  };
  const traces = [await cancel(alone), await cancel(followed)];
  await eventually(async () => stream.isOver);
  const namesOf = (traceId: string) =>
    receiver.spans
      .filter((span) => span.traceId === traceId)
      .map(({ name }) => name)
      .toSorted();
  for (const id of [...traces, stream.traceId])
    await receiver.until((spans) => spans.some(({ traceId, kind }) => traceId === id && kind === 2));
  expect(namesOf(traces[1]!)).toEqual(namesOf(traces[0]!));
  await service.call("POST", `/training-runs/${running}/cancel`);
});
