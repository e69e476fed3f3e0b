import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ExportLosses } from "../../../otel/export/losses.ts";

const warnings: unknown[][] = [];
const lossesOf = (signal: "traces" | "logs") => new ExportLosses(signal, (...said) => void warnings.push(said));
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  warnings.length = 0;
});

test("losses are told once a minute, all of them together", () => {
  const losses = lossesOf("logs");
  losses.lost(5, "connection refused");
  for (let second = 0; second < 59; second += 1) {
    vi.advanceTimersByTime(1000);
    losses.lost(2, "connection refused");
  }
  expect(warnings).toEqual([["5 logs could not be exported and are lost", "connection refused"]]);
  losses.lost(1, "the queue is full");
  vi.advanceTimersByTime(1000);
  expect(warnings.slice(1)).toEqual([["119 logs could not be exported and are lost", "the queue is full"]]);
  // The rest of an outage is told although nothing follows it; then there is nothing to tell, and the next loss is at once.
  losses.lost(3, "connection refused");
  expect(warnings).toHaveLength(2);
  vi.advanceTimersByTime(60_000);
  expect(warnings.slice(2)).toEqual([["3 logs could not be exported and are lost", "connection refused"]]);
  vi.advanceTimersByTime(120_000);
  losses.lost(1, "connection refused");
  expect(warnings).toHaveLength(4);
});

test("at the end all that was taken is sent or told as lost, also what is still on its way", async () => {
  const losses = lossesOf("traces");
  const hanging = { export: vi.fn(), shutdown: () => Promise.resolve(), forceFlush: () => Promise.resolve() };
  for (let span = 0; span < 7; span += 1) losses.taken();
  losses.lost(2, "the queue is full");
  losses.guard(hanging).export([1, 2, 3], vi.fn());
  const settled = losses.settle(new Promise(() => {}));
  await vi.advanceTimersByTimeAsync(3_000);
  await settled;
  expect(warnings).toEqual([
    ["2 traces could not be exported and are lost", "the queue is full"],
    ["5 traces could not be exported and are lost", "the process ended before they were sent"],
  ]);
});

test("what is sent as a whole is settled as a whole", async () => {
  const losses = new ExportLosses("metrics", (...said) => void warnings.push(said));
  for (const result of [{ code: 0 }, { code: 1, error: new Error("503") }]) {
    losses.taken(40);
    losses.settled(40, result);
  }
  losses.taken(2);
  await losses.settle(Promise.resolve(), 10);
  expect(warnings).toEqual([
    ["40 points of metrics could not be exported and are lost", "503"],
    [
      "2 points of metrics could not be exported and are lost",
      "the process ended before they were sent; before that: 503",
    ],
  ]);
});

test("each signal tells of its own", () => {
  lossesOf("logs").lost(1, "gone");
  lossesOf("traces").lost(1, "gone");
  expect(warnings).toHaveLength(2);
});

test("an exporter that fails counts as done, so that its processor says nothing more", () => {
  const losses = lossesOf("logs");
  const done = vi.fn();
  const failing = {
    export: (_items: number[], result: (result: { code: number; error?: Error }) => void) =>
      result({ code: 1, error: new Error("429") }),
    shutdown: () => Promise.resolve(),
    forceFlush: () => Promise.resolve(),
  };
  losses.guard(failing).export([1, 2, 3], done);
  expect(done).toHaveBeenCalledWith({ code: 0 });
  expect(warnings).toEqual([["3 logs could not be exported and are lost", "429"]]);
});

test("what a full queue refused is known from the processor's own counter", () => {
  const counter = lossesOf("logs").meterProvider.getMeter("x").createCounter("processed");
  counter.add(7, { "error.type": "queue_full" });
  counter.add(7, { "error.type": "Error" });
  counter.add(7);
  expect(warnings).toEqual([["7 logs could not be exported and are lost", "the queue is full"]]);
});
