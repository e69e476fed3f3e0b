import fc from "fast-check";
import { expect, test } from "vitest";
import { relativeAddress } from "../../../src/http/relative-address.ts";

test.each([
  ["/", "/api/docs", "api/docs"],
  ["/api/docs", "/api/docs/swagger-ui.css", "docs/swagger-ui.css"],
  ["/api/docs/", "/api/docs/swagger-ui.css", "swagger-ui.css"],
  ["/api/openapi.json", "/", "../"],
  ["/api/ml/v1/training-runs", "/api/ml/v1/training-runs/7", "training-runs/7"],
  ["/api/ml/v1/training-runs/", "/api/ml/v1/training-runs/7", "7"],
  ["/api/", "/api/", "."],
])("from %s, %s is %s", (from, to, address) => {
  expect(relativeAddress(from, to)).toBe(address);
});

test("it leads from any path to any other, whatever prefix a proxy has put before both", () => {
  const path = fc
    .tuple(fc.array(fc.constantFrom("api", "ml", "v1", "docs", "7"), { maxLength: 5 }), fc.boolean())
    .map(([parts, hasSlash]) => `/${parts.join("/")}${hasSlash && parts.length > 0 ? "/" : ""}`);
  fc.assert(
    fc.property(fc.constantFrom("", "/mlops", "/a/b"), path, path, (prefix, from, to) => {
      const there = new URL(relativeAddress(from, to), `http://proxy${prefix}${from}`).pathname;
      expect(there).toBe(`${prefix}${to}`);
    }),
  );
});
