import { sql } from "kysely";
import { v7 as uuidv7 } from "uuid";
import { expect, test } from "vitest";
import { openStore } from "../../src/store/database.ts";
import { penguinsCsv } from "../support/real-data.ts";
import { type RunningService, startService } from "../support/service.ts";

/** What a run over 2,000 columns with long names and 100 classes says of itself, about 280 KB. */
function wideMetrics(seed: number): object {
  const noise = (index: number): number => Math.abs(Math.sin(seed * 7919 + index));
  return {
    accuracy: 0.5,
    featureImportances: Object.fromEntries(
      Array.from({ length: 2000 }, (_, index) => [`${"a name that is long, ".repeat(5)}${index}`, noise(index)]),
    ),
    confusionMatrix: {
      classes: Array.from({ length: 100 }, (_, index) => `class ${index}`),
      counts: Array.from({ length: 100 }, (_, row) =>
        Array.from({ length: 100 }, (_, column) => Math.floor(100 * noise(row * 100 + column))),
      ),
    },
  };
}

/** What is told of one run or one model alone, of 2,000 columns. */
const columns = Array.from({ length: 2000 }, (_, index) => ({
  name: `${"a long name ".repeat(9)}${index}`,
  as: "number",
}));

/** Follows the cursors to the end. */
async function readPages(service: RunningService, path: string): Promise<{ ids: string[]; bytes: number }[]> {
  const pages: { ids: string[]; bytes: number }[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { json, text } = await service.call("GET", `${path}?limit=100${cursor === "" ? "" : `&cursor=${cursor}`}`);
    pages.push({ ids: json.items.map(({ id }: { id: string }) => id), bytes: Buffer.byteLength(text) });
    cursor = json.nextCursor;
  }
  return pages;
}

test("a page of wide runs or models ends early, and the cursors lead to every one of them", async () => {
  const first = await startService();
  const dataset = await first.upload(penguinsCsv());
  const submitted = await first.call("POST", "/training-runs", { datasetId: dataset.json.id, mode: "light" });
  const { json: run } = await first.waitForRun(submitted.json.id);
  await first.halt();

  const store = await openStore(first);
  const [runIds, artifactIds] = [[run.id], [run.artifactId]] as [string[], string[]];
  const copy = async (table: "training_runs" | "artifacts", id: string, changes: Record<string, unknown>) => {
    const [row] = (await sql<object>`select * from ${sql.table(table)} where id = ${id}`.execute(store.db)).rows;
    const json = Object.fromEntries(
      Object.entries({ ...row, ...changes }).map(([name, value]) => [
        name,
        typeof value === "object" && value !== null && !(value instanceof Date) ? JSON.stringify(value) : value,
      ]),
    );
    await store.db
      .insertInto(table)
      .values(json as never)
      .execute();
  };
  for (let index = 0; index < 60; index += 1) {
    const [runId, artifactId] = [uuidv7(), uuidv7()];
    // The oldest half is wide, so that pages of both kinds come.
    const metrics = index < 30 ? wideMetrics(index) : { accuracy: 0.5 };
    await copy("training_runs", run.id, { id: runId, artifact_id: null, metrics, column_uses: columns });
    await copy("artifacts", run.artifactId, { id: artifactId, run_id: runId, metrics, input: { features: columns } });
    runIds.unshift(runId);
    artifactIds.unshift(artifactId);
  }
  await store.stop();

  const service = await startService({ on: first });
  try {
    for (const [path, ids] of [
      ["/training-runs", runIds],
      ["/artifacts", artifactIds],
    ] as const) {
      const pages = await readPages(service, path);
      expect(pages.flatMap((page) => page.ids)).toEqual(ids);
      expect(pages[0]?.ids.length).toBeGreaterThanOrEqual(30);
      expect(pages.length).toBeGreaterThan(3);
      // One of them fills a page; 100 would be 28 MB.
      for (const { bytes } of pages) expect(bytes).toBeLessThan(400_000);
    }
  } finally {
    await service.stop();
  }
});
