import { expect, test } from "vitest";
import type { ErrorCode } from "../../../src/errors.ts";
import { hashRequest, readIdempotencyKey } from "../../../src/training/idempotency.ts";
import { resolveTarget } from "../../../src/training/submit-run.ts";
import { faultOf } from "../../support/fault-of.ts";

const dataset = {
  columns: [
    { name: "size", type: "number" },
    { name: "colour", type: "text" },
    { name: "label", type: "number" },
  ],
  target: "label",
  task: "classification",
  said: null,
} as const;

test("without a wish, target and task are the dataset's", () => {
  expect(resolveTarget({}, dataset, undefined)).toEqual({ target: "label", task: "classification" });
});

test("another target's task follows its type, unless the caller says", () => {
  expect(resolveTarget({ target: "colour" }, dataset, "classification").task).toBe("classification");
  expect(resolveTarget({ target: "size" }, dataset, "regression").task).toBe("regression");
  expect(resolveTarget({ target: "size", task: "classification" }, dataset, "regression").task).toBe("classification");
});

test.each<[ErrorCode, Parameters<typeof resolveTarget>[0]]>([
  ["TARGET_UNKNOWN", { target: "weight" }],
  ["TARGET_NOT_NUMERIC", { target: "colour", task: "regression" }],
  ["FEATURE_UNKNOWN", { features: ["size", "weight"] }],
  ["FEATURE_UNKNOWN", { features: ["size", "label"] }],
])("%s", async (code, request) => {
  expect((await faultOf(() => resolveTarget(request, dataset, undefined))).code).toBe(code);
});

test("of thousands of unknown features twenty are named, and how many more there are", async () => {
  const features = Array.from({ length: 10_000 }, (_, index) => `unknown ${index}`);
  const fault = await faultOf(() => resolveTarget({ features }, dataset, undefined));
  expect(fault.message).toContain('"unknown 19" and 9980 more');
  expect(fault.fields).toHaveLength(20);
});

test("requests that mean the same have the same hash", () => {
  const one = hashRequest({ datasetId: "a", mode: "light", parameters: { seed: 1, rounds: 2 }, target: undefined });
  expect(hashRequest({ parameters: { rounds: 2, seed: 1 }, mode: "light", datasetId: "a" })).toBe(one);
  expect(hashRequest({ parameters: { rounds: 3, seed: 1 }, mode: "light", datasetId: "a" })).not.toBe(one);
});

test.each(["", "a b", "ä", "x".repeat(256)])("the Idempotency-Key %j is refused", async (key) => {
  expect((await faultOf(() => readIdempotencyKey(key))).code).toBe("IDEMPOTENCY_KEY_INVALID");
});
