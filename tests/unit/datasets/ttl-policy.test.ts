import fc from "fast-check";
import { expect, test } from "vitest";
import { expiresAt, ttlCutoff } from "../../../src/datasets/kept/ttl-policy.ts";

// What DATASET_TTL_DAYS may be besides 0, down to the 8.64 s of a demonstration.
const ttlDays = fc.double({ min: 0.0001, max: 36_500, noNaN: true });
const moment = fc.date({ min: new Date("2000-01-01"), max: new Date("2100-01-01"), noInvalidDate: true });

test("a dataset is behind the cutoff exactly when the expiry that its owner was told has passed", () => {
  const nearExpiry = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -1e10, max: 1e10 }));
  fc.assert(
    fc.property(moment, ttlDays, nearExpiry, (createdAt, days, offsetMs) => {
      const told = expiresAt(createdAt, days)!;
      const nowMs = told.getTime() + offsetMs;
      const isBehind = createdAt.getTime() < ttlCutoff(days, nowMs)!.getTime();
      // Dates are whole milliseconds: days that are not may be a millisecond apart.
      if (Math.abs(offsetMs) > 1) expect(isBehind).toBe(offsetMs > 0);
    }),
  );
});

test("a longer life never ends earlier, and what was made later never goes first", () => {
  fc.assert(
    fc.property(moment, moment, ttlDays, ttlDays, (one, other, days, moreDays) => {
      const [earlier, later] = one <= other ? [one, other] : [other, one];
      const [short, long] = days <= moreDays ? [days, moreDays] : [moreDays, days];
      expect(expiresAt(earlier, short)!.getTime()).toBeLessThanOrEqual(expiresAt(later, short)!.getTime());
      expect(expiresAt(one, short)!.getTime()).toBeLessThanOrEqual(expiresAt(one, long)!.getTime());
    }),
  );
});

test("0 days keeps all", () => {
  fc.assert(
    fc.property(moment, (now) => {
      expect(ttlCutoff(0, now.getTime())).toBeUndefined();
      expect(expiresAt(now, 0)).toBeNull();
    }),
  );
});

test("a day has 86,400 seconds", () => {
  expect(expiresAt(new Date("2026-03-29T00:00:00Z"), 1)).toEqual(new Date("2026-03-30T00:00:00Z"));
  expect(ttlCutoff(0.0001, 100_000)).toEqual(new Date(100_000 - 8_640));
});
