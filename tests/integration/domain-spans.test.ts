import { afterAll, beforeAll, expect, test } from "vitest";
import type { ReceivedSpan } from "../support/otlp-receiver.ts";
import { eventually } from "../support/service.ts";
import { startTraced, type TracedService, treeOf } from "../support/traced-service.ts";

const csv = `a,b,target\n${Array.from({ length: 60 }, (_, row) => `${row},${row % 7},${row % 2 ? "x" : "y"}`).join("\n")}\n`;
let traced: TracedService;
beforeAll(async () => {
  traced = await startTraced({
    // Expired within a second, and removed when a test says so.
    DATASET_TTL_DAYS: "0.00001",
    DATASET_TTL_CHECK_INTERVAL_SECONDS: "86400",
    // A thousand requests at once are more spans than the default has room for on a slow machine.
    OTEL_BSP_MAX_QUEUE_SIZE: "20000",
  });
});
afterAll(() => traced[Symbol.asyncDispose]());

/** Waits until that trace has a span of that name which is the last to end. */
const endOf = (traceId: string, name: string): Promise<ReceivedSpan> =>
  traced.receiver.until((spans) => spans.find((span) => span.traceId === traceId && span.name === name));
const traceIdOf = ({ headers }: { headers: Headers }): string => headers.get("x-trace-id") ?? "";

test("an upload's trace has its steps; the answer names it", async () => {
  const { service, receiver } = traced;
  const answer = await service.upload(csv, { name: "secret-name" }, "secret-file.csv");
  const traceId = traceIdOf(answer);
  const request = await endOf(traceId, "POST /api/ml/v1/datasets/upload");
  expect(treeOf(receiver.spans, traceId)).toEqual([
    "POST /api/ml/v1/datasets/upload",
    "  request handler",
    "    dataset receive",
    "    dataset check",
    "    dataset store",
    "      send dataset-profile",
  ]);
  const store = await endOf(traceId, "dataset store");
  expect(store.attributes).toMatchObject({ "mlops.dataset.id": answer.json.id, "mlops.outcome": "accepted" });
  const statements = receiver.spans.filter((span) => span.traceId === traceId && span.kind === 3);
  // PostgreSQL's instrumentation says it in the name only, and adds the database.
  expect(statements.some(({ name }) => /^(pglite |pg\.query:)INSERT/.test(name))).toBe(true);
  expect(request.attributes["http.response.status_code"]).toBe(201);
  expect(JSON.stringify(receiver.spans)).not.toContain("secret");
});

test("a run's trace is its own, linked to the request that sent it; each span of it names the run", async () => {
  const { service, receiver } = traced;
  const dataset = await service.upload(csv, { name: "trained" });
  const submitted = await service.call("POST", "/training-runs", { datasetId: dataset.json.id, mode: "light" });
  const runId = submitted.json.id;
  const requestTrace = traceIdOf(submitted);
  const process = await receiver.until((spans) =>
    spans.find(({ name, attributes }) => name === "process training" && attributes["mlops.training.run.id"] === runId),
  );
  await endOf(requestTrace, "POST /api/ml/v1/training-runs");
  expect(treeOf(receiver.spans, requestTrace)).toEqual([
    "POST /api/ml/v1/training-runs",
    "  request handler",
    "    send training",
  ]);
  expect(treeOf(receiver.spans, process.traceId)).toEqual([
    "process training",
    "  training attempt",
    "    training load",
    "    training fit",
    "    training evaluate",
    "    training save",
  ]);
  const sent = await endOf(requestTrace, "send training");
  expect(sent).toMatchObject({
    kind: 4,
    attributes: { "messaging.message.id": runId, "mlops.training.run.id": runId },
  });
  expect(process).toMatchObject({
    kind: 5,
    parentSpanId: "",
    links: [{ traceId: requestTrace, spanId: sent.spanId }],
    attributes: {
      "messaging.system": "pg-boss",
      "messaging.operation.type": "process",
      "messaging.destination.name": "training",
    },
  });
  const ofRun = receiver.spans.filter(({ traceId }) => traceId === process.traceId);
  expect(ofRun.filter(({ attributes }) => attributes["mlops.training.run.id"] !== runId)).toEqual([]);
  expect(ofRun.some(({ kind }) => kind === 3)).toBe(true);
  const attempt = await endOf(process.traceId, "training attempt");
  expect(attempt.attributes).toMatchObject({
    "mlops.training.attempt": 1,
    "mlops.training.mode": "light",
    "mlops.training.task": "classification",
    "mlops.training.rows": 60,
    "mlops.outcome": "succeeded",
  });
  expect(attempt.links).toEqual([]);
});

