import { describe, expect, test } from "vitest";
import {
  afterFault,
  classifyFault,
  countedAttempts,
  crashFault,
  isFinal,
  MAX_ATTEMPTS,
  nextTurn,
  type RunFault,
  timeoutFault,
} from "../../../src/training/run-lifecycle.ts";
import { TrainingMemoryError } from "../../../src/training/training-memory.ts";

const fault = (type: RunFault["type"]): RunFault => ({ type, code: "X", message: "x" });

describe("afterFault", () => {
  test.each(["data", "out_of_memory", "timeout"] as const)("%s ends the run at its first attempt", (type) => {
    expect(afterFault(1, fault(type))).toEqual({ status: "failed", fault: fault(type) });
  });

  test.each(["crash", "storage", "database", "other"] as const)(
    "%s is tried again until the attempts are used up",
    (type) => {
      for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt += 1)
        expect(afterFault(attempt, fault(type))).toEqual({ status: "queued" });
      expect(afterFault(MAX_ATTEMPTS, fault(type)).status).toBe("failed");
    },
  );
});

describe("classifyFault", () => {
  const withCode = (code: string, message = "…") => Object.assign(new Error(message), { code });

  test.each([
    [new TrainingMemoryError("heap"), "out_of_memory"],
    [new Error("Out of Memory Error: could not allocate block of size 256.0 KiB"), "out_of_memory"],
    [new RangeError("Array buffer allocation failed"), "out_of_memory"],
    [new RangeError("Invalid array length"), "out_of_memory"],
    [new RangeError("Invalid typed array length: 12"), "out_of_memory"],
    [new RangeError("Invalid array buffer length"), "out_of_memory"],
    ["std::bad_alloc", "out_of_memory"],
    [withCode("ENOSPC"), "storage"],
    [withCode("STORAGE_UNAVAILABLE"), "storage"],
    [withCode("FILE_MISSING_IN_STORAGE"), "storage"],
    [new Error("ENOENT: no such file or directory, open '/data/x'"), "storage"],
    [new Error('IO Error: No files found that match the pattern "x"'), "storage"],
    [withCode("ECONNREFUSED"), "database"],
    [withCode("57P01"), "database"],
    [withCode("40001"), "database"],
    [new Error("Connection terminated unexpectedly"), "database"],
    [new Error("The training's process ended by SIGKILL: "), "crash"],
    [new TypeError("x is not a function"), "other"],
    ["not an error", "other"],
    // Like one of the above, and none.
    [{ code: "ENOSPC" }, "other"],
    [Object.assign(new Error("…"), { code: 57_014 }), "other"],
    [withCode("NOT_ENOSPC"), "other"],
    [withCode("EIO_AND_MORE"), "other"],
    [new Error("a column named ENOENT: text"), "other"],
    [new Error("not an IO Error: of DuckDB"), "other"],
    [new Error("no Out of Memory Error: at all"), "other"],
    [withCode("XECONNRESET"), "other"],
    [withCode("EPIPES"), "other"],
    [withCode("57P0"), "other"],
    [withCode("57P01X"), "other"],
    [withCode("X57001"), "other"],
    [withCode("08P01"), "database"],
    [withCode("P0001"), "database"],
    [withCode("57p01"), "other"],
    [withCode("ABCDE"), "other"],
    [new Error("It is not so that The training's process ended"), "other"],
  ])("%s is %s", (error, type) => {
    expect(classifyFault(error, 2 ** 31).type).toBe(type);
  });

  test.each([
    [new Error("Array buffer allocation failed"), "TRAINING_OUT_OF_MEMORY", /TRAINING_MEMORY_BYTES/],
    [new Error("ENOENT: no such file, open '/data/secret'"), "STORAGE_FAILED", /could not be read or written.*again/],
    [withCode("57P01", "at /data/secret"), "DATABASE_FAILED", /database did not answer.*again/],
    [
      new Error("The training's process ended by SIGKILL: /data/secret"),
      "TRAINING_CRASHED",
      /ended unexpectedly.*again/,
    ],
    [new Error("/data/secret"), "TRAINING_FAILED", /not the data's.*report it with the run's id/],
  ])("%s has a stable code and says what to do, and no path", (error, code, text) => {
    const fault = classifyFault(error, 2 ** 31);
    expect(fault.code).toBe(code);
    expect(fault.message).toMatch(text);
    expect(fault.message).not.toContain("/data");
  });

  test.each([
    [
      new TrainingMemoryError("process", 3 * 2 ** 30),
      /at least 3,072 MiB.* allows 2,048 MiB.*raise TRAINING_MEMORY_BYTES/,
    ],
    [new TrainingMemoryError("heap"), /more than 1024 MiB .*2,048 MiB.*raise TRAINING_MEMORY_BYTES/],
    [new Error("Out of Memory Error: x"), /more than 512 MiB.*2,048 MiB.*raise TRAINING_MEMORY_BYTES/],
    [new TrainingMemoryError("machine"), /none left.*give the service more memory/],
  ])("%s says what was needed, what there is, and what to do", (error, text) => {
    expect(classifyFault(error, 2 ** 31).message).toMatch(text);
  });
});

test("the codes that callers see are stable", () => {
  expect(timeoutFault(600)).toMatchObject({ type: "timeout", code: "TRAINING_TIMEOUT" });
  expect(timeoutFault(600).message).toMatch(/longer than 600 s\. Use fewer rounds/);
  expect(crashFault).toMatchObject({ type: "crash", code: "TRAINING_CRASHED" });
});

test("three states are final", () => {
  expect((["queued", "running", "succeeded", "failed", "cancelled"] as const).filter(isFinal)).toEqual([
    "succeeded",
    "failed",
    "cancelled",
  ]);
});

test("attempts that a shutdown or an outage ended do not count", () => {
  expect(countedAttempts({ attempt: 5, interruptions: 3 })).toBe(2);
});

test("a run comes after the turn that is on, and after its owner's own", () => {
  expect(nextTurn({ lastTaken: 7, ownLast: 3 })).toBe(8);
  expect(nextTurn({ lastTaken: 2, ownLast: 9 })).toBe(10);
});

test("an owner's first run comes with another's first, and before their second", () => {
  const annas = [nextTurn({ lastTaken: 7, ownLast: 0 })];
  annas.push(nextTurn({ lastTaken: 7, ownLast: annas[0]! }));
  const bens = nextTurn({ lastTaken: 7, ownLast: 0 });
  expect(bens).toBe(annas[0]);
  expect(bens).toBeLessThan(annas[1]!);
});

test("a backlog is worked off although others send a first run again and again", () => {
  const backlog: number[] = [];
  for (let n = 0; n < 5; n += 1) backlog.push(nextTurn({ lastTaken: 0, ownLast: backlog.at(-1) ?? 0 }));
  let lastTaken = 0;
  let newcomers = 0;
  // As soon as the newcomer's run is taken, it sends the next one: the lowest turn goes first, the older of equals.
  let newcomer = nextTurn({ lastTaken, ownLast: 0 });
  while (backlog.length > 0) {
    if (backlog[0]! <= newcomer) lastTaken = Math.max(lastTaken, backlog.shift()!);
    else {
      lastTaken = Math.max(lastTaken, newcomer);
      newcomers += 1;
      newcomer = nextTurn({ lastTaken, ownLast: 0 });
    }
    expect(newcomers).toBeLessThan(10);
  }
});
