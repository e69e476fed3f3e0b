import type { Socket } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchPace } from "../../../src/http/watch-pace.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const pace = { windowSeconds: 20, minBytes: 10_000 };

/** Lets minutes pass in which some bytes come each second; returns after how many seconds it was too slow, if ever. */
function tooSlowAfter(
  bytesASecond: number,
  rest: { readableLength?: number; complete?: boolean } = {},
): number | undefined {
  const socket = { bytesRead: 700 };
  let seconds = 0;
  let tooSlow: number | undefined;
  const end = watchPace({ readableLength: 0, complete: false, ...rest, socket: socket as Socket }, pace, () => {
    tooSlow ??= seconds;
  });
  for (; seconds < 300; seconds += 1) {
    vi.advanceTimersByTime(1000);
    socket.bytesRead += bytesASecond;
  }
  end();
  expect(vi.getTimerCount()).toBe(0);
  return tooSlow;
}

test.each([0, 1, 100, 450])("at %i bytes a second a sender is too slow within a window and a quarter", (bytes) => {
  const after = tooSlowAfter(bytes);
  expect(after).toBeGreaterThanOrEqual(19);
  expect(after).toBeLessThanOrEqual(25);
});

test.each([700, 100_000])("at %i bytes a second it may take as long as it needs", (bytes) => {
  expect(tooSlowAfter(bytes)).toBeUndefined();
});

test("what we have not read yet, and what has come whole, is not held against the sender", () => {
  expect(tooSlowAfter(0, { readableLength: 1 })).toBeUndefined();
  expect(tooSlowAfter(0, { complete: true })).toBeUndefined();
});