test("a request about a run says so on every span and in its access line; a replay from when it is known", async () => {
  const { service, receiver } = traced;
  const dataset = await service.upload(csv, { name: "asked-about" });
  const submit = (headers?: Record<string, string>) =>
    service.call("POST", "/training-runs", { datasetId: dataset.json.id, mode: "light" }, headers);
  const submitted = await submit();
  const { id } = (await service.waitForRun(submitted.json.id)).json;
  const whole = [
    submitted,
    await service.call("GET", `/training-runs/${id}`),
    await service.call("GET", `/training-runs/${id}/events`),
    await service.call("POST", `/training-runs/${id}/cancel`),
  ];
  const key = { "idempotency-key": "replayed" };
  const first = await submit(key);
  const again = await submit(key);
  expect(again.json.id).toBe(first.json.id);

  const spansOf = async (answer: { headers: Headers }) => {
    const traceId = traceIdOf(answer);
    await receiver.until((spans) => spans.some((span) => span.traceId === traceId && span.kind === 2));
    return receiver.spans.filter((span) => span.traceId === traceId);
  };
  const runOf = ({ attributes }: ReceivedSpan) => attributes["mlops.training.run.id"];
  for (const answer of whole) {
    const spans = await spansOf(answer);
    expect(spans.some(({ kind }) => kind === 3)).toBe(true);
    expect(spans.filter((span) => runOf(span) !== id).map(({ name }) => name)).toEqual([]);
  }
  for (const answer of [first, again]) {
    const spans = await spansOf(answer);
    expect(spans.filter((span) => ![first.json.id, undefined].includes(runOf(span) as string))).toEqual([]);
    const named = spans.filter((span) => runOf(span) === first.json.id);
    expect(named.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["POST /api/ml/v1/training-runs", "request handler"]),
    );
    expect(named.some(({ kind }) => kind === 3)).toBe(true);
  }
  for (const { headers } of [...whole, again]) {
    const line = await eventually(async () =>
      service.lines
        .map((text) => JSON.parse(text))
        .find(({ msg, request_id }) => msg === "request" && request_id === headers.get("x-request-id")),
    );
    expect([id, first.json.id]).toContain(line.run_id);
  }
});

test("a profile's trace is linked to the upload", async () => {
  const { service, receiver } = traced;
  const answer = await service.upload(csv, { name: "profiled" });
  const sent = await endOf(traceIdOf(answer), "send dataset-profile");
  const process = await receiver.until((spans) =>
    spans.find(({ links }) => links.some(({ spanId }) => spanId === sent.spanId)),
  );
  expect(treeOf(receiver.spans, process.traceId)).toEqual([
    "process dataset-profile",
    "  dataset profile",
    "    dataset typed copy",
  ]);
});

test("a prediction is a span with its model and the number of rows", async () => {
  const { service, receiver } = traced;
  const dataset = await service.upload(csv, { name: "predicted" });
  const { artifactId } = (await service.train(dataset.json.id)).json;
  const rows = [
    { a: 1, b: 2 },
    { a: 3, b: 4 },
  ];
  const answer = await service.call("POST", `/artifacts/${artifactId}/predictions`, { rows });
  expect(answer.status).toBe(200);
  await endOf(traceIdOf(answer), "POST /api/ml/v1/artifacts/:id/predictions");
  expect(treeOf(receiver.spans, traceIdOf(answer))).toEqual([
    "POST /api/ml/v1/artifacts/:id/predictions",
    "  request handler",
    "    prediction",
  ]);
  const prediction = await endOf(traceIdOf(answer), "prediction");
  expect(prediction.attributes).toMatchObject({ "mlops.artifact.id": artifactId, "mlops.prediction.rows": 2 });
});

