import { resourceFromAttributes } from "@opentelemetry/resources";
import { AggregationTemporality, DataPointType, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { afterEach, expect, test, vi } from "vitest";
import { meter } from "../../../otel/api/instruments.ts";
import { expositionPieces } from "../../../otel/exposition/exposition.ts";
import { shareInFlight, writeInSlices } from "../../../otel/exposition/scrape.ts";
import { startTelemetry } from "../../../otel/sdk.ts";
import { readTelemetrySettings } from "../../../otel/settings/telemetry-settings.ts";
import { expositionOptions } from "../../support/exposition-options.ts";

afterEach(() => vi.restoreAllMocks());

const bounds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10];
const labelSets = 2_000;
const linesAPoint = bounds.length + 3;

const large: ResourceMetrics = {
  resource: resourceFromAttributes({}),
  scopeMetrics: [
    {
      scope: { name: "large" },
      metrics: [
        {
          descriptor: { name: "work.duration", unit: "s", description: "Work.", valueType: 1 },
          aggregationTemporality: AggregationTemporality.CUMULATIVE,
          dataPointType: DataPointType.HISTOGRAM,
          dataPoints: Array.from({ length: labelSets }, (_, index) => ({
            attributes: { route: `/api/items/${index}` },
            startTime: [1, 0],
            endTime: [2, 0],
            value: { buckets: { boundaries: bounds, counts: [...bounds.map(() => 1), 1] }, sum: 1, count: 15 },
          })),
        },
      ],
    },
  ],
};

/** Counts the turns of the event loop while something is awaited. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let next = setImmediate(function turn() {
    turns += 1;
    next = setImmediate(turn);
  });
  await work();
  clearImmediate(next);
  return turns;
}

test("no piece of a large exposition is longer than 64 label sets", () => {
  const lines = [...expositionPieces(large, expositionOptions)].map((piece) => piece.split("\n").length - 1);
  expect(lines.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(labelSets * linesAPoint);
  // HELP and TYPE are before the first.
  expect(Math.max(...lines)).toBeLessThanOrEqual(64 * linesAPoint + 2);
});

test("between the slices of a large scrape everything else has its turn", async () => {
  const turns = await turnsDuring(() => writeInSlices(large, expositionOptions, 0));
  expect(turns).toBeGreaterThanOrEqual(labelSets / 64);
});

test("by its own clock no slice takes more than 10 ms", async () => {
  // Each look at the clock is 1 ms later, and there is one after each piece.
  let nowMs = 0;
  let turnMs = 0;
  let longestMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => {
    nowMs += 1;
    longestMs = Math.max(longestMs, nowMs - turnMs);
    return nowMs;
  });
  let next = setImmediate(function turn() {
    turnMs = nowMs;
    next = setImmediate(turn);
  });
  await writeInSlices(large, expositionOptions);
  clearImmediate(next);
  expect(nowMs).toBeGreaterThan(30);
  expect(longestMs).toBeLessThanOrEqual(10);
});

test("what is asked for at once is made once; afterwards, and after a fault, anew", async () => {
  const asked: string[] = [];
  let answer = (): Promise<string> => Promise.reject(new Error("away"));
  const share = shareInFlight((key: string) => {
    asked.push(key);
    return answer();
  });
  await expect(Promise.allSettled([share("a"), share("a")])).resolves.toMatchObject([
    { status: "rejected" },
    { status: "rejected" },
  ]);
  answer = () => Promise.resolve("here");
  expect(await Promise.all([share("a"), share("b"), share("a")])).toEqual(["here", "here", "here"]);
  expect(await share("a")).toBe("here");
  expect(asked).toEqual(["a", "a", "b", "a"]);
});

test("scrapes at the same time are one collection, whatever their formats", async () => {
  const telemetry = await startTelemetry(readTelemetrySettings({}).settings, {});
  try {
    let collections = 0;
    meter()
      .createObservableGauge("test.collections")
      .addCallback((result) => {
        collections += 1;
        result.observe(collections);
      });
    const openmetrics = "application/openmetrics-text";
    const answers = await Promise.all([undefined, "*/*", openmetrics, "text/plain", openmetrics].map(telemetry.render));
    expect(collections).toBe(1);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(2);
    await telemetry.render(undefined);
    expect(collections).toBe(2);
  } finally {
    await telemetry.shutdown();
  }
});
