import { DiagLogLevel, diag } from "@opentelemetry/api";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ExportLosses } from "../../../otel/export-losses.ts";

const warnings: unknown[][] = [];
beforeEach(() => {
  vi.useFakeTimers();
  const silent = () => {};
  const warn = (...said: unknown[]) => void warnings.push(said);
  diag.setLogger({ warn, error: silent, info: silent, debug: silent, verbose: silent }, DiagLogLevel.WARN);
});
afterEach(() => {
  vi.useRealTimers();
  diag.disable();
  warnings.length = 0;
});

test("losses are told once a minute, all of them together", () => {
  const losses = new ExportLosses("logs");
  losses.lost(5, "connection refused");
  for (let second = 0; second < 59; second += 1) {
    vi.advanceTimersByTime(1000);
    losses.lost(2, "connection refused");
  }
  expect(warnings).toEqual([["5 logs could not be exported and are lost", "connection refused"]]);
  vi.advanceTimersByTime(1000);
  losses.lost(1, "the queue is full");
  expect(warnings.slice(1)).toEqual([["119 logs could not be exported and are lost", "the queue is full"]]);
});

test("each signal tells of its own", () => {
  new ExportLosses("logs").lost(1, "gone");
  new ExportLosses("traces").lost(1, "gone");
  expect(warnings).toHaveLength(2);
});

test("an exporter that fails counts as done, so that its processor says nothing more", () => {
  const losses = new ExportLosses("logs");
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
  const counter = new ExportLosses("logs").meterProvider.getMeter("x").createCounter("processed");
  counter.add(7, { "error.type": "queue_full" });
  counter.add(7, { "error.type": "Error" });
  counter.add(7);
  expect(warnings).toEqual([["7 logs could not be exported and are lost", "the queue is full"]]);
});
