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

// A worker needs a PostgreSQL. What docs/operations.md says of the cost of workers is computed from this.
test.runIf(process.env.TEST_DATABASE_URL)("so does a worker that was asked for its health and scraped", async () => {
  const service = await startService({ env: { SERVICE_ROLE: "worker" } });
  try {
    for (const path of ["/api/health/live", "/api/health/ready", "/metrics"]) await service.call("GET", path);
    expectWithinBudget("freshWorker", seriesByMetric((await service.call("GET", "/metrics")).text));
  } finally {
    await service.stop();
  }
});
