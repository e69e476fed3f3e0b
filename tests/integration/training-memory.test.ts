import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { penguinsCsv } from "../support/real-data.ts";
import { type RunningService, startService } from "../support/service.ts";

let service: RunningService;
const least = 268_435_456;

beforeAll(async () => {
  service = await startService({
    env: {
      TRAINING_MEMORY_BYTES: String(least),
      MAX_CSV_UPLOAD_BYTES: "200000000",
      UPLOAD_IDLE_TIMEOUT_SECONDS: "600",
    },
  });
});
afterAll(async () => service.stop());

const failures = (type: string): Promise<number> =>
  service.metric("mlops_backend_training_failures_total", { error_type: type });

describe("a training that needs more than TRAINING_MEMORY_BYTES", () => {
  test("is refused at submission where rows and columns tell, with figures and the setting", async () => {
    const columns = Array.from({ length: 20 }, (_, column) => `c${column}`);
    const pair = `${columns.map((_, column) => column % 10).join(",")}\n${columns.map(() => 1).join(",")}\n`;
    const { json } = await service.upload(`${columns.join(",")}\n${pair.repeat(500_000)}`, { target: "c3" });
    expect(json.rows).toBe(1_000_000);
    const refused = await service.call("POST", "/training-runs", { datasetId: json.id, mode: "light" });
    expect(refused.json).toMatchObject({ status: 422, code: "TRAINING_TOO_LARGE" });
    expect(refused.json.detail).toMatch(
      /1000000 rows of 20 columns need at least 2\d\d MiB .*TRAINING_MEMORY_BYTES.* 256 MiB/,
    );
    // Two of them are loaded, not twenty.
    const fewer = { datasetId: json.id, mode: "light", features: ["c1"] };
    const taken = await service.call("POST", "/training-runs", fewer);
    expect(taken.status).toBe(202);
    await service.call("POST", `/training-runs/${taken.json.id}/cancel`);
  });

  test("fails at its first attempt where it shows only while it trains, and wakes nobody", async () => {
    const before = await failures("out_of_memory");
    const text = (row: number, column: number): string => `some text ${row} of ${column}`;
    const lines = Array.from({ length: 400_000 }, (_, row) =>
      [0, 1, 2, 3, 4, 5]
        .map((column) => text(row, column))
        .concat(row % 2 ? "yes" : "no")
        .join(","),
    );
    const { json } = await service.upload(`a,b,c,d,e,f,label\n${lines.join("\n")}\n`, { target: "label" });
    const run = await service.train(json.id);
    expect(run.json).toMatchObject({ status: "failed", attempt: 1, error: { code: "TRAINING_OUT_OF_MEMORY" } });
    expect(run.json.error.message).toMatch(/needed (more than|at least) \d+ MiB.*TRAINING_MEMORY_BYTES.*256 MiB/);
    expect(await failures("out_of_memory")).toBe(before + 1);
    expect((await service.call("GET", "/api/health/ready")).status).toBe(200);
    // The place is free, and the next one does not suffer.
    const next = await service.upload(penguinsCsv());
    expect((await service.train(next.json.id)).json).toMatchObject({ status: "succeeded", attempt: 1 });
  });
});
