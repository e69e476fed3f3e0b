import { expect, test } from "vitest";
import { fewestConnections, shareConnections, usualConnections } from "../../../src/store/connection-shares.ts";

test("what a process may have is shared out whole, and each pool has two at least", () => {
  const listeners = { all: 3, api: 2, worker: 2 };
  for (const role of ["all", "api", "worker"] as const) {
    for (let most = fewestConnections; most < 60; most += 1) {
      const { pool, queue } = shareConnections(role, most);
      expect([role, most, pool + queue + listeners[role]]).toEqual([role, most, most]);
      expect(Math.min(pool, queue)).toBeGreaterThanOrEqual(2);
    }
    expect(shareConnections(role)).toEqual(shareConnections(role, usualConnections[role]));
  }
  expect([shareConnections("all"), shareConnections("api"), shareConnections("worker")]).toEqual([
    { pool: 10, queue: 4 },
    { pool: 10, queue: 2 },
    { pool: 4, queue: 4 },
  ]);
});
