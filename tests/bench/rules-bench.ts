import { execFileSync } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { objectiveKeys } from "../../infra/monitoring/objectives.ts";
import { durationSeconds } from "../../infra/monitoring/queries/promql-tree.ts";
import { recordedSeries } from "../../infra/monitoring/queries/recorded-series.ts";
import { ruleFiles, ruleGroups } from "../../infra/monitoring/rules/rule-files.ts";
import { defaultPrefix } from "../../otel/api/catalogue/metric-names.ts";
import { startPrometheus } from "../e2e/prometheus-process.ts";
import { figure, type Line } from "./figures.ts";
import { expectJson, send, upload } from "./http-client.ts";
import { MeasuredProcess } from "./measured-process.ts";

const days = 30;
/** Between two samples of the service over those days … */
const secondsApart = 60;
/** … and within the last one, as a scrape writes them: no rule reads farther back than a day of the service's own. */
const recentDays = 1;
/** What a day of different callers leaves of each route: these decide what the rules of HTTP cost. */
const statuses = ["200", "404", "500"];
/** Between two rounds, and between two scrapes. */
const roundSeconds = 15;
/** Between two samples of what is recorded for the long windows (infra/monitoring/rules/objective-rules.ts). */
const slotSeconds = 300;

interface Group {
  readonly name: string;
  readonly evaluationTime: number;
  readonly rules: readonly { readonly name: string; readonly health: string; readonly evaluationTime: number }[];
}

/** Every name that a rule asks for. */
function namesThatRulesRead(): Set<string> {
  const rules = [...ruleGroups({ prefix: defaultPrefix, timeScale: 1 }).values()]
    .flat()
    .flatMap((group) => group.rules);
  return new Set(rules.flatMap(({ expr }) => String(expr).match(/[a-zA-Z_:][a-zA-Z0-9_:]*/g) ?? []));
}

/** The series of a service that has been used: what its rules read, as `name{labels}`. */
async function seriesOfService(folder: string, names: ReadonlySet<string>): Promise<string[]> {
  await using service = await MeasuredProcess.start(["--import", "./otel/register", "src/main.ts"], {
    SERVICE_PORT: "0",
    DATA_DIR: join(folder, "data"),
    LOG_LEVEL: "info",
    SHUTDOWN_GRACE_SECONDS: "1",
  });
  const api = `${service.url}/api/ml/v1`;
  const rows = Array.from({ length: 40 }, (_, row) => `${row},${row % 7},${row % 2 === 0 ? "x" : "y"}`);
  const dataset = await upload(`${api}/datasets/upload`, Buffer.from(`a,b,target\n${rows.join("\n")}\n`), "rules");
  const json = { "content-type": "application/json" };
  const body = JSON.stringify({ datasetId: dataset.id, mode: "light" });
  const run = await expectJson(202, "POST", `${api}/training-runs`, body, json);
  for (const path of ["datasets", "training-runs", "artifacts", `training-runs/${String(run.id)}`, "nothing"])
    await send("GET", `${api}/${path}`);
  const { text } = await send("GET", `${service.url}/metrics`);
  const series = text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.slice(0, line.lastIndexOf(" ")));
  const routes = new Set(series.flatMap((one) => /http_route="([^"]*)"/.exec(one)?.[1] ?? []));
  const duration = "http_server_request_duration_seconds";
  const durations = [...routes].flatMap((route) =>
    statuses.flatMap((status) => {
      const labels = `http_request_method="GET",url_scheme="http",http_route="${route}",http_response_status_code="${status}",error_type="${status === "500" ? "500" : ""}"`;
      // Of the buckets rules read one bound.
      return [`${duration}_count{${labels}}`, `${duration}_bucket{${labels},le="0.5"}`];
    }),
  );
  const others = series.filter((one) => names.has(one.split("{", 1)[0]!) && !one.startsWith(duration));
  return [...others, ...durations];
}

const groupsInProduction = [...ruleGroups({ prefix: defaultPrefix, timeScale: 1 }).values()].flat();

/** All rules, each evaluated in every round, so that each can be timed. */
function rulesOfEveryRound(): ReadonlyMap<string, string> {
  const files = ruleFiles({ prefix: defaultPrefix, timeScale: 1 });
  return new Map([...files].map(([name, text]) => [name, text.replaceAll(/^\s+interval: .*\n/gm, "")]));
}

/** How much of one evaluation of that group falls on a round: those of the long windows come every few minutes. */
function shareOfRound(name: string): number {
  const interval = groupsInProduction.find((group) => group.name === name)?.interval;
  return interval === undefined ? 1 : roundSeconds / (durationSeconds(interval) ?? roundSeconds);
}

