import { diag } from "@opentelemetry/api";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { logToStandardError } from "../../../otel/export/diag-log.ts";
import { ExportLosses } from "../../../otel/export/losses.ts";

const written: string[] = [];
let losses: Record<"traces" | "logs" | "metrics", ExportLosses>;
beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(process.stderr, "write").mockImplementation((line) => written.push(String(line)) > 0);
  losses = {
    traces: new ExportLosses("traces"),
    logs: new ExportLosses("logs"),
    metrics: new ExportLosses("metrics"),
  };
  logToStandardError(losses);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  diag.disable();
  written.length = 0;
});
const messages = () => written.map((line) => JSON.parse(line)).map(({ msg, error }) => [msg, error]);

test("what telemetry says is a line as those of the log, on stderr", () => {
  diag.error("/metrics failed", new Error("too many series"));
  expect(JSON.parse(written[0] ?? "")).toEqual({
    level: "error",
    time: expect.stringMatching(/Z$/),
    msg: "telemetry: /metrics failed",
    error: "too many series",
  });
});

test.each([
  [
    { rejectedSpans: 3, errorMessage: "too old" },
    [["telemetry: 3 traces could not be exported and are lost", "too old"]],
  ],
  [
    { rejectedLogRecords: "2" },
    [["telemetry: 2 logs could not be exported and are lost", "the endpoint rejected them"]],
  ],
  [
    { rejectedDataPoints: "7", errorMessage: "too many" },
    [["telemetry: 7 points of metrics could not be exported and are lost", "too many"]],
  ],
  [{ rejectedSpans: "0", errorMessage: "" }, []],
  [
    { rejectedSpans: 0, errorMessage: "use gRPC" },
    [["telemetry: Received Partial Success response:", '{"rejectedSpans":0,"errorMessage":"use gRPC"}']],
  ],
] as const)("of a partial success %j only what is lost or remarked is told, once", (answer, told) => {
  for (let batch = 0; batch < 3; batch += 1) {
    diag.warn("Received Partial Success response:", JSON.stringify(answer));
    losses.traces.settled(0, { code: 0 });
  }
  expect(messages()).toEqual(told);
});

test("an endpoint whose answers can't be read is told when it begins, of each signal", () => {
  const exported = (signal: keyof typeof losses, isReadable: boolean) => {
    if (!isReadable) diag.warn("Export succeeded but could not deserialize response - is it OTLP?", new Error("no"));
    losses[signal].settled(1, { code: 0 });
  };
  for (let batch = 0; batch < 3; batch += 1) {
    exported("traces", false);
    exported("logs", true);
  }
  expect(written).toHaveLength(1);
  vi.advanceTimersByTime(3_600_000);
  exported("traces", false);
  expect(written).toHaveLength(1);
  exported("logs", false);
  expect(written).toHaveLength(2);
  exported("traces", true);
  exported("traces", false);
  exported("traces", false);
  expect(written).toHaveLength(3);
});

test("a limit that every span reaches is told once", () => {
  for (const links of [1, 2, 7]) {
    diag.warn("Dropping extra attributes.");
    diag.warn(`Dropped ${links} links because linkCountLimit reached`);
  }
  const why = "a limit (OTEL_…_LIMIT) is reached; told once";
  expect(messages()).toEqual([
    ["telemetry: Dropping extra attributes.", why],
    ["telemetry: Dropped some links because linkCountLimit reached", why],
  ]);
});