test("a refusal names its trace, and its span the code", async () => {
  const answer = await traced.service.upload("a,b\n1,2\n3\n");
  expect(answer.json).toMatchObject({ code: "ROW_RAGGED", traceId: traceIdOf(answer) });
  await endOf(traceIdOf(answer), "POST /api/ml/v1/datasets/upload");
  const check = await endOf(traceIdOf(answer), "dataset check");
  expect(check).toMatchObject({ statusCode: 2, statusMessage: "", attributes: { "error.type": "ROW_RAGGED" } });
});

test("a TTL cycle has a span for each dataset", async () => {
  const { service, receiver } = traced;
  const dataset = await service.upload(csv, { name: "expires" });
  await eventually(async () => {
    await service.call("DELETE", "/datasets/expired");
    return (await service.call("GET", `/datasets/${dataset.json.id}`)).status === 404;
  });
  const { traceId } = await receiver.until((spans) =>
    spans.find(({ name, attributes }) => name === "ttl dataset" && attributes["mlops.dataset.id"] === dataset.json.id),
  );
  await endOf(traceId, "DELETE /api/ml/v1/datasets/expired");
  const cycle = await endOf(traceId, "ttl cycle");
  expect(cycle.attributes["mlops.outcome"]).toBe("success");
  const removed = receiver.spans.filter((span) => span.traceId === traceId && span.name === "ttl dataset");
  expect(removed.length).toBeGreaterThan(0);
  for (const { parentSpanId } of removed) expect(parentSpanId).toBe(cycle.spanId);
});

test("1,000 requests at once never mix their contexts", async () => {
  const { service, receiver } = traced;
  const hex = (number: number, length: number) => number.toString(16).padStart(length, "0");
  const callers = Array.from({ length: 1_000 }, (_, index) => ({
    traceId: hex(index + 1, 32),
    spanId: hex(index + 1, 16),
    path: index % 2 === 0 ? "/datasets" : `/datasets/0190b6a0-0000-7000-8000-${hex(index, 12)}`,
  }));
  const answers = await Promise.all(
    callers.map(({ traceId, spanId, path }) =>
      service.call("GET", path, undefined, { traceparent: `00-${traceId}-${spanId}-01` }),
    ),
  );
  // On a busy machine some wait for a connection to PostgreSQL for longer than one may; theirs is a trace like any other.
  const unavailable = answers.filter(({ status }) => status === 503).map(({ json }) => json);
  for (const { code } of unavailable) expect(code).toBe("DATABASE_UNAVAILABLE");
  const refused = new Set(unavailable.map(({ traceId }) => traceId));
  expect(refused.size).toBeLessThan(callers.length);
  for (const [index, { traceId }] of callers.entries()) {
    expect(answers[index]?.headers.get("x-trace-id")).toBe(traceId);
    if (index % 2 === 1 && !refused.has(traceId))
      expect(answers[index]?.json).toMatchObject({ code: "DATASET_NOT_FOUND", traceId });
  }
  const ids = new Set(callers.map(({ traceId }) => traceId));
  const requests = await receiver.until((spans) => {
    const found = spans.filter((span) => span.kind === 2 && ids.has(span.traceId));
    return found.length === callers.length && found;
  });
  const bySpanId = new Map(receiver.spans.map((span) => [span.spanId, span]));
  for (const { traceId, spanId, path } of callers) {
    const request = requests.find((span) => span.traceId === traceId);
    expect(request?.parentSpanId).toBe(spanId);
    expect(request?.attributes["http.route"]).toBe(
      path === "/datasets" ? "/api/ml/v1/datasets" : "/api/ml/v1/datasets/:id",
    );
  }
  // Whatever lies below lies in the trace of its parent: statements too.
  const below = receiver.spans.filter((span) => ids.has(span.traceId) && span.kind !== 2);
  expect(below.filter((span) => span.kind === 3).length).toBeGreaterThanOrEqual(callers.length - refused.size);
  for (const span of below) expect(bySpanId.get(span.parentSpanId)?.traceId).toBe(span.traceId);
});
