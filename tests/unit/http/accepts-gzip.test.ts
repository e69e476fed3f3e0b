import { expect, test } from "vitest";
import { acceptsGzip } from "../../../src/http/metrics-endpoint.ts";

test.for([
  [undefined, false],
  ["", false],
  ["gzip", true],
  ["GZIP", true],
  ["gzip;q=0", false],
  ["gzip; q=0.0", false],
  ["gzip;q=0.001", true],
  ["*", true],
  ["*;q=0", false],
  ["gzip;q=0, *", false],
  ["gzip, *;q=0", true],
  ["identity", false],
  ["identity;q=1, gzip;q=0.5", true],
  ["deflate, br", false],
  ["br;q=1.0, gzip;q=0.8, *;q=0.1", true],
  ["gzip;q=high", false],
  ["xgzip", false],
] as const)("Accept-Encoding %s: gzip %s", ([header, isAccepted]) => {
  expect(acceptsGzip(header)).toBe(isAccepted);
});
