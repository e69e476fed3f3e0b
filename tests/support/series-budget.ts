import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "vitest";

const file = new URL("../../infra/monitoring/series-budget.json", import.meta.url);

/** Series of each metric in an answer of /metrics; buckets, sums and counts belong to their histogram. */
export function seriesByMetric(text: string): Record<string, number> {
  const kinds = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name!, kind!]));
  const counts: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const sample = /^[a-zA-Z_:][\w:]*/.exec(line)?.[0];
    if (sample === undefined || sample.endsWith("_created")) continue;
    const histogram = sample.replace(/_(bucket|sum|count)$/, "");
    const name = kinds.get(histogram) === "histogram" ? histogram : sample;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/**
 * Holds the series to the committed table, which docs/metrics.md shows: a metric that grows or shrinks must be seen in a review.
 * UPDATE_SERIES_BUDGET=1 writes the table instead.
 */
export function expectWithinBudget(
  state: "freshStart" | "afterDemo" | "freshWorker",
  counts: Record<string, number>,
): void {
  const budget = JSON.parse(readFileSync(file, "utf8")) as Record<typeof state, Record<string, number>>;
  if (process.env.UPDATE_SERIES_BUDGET === "1") {
    budget[state] = Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    writeFileSync(file, `${JSON.stringify(budget, undefined, 2)}\n`);
    return;
  }
  // Kinds of garbage collection appear when they occur; the set is closed.
  const over = Object.entries(counts).filter(
    ([name, count]) => name !== "v8js_gc_duration_seconds" && count > (budget[state][name] ?? 0),
  );
  expect(over, "more series than infra/monitoring/series-budget.json allows").toEqual([]);
  // Fewer is a change too; after the demo the number depends on what it met.
  const under = Object.entries(counts).filter(
    ([name, count]) =>
      state !== "afterDemo" && name !== "v8js_gc_duration_seconds" && count < (budget[state][name] ?? 0),
  );
  expect(under, "fewer series than infra/monitoring/series-budget.json says: generate it anew").toEqual([]);
  const gone = Object.keys(budget[state]).filter((name) => counts[name] === undefined && !name.startsWith("v8js_gc"));
  expect(gone, "in infra/monitoring/series-budget.json, and not in /metrics").toEqual([]);
}
