import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test, vi } from "vitest";
import { writeEvent } from "../../../src/http/events.ts";
import { millisecondsToNextSlot } from "../../../src/queue/slot-timer.ts";
import { createRunFeed, nextEvent, type RunNews, readLastEventId } from "../../../src/training/run-events.ts";
import { readRunNotification } from "../../../src/training/run-repository.ts";

const news = (version: number): RunNews => ({
  version,
  status: "running",
  attempt: 1,
  json: async () => Buffer.from('{"status":"running"}'),
});

test("an event is what EventSource reads", async () => {
  const stream = new PassThrough();
  writeEvent(stream, { event: "status", id: 7, json: await news(7).json() });
  stream.end();
  expect(await text(stream)).toBe('id: 7\nevent: status\ndata: {"status":"running"}\n\n');
});

test("what was seen is not sent again; a new attempt is a status, the rest progress", () => {
  const run = { version: 5, status: "running", attempt: 1 } as const;
  expect(nextEvent(run, { version: 5 })).toBeUndefined();
  expect(nextEvent(run, { version: 4 })).toBe("status");
  expect(nextEvent(run, { version: 4, status: "running", attempt: 1 })).toBe("progress");
  expect(nextEvent(run, { version: 4, status: "running", attempt: 0 })).toBe("status");
});

test.each([
  ["12", 12],
  ["", undefined],
  ["-1", undefined],
  ["1.5", undefined],
  [undefined, undefined],
])("Last-Event-ID %j is %j", (header, version) => {
  expect(readLastEventId(header)).toBe(version);
});

test("one listener serves all subscribers and goes with the last", async () => {
  let listeners = 0;
  let tell = (_payload: string): void => {};
  const feed = createRunFeed({
    async listen(_channel, onPayload) {
      listeners += 1;
      tell = onPayload;
      return async () => {
        listeners -= 1;
      };
    },
  });
  const seen: string[] = [];
  const leaveOne = await feed.subscribe("one", async () => void seen.push("one"));
  const leaveOther = await feed.subscribe("other", async () => void seen.push("other"));
  expect(listeners).toBe(1);
  tell("one");
  tell("cancelled:other");
  await leaveOne();
  tell("one");
  expect(seen).toEqual(["one", "other"]);
  await leaveOther();
  expect(listeners).toBe(0);
});

test("all who follow a run share one reading of each change", async () => {
  let tell = (_payload: string): void => {};
  const feed = createRunFeed({
    async listen(_channel, onPayload) {
      tell = onPayload;
      return async () => {};
    },
  });
  let readings = 0;
  const read = async (): Promise<RunNews> => news(++readings);
  const seen: number[] = [];
  for (let follower = 0; follower < 3; follower += 1)
    await feed.subscribe("one", async (share) => {
      seen.push((await share(read))!.version);
    });
  tell("one");
  await vi.waitFor(() => expect(seen).toEqual([1, 1, 1]));
  tell("one");
  await vi.waitFor(() => expect(seen).toEqual([1, 1, 1, 2, 2, 2]));
});

test("what was told to nobody is looked at now and then, one run after the other", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const feed = createRunFeed({ listen: async () => async () => {} });
  let atOnce = 0;
  const begun: number[] = [];
  for (const run of ["one", "two", "three"])
    await feed.subscribe(run, async () => {
      atOnce += 1;
      begun.push(atOnce);
      await new Promise((resolve) => setTimeout(resolve, 10));
      atOnce -= 1;
    });
  await vi.advanceTimersByTimeAsync(15_100);
  expect(begun).toEqual([1, 1, 1]);
});

test("a notification tells who is to be stopped", () => {
  expect(readRunNotification("cancelled:a")).toEqual({ id: "a", isCancelled: true });
  expect(readRunNotification("a")).toEqual({ id: "a", isCancelled: false });
});

test("slots begin at multiples of their length, the same in every process", () => {
  expect(millisecondsToNextSlot(10_400, 1)).toBe(600);
  expect(millisecondsToNextSlot(5_400_000, 5400)).toBe(5_400_000);
});
