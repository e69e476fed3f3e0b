import fc from "fast-check";
import { expect, test } from "vitest";
import { sortFloats } from "../../../src/models/sort-floats.ts";

test("floats rise as the usual sort has them, -0 before 0, and NaN is left out", () => {
  fc.assert(
    fc.property(fc.float32Array({ maxLength: 200 }), (floats) => {
      const before = floats.slice();
      const known = floats.toSorted().filter((value) => !Number.isNaN(value));
      const sorted = sortFloats(floats);
      expect(sorted).toHaveLength(known.length);
      expect(known.every((value, at) => Object.is(value, sorted[at]))).toBe(true);
      expect(floats).toEqual(before);
    }),
    { numRuns: 500 },
  );
});

test("so do those of a part of a larger array", () => {
  const all = Float32Array.of(9, -1, Number.NaN, 3, Number.NEGATIVE_INFINITY, 2, -9);
  expect(sortFloats(all.subarray(1, 6))).toEqual(Float32Array.of(Number.NEGATIVE_INFINITY, -1, 2, 3));
});
