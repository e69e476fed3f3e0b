import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { root } from "./processes.ts";

// The committed rules in their real times, over an outage that promtool plays: which alert fires in which minute.

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-outage-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = ["objective-http-availability", "known-causes", "burn-rate-critical", "datasets", "process", "storage"];
const ruleText = (name: string): string =>
  readFileSync(join(root, "infra/monitoring/prometheus/rules", `${name}.yml`), "utf8");

/** Scrapes each 15 s: an hour of peace, what is bad, and peace again. */
const [scrapesBefore, scrapesBad, scrapesAfter] = [240, 100, 240];
const downFrom = scrapesBefore / 4;
const upFrom = downFrom + scrapesBad / 4;

/** A counter that grows by one of these in each of the three times. */
const counter = (before: number, bad: number, after: number): string => {
  const sum = [1_000, 1_000 + before * scrapesBefore, 1_000 + before * scrapesBefore + bad * scrapesBad] as const;
  return [
    `${sum[0]}+${before}x${scrapesBefore - 1}`,
    `${sum[1]}+${bad}x${scrapesBad - 1}`,
    `${sum[2]}+${after}x${scrapesAfter - 1}`,
  ].join(" ");
};
const gauge = (before: number, bad: number, after: number): string =>
  `${before}x${scrapesBefore - 1} ${bad}x${scrapesBad - 1} ${after}x${scrapesAfter - 1}`;

/** Requests and uploads that fail in the bad time, and afterwards as often as that. */
function outage(failingAfter: number): Record<string, string> {
  const of = 'job="backend",instance="a"';
  const requests = `mlops_backend_http_requests_total{${of},http_route="/api/ml/v1/datasets"`;
  const uploads = `mlops_backend_dataset_uploads_total{${of}`;
  return {
    [`${requests},outcome="success"}`]: counter(30, 0, 30 - failingAfter),
    [`${requests},outcome="server_error"}`]: counter(0, 30, failingAfter),
    [`${uploads},outcome="accepted"}`]: counter(1, 0, 1),
    [`${uploads},outcome="failed"}`]: counter(0, 1, 0),
  };
}
const databaseAway = { 'mlops_backend_state_readable{job="backend",instance="a"}': gauge(1, 0, 1) };
const gib = 1024 ** 3;
const diskFull = {
  'mlops_backend_storage_filesystem_available_bytes{job="backend",instance="a"}': gauge(90 * gib, 0, 90 * gib),
  'mlops_backend_storage_filesystem_size_bytes{job="backend",instance="a"}': gauge(100 * gib, 100 * gib, 100 * gib),
};

const minutes = Array.from({ length: (scrapesBefore + scrapesBad + scrapesAfter) / 4 - 1 }, (_, minute) => minute);

/** In which minutes, from the first to the last, each alert fires. */
function told(series: Record<string, string>, edit: (rules: string) => string = (rules) => rules): object {
  for (const name of files) writeFileSync(join(folder, `${name}.yml`), edit(ruleText(name)));
  const file = join(folder, "outage.json"); // JSON is YAML.
  const test = {
    interval: "15s",
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    // Expected is nothing in every minute, so that promtool says what there is.
    promql_expr_test: minutes.map((minute) => ({
      expr: `count by (alertname, window, reason) (ALERTS{alertstate="firing",severity="critical"}) + ${minute}`,
      eval_time: `${minute}m`,
    })),
  };
  writeFileSync(
    file,
    JSON.stringify({ rule_files: files.map((name) => `${name}.yml`), evaluation_interval: "15s", tests: [test] }),
  );
  const { stdout, stderr } = spawnSync(process.env.PROMTOOL_BIN ?? "promtool", ["test", "rules", file], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  const spans: Record<string, [number, number]> = {};
  for (const [, time = "", got = ""] of `${stdout}${stderr}`.matchAll(/time: (\S+),\s+exp: ?.*\s+got: ?(.*)/g)) {
    const [, hours = 0, minute = 0] = /^(?:(\d+)h)?(?:(\d+)m)?/.exec(time) ?? [];
    const at = 60 * Number(hours) + Number(minute);
    for (const [labels] of got.matchAll(/\{[^}]*\}/g)) {
      const name = [...labels.matchAll(/="([^"]*)"/g)].map(([, value]) => value).join(" ");
      spans[name] = [spans[name]?.[0] ?? at, at];
    }
  }
  return spans;
}

test("PostgreSQL away for 25 minutes is one alert, which ends when it is over; nothing comes after it", () => {
  expect(told({ ...outage(0), ...databaseAway })).toEqual({ StateUnreadable: [downFrom + 2, upFrom + 4] });
});

test("without what is known of causes, each of its effects would be told, and one long after the end", () => {
  const edit = (rules: string): string => rules.replaceAll(/^ +unless on \(job\) alert:known_cause.*\n/gm, "");
  const spans = told({ ...outage(0), ...databaseAway }, edit) as Record<string, [number, number]>;
  expect(Object.keys(spans).length).toBe(4);
  expect(spans["HttpAvailabilityBudgetBurn 6h"]?.[1]).toBeGreaterThan(upFrom + 40);
});

test("a full disk is one alert, too", () => {
  expect(Object.keys(told({ ...outage(0), ...diskFull })).toSorted()).toEqual([
    "StorageNearlyFull full",
    // Silenced by the first one (alerting/inhibitions.ts).
    "StorageNearlyFull share",
  ]);
});

test("what still fails when the database is back, is told", () => {
  const spans = told({ ...outage(10), ...databaseAway }) as Record<string, [number, number]>;
  const [from = 0, until] = spans["HttpAvailabilityBudgetBurn 1h"] ?? [];
  // Five minutes that StateUnreadable goes on, five that the window needs to be clean, four that must be held.
  expect(from).toBeGreaterThan(upFrom + 10);
  expect(from).toBeLessThan(upFrom + 16);
  expect(until).toBe(minutes.at(-1));
});

test("requests that fail for 12 minutes for no other reason are over soon: no window of six hours goes on after that", () => {
  const series = outage(0);
  const shorter = 48;
  const cut = Object.fromEntries(
    Object.entries(series)
      .filter(([name]) => name.includes("http_requests"))
      .map(([name]) => {
        const isBad = name.includes("server_error");
        const [before, bad] = isBad ? [0, 30] : [30, 0];
        const [first, second] = [1_000 + before * scrapesBefore, 1_000 + before * scrapesBefore + bad * shorter];
        const parts = [`1000+${before}x${scrapesBefore - 1}`, `${first}+${bad}x${shorter - 1}`];
        return [name, [...parts, `${second}+${before}x${scrapesAfter - 1}`].join(" ")];
      }),
  );
  const spans = told(cut) as Record<string, [number, number]>;
  const ends = Object.entries(spans).map(([name, [, end]]) => [name, end - (downFrom + shorter / 4)] as const);
  expect(Object.keys(spans)).toContain("HttpAvailabilityBudgetBurn 1h");
  for (const [name, later] of ends) expect(later, name).toBeLessThanOrEqual(26);
});
