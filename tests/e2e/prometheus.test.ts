import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectWithinBudget, seriesByMetric } from "../support/series-budget.ts";
import { eventually, OwnProcess, startService } from "./processes.ts";
import { type PrometheusProcess, type Series, startPrometheus } from "./prometheus-process.ts";

const promtoolBinary = process.env.PROMTOOL_BIN ?? "promtool";

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-prometheus-"));
const resources = new AsyncDisposableStack();
let serviceUrl = "";
let prometheus: PrometheusProcess;
const ask = <Data>(path: string): Promise<Data> => prometheus.ask(path);
const query = (expression: string): Promise<Series[]> => prometheus.query(expression);

beforeAll(async () => {
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const started = await startService(join(folder, "data"), {
    // A TTL that nothing reaches, so that cycles run and remove nothing.
    DATASET_TTL_DAYS: "1",
    DATASET_TTL_CHECK_INTERVAL_SECONDS: "1",
    PROMETHEUS__CREATED: "true",
    LOG_LEVEL: "info",
  });
  resources.use(started.service);
  serviceUrl = started.url;
  prometheus = await startPrometheus({ folder, target: new URL(serviceUrl).host });
  resources.use(prometheus.process);
  await eventually("the target is up", 60, async () =>
    (await query('up{job="backend"} == 1')).length > 0 ? true : undefined,
  );
  await fetch(`${serviceUrl}/api/nothing-is-here`);
  const demo = resources.use(new OwnProcess(process.execPath, ["tests/support/demo.ts", "--url", serviceUrl]));
  if ((await demo.ended()) !== 0) throw new Error(`The demo failed:\n${demo.output}\n${started.service.output}`);
  const done = Date.now() / 1000 + 3;
  await eventually("three more scrapes", 30, async () => {
    const [last] = await query('timestamp(up{job="backend"})');
    return last !== undefined && Number(last.value[1]) > done ? true : undefined;
  });
});
afterAll(() => resources.disposeAsync());

describe("a real Prometheus", () => {
  test("has the target backend up", async () => {
    // Each scrape has a second here, which is too little now and then on a busy machine; the next one follows.
    await eventually("it is up", 30, async () => {
      const { activeTargets } = await ask<{
        activeTargets: { scrapePool: string; health: string; lastError: string; labels: Record<string, string> }[];
      }>("targets");
      const backend = activeTargets.filter((target) => target.scrapePool === "backend");
      expect(backend).toMatchObject([{ health: "up", lastError: "", labels: { job: "backend" } }]);
      return true;
    });
  });

  test("keeps every sample: none dropped, none twice", async () => {
    const lost = await query(
      '{__name__=~"prometheus_target_scrapes_(sample_duplicate_timestamp|sample_out_of_order|sample_out_of_bounds|exceeded_sample_limit)_total"} > 0',
    );
    expect(lost).toEqual([]);
    // Of the last scrapes, since one that failed has none to compare.
    const of = (name: string): string => `max_over_time(${name}{job="backend"}[10s])`;
    const dropped = await query(`${of("scrape_samples_scraped")} - ${of("scrape_samples_post_metric_relabeling")}`);
    expect(dropped.map(({ value }) => value[1])).toEqual(["0"]);
  });

  test("finds the names as promtool likes them", async () => {
    const answer = await fetch(`${serviceUrl}/metrics`, { headers: { accept: "text/plain" } });
    expect(answer.status).toBe(200);
    const { stdout, stderr, error } = spawnSync(promtoolBinary, ["check", "metrics"], {
      input: await answer.text(),
      encoding: "utf8",
    });
    expect(error).toBeUndefined();
    const remarks = `${stdout}\n${stderr}`.split("\n").filter((line) => line.trim() !== "");
    // The semantic conventions fix this name.
    expect(remarks.filter((line) => !line.startsWith("db_client_connection_count "))).toEqual([]);
  });

  test("finds no more series than the budget after the demo", async () => {
    const [samples] = await query('max(max_over_time(scrape_samples_scraped{job="backend"}[10s]))');
    expect(Number(samples?.value[1])).toBeGreaterThan(50);
    expect(Number(samples?.value[1])).toBeLessThanOrEqual(1000);
    const answer = await fetch(`${serviceUrl}/metrics`, { headers: { accept: "text/plain" } });
    // A scrape that this Prometheus broke off after its second is counted too, where the machine is that busy.
    const isBrokenScrape = (line: string): boolean =>
      line.includes('http_route="/metrics"') && /error_type="client_closed"|outcome="aborted"/.test(line);
    const lines = (await answer.text()).split("\n").filter((line) => !isBrokenScrape(line));
    expectWithinBudget("afterDemo", seriesByMetric(lines.join("\n")));
  });
});
