import { expect, test } from "vitest";
import { isDatabaseAway } from "../../src/outage.ts";

// What node-postgres 8 and its pool say without a code when the server or the way to it is gone, and PGlite after its end.
test.each([
  "Connection terminated",
  "Connection terminated unexpectedly",
  "Connection terminated due to connection timeout",
  "timeout exceeded when trying to connect",
  "timeout expired",
  "Client has encountered a connection error and is not queryable",
  "Client was closed and is not queryable",
  "PGlite is closed",
])("%s: the database is away", (message) => {
  expect(isDatabaseAway(new Error(message))).toBe(true);
});

test("what a statement itself is wrong about is no outage", () => {
  expect(isDatabaseAway(new Error('relation "runs" does not exist'))).toBe(false);
  expect(isDatabaseAway(Object.assign(new Error("duplicate key"), { code: "23505" }))).toBe(false);
  expect(isDatabaseAway(new Error("The session's timeout expired a day ago"))).toBe(false);
  expect(isDatabaseAway("timeout expired")).toBe(false);
});