const withLabels = (series: string, labels: string): string =>
  series.includes("{") ? series.replace(/\}$/, `,${labels}}`) : `${series}{${labels}}`;

/** The times of a series' samples over 30 days, until now. */
function* timesOf(everySeconds: number, recentSeconds: number): Generator<number> {
  const end = Math.floor(Date.now() / 1000 / everySeconds) * everySeconds;
  const recent = end - recentDays * 86_400;
  for (let time = end - days * 86_400; time < recent; time += everySeconds) yield time;
  for (let time = recent; time <= end; time += recentSeconds) yield time;
}

/** Those of the service, lately as dense as scrapes; of what is recorded for the long windows, one each five minutes. */
function* samples(series: readonly string[], recorded: readonly string[]): Generator<string> {
  for (const each of [...series.map((one) => withLabels(one, 'job="backend",instance="backend:8000"')), ...recorded]) {
    const grows = /^[a-z_]+_(total|count|sum|bucket)\{/.test(each);
    const recordedValue = each.includes(":total:") ? 50 : 0;
    const times = /:increase5m\{/.test(each) ? timesOf(slotSeconds, slotSeconds) : timesOf(secondsApart, roundSeconds);
    let text = "";
    let index = 0;
    for (const time of times) {
      text += `${each} ${grows ? index * 10 : recordedValue} ${time}\n`;
      index += 1;
      if (index % 10_000 === 0) {
        yield text;
        text = "";
      }
    }
    yield text;
  }
  yield "# EOF\n";
}

/**
 * What one round of all rules costs a Prometheus that holds 30 days of what they read; by `--only rules`, with
 * PROMETHEUS_BIN and PROMTOOL_BIN.
 */
export async function benchRules(rounds: number): Promise<Line[]> {
  const folder = await mkdtemp(join(tmpdir(), "mlops-rules-"));
  try {
    const names = namesThatRulesRead();
    const series = await seriesOfService(folder, names);
    const recorded = Object.keys(recordedSeries)
      .filter((name) => names.has(name))
      .flatMap((name) => objectiveKeys.map((key) => `${name}{job="backend",objective="${key}"}`));
    const text = join(folder, "history.om");
    await pipeline(Readable.from(samples(series, recorded)), createWriteStream(text));
    const prometheusFolder = join(folder, "prometheus");
    mkdirSync(join(prometheusFolder, "tsdb"), { recursive: true });
    // Three days a block, as Prometheus itself makes of blocks of two hours.
    const parameters = ["--quiet", "--max-block-duration=72h", "openmetrics", text, join(prometheusFolder, "tsdb")];
    execFileSync(process.env.PROMTOOL_BIN ?? "promtool", ["tsdb", "create-blocks-from", ...parameters], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    await rm(text);
    const prometheus = await startPrometheus({
      folder: prometheusFolder,
      target: "127.0.0.1:9",
      rules: rulesOfEveryRound(),
    });
    await using _process = prometheus.process;
    const measured: number[] = [];
    const slowest = new Map<string, number[]>();
    // A group is evaluated once a second; the first evaluations fill caches.
    await delay(20_000);
    for (let round = 0; round < rounds * 5; round += 1) {
      await delay(1_500);
      const { groups } = await prometheus.ask<{ groups: Group[] }>("rules");
      const rules = groups.flatMap((group) => group.rules);
      const broken = rules.find(({ health }) => health !== "ok");
      if (broken !== undefined) throw new Error(`${broken.name} was not evaluated`);
      const costs = groups.map(
        ({ name, evaluationTime }) => [name, evaluationTime * 1_000 * shareOfRound(name)] as const,
      );
      measured.push(costs.reduce((sum, [, cost]) => sum + cost, 0));
      for (const { name, evaluationTime } of groups)
        slowest.set(name, [...(slowest.get(name) ?? []), evaluationTime * 1_000]);
    }
    const ranked = [...slowest].map(([name, values]) => [name, figure(values)] as const);
    ranked.sort(([, a], [, b]) => b.median - a.median);
    return [
      {
        what: `a round of all rules over ${days} days, ${series.length} + ${recorded.length} series, the last ${recentDays * 24} h ${roundSeconds} s apart`,
        unit: "ms",
        figure: figure(measured),
        atMost: 100,
      },
      ...ranked.slice(0, 5).map(([name, of]) => ({ what: `one evaluation of ${name}`, unit: "ms", figure: of })),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
