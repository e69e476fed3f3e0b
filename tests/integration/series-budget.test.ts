import { expect, test } from "vitest";
import { expectWithinBudget, seriesByMetric } from "../support/series-budget.ts";
import { startService } from "../support/service.ts";

test("the first scrape of a fresh service keeps to the series budget, metric by metric and in all", async () => {
  const service = await startService();
  try {
    const counts = seriesByMetric((await service.call("GET", "/metrics")).text);
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(450);
    expectWithinBudget("freshStart", counts);
  } finally {
    await service.stop();
  }
});
