import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";
import { eventually, OwnProcess } from "./processes.ts";

/** A series of an answer. */
export interface Series {
  readonly metric: Record<string, string>;
  readonly value: [number, string];
  /** Of a range. */
  readonly values?: [number, string][];
}

/** Asks for an expression, as it was at a time or is now. */
export type Query = (expression: string, atSeconds?: number) => Promise<Series[]>;

/** What is scraped, and in which of the two formats. */
export interface Job {
  readonly name: string;
  readonly targets: readonly string[];
  readonly protocol: "OpenMetricsText1.0.0" | "PrometheusText0.0.4";
}

/** A Prometheus without the committed configuration, that scrapes each second; returns how to ask it. With a port of its own it takes OTLP there. */
export async function startPlainPrometheus(
  resources: AsyncDisposableStack,
  jobs: readonly Job[],
  features: readonly string[],
  otlpPort?: number,
): Promise<Query> {
  const folder = mkdtempSync(join(tmpdir(), "mlops-backend-values-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const configuration = {
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: jobs.map(({ name, targets, protocol }) => ({
      job_name: name,
      scrape_protocols: [protocol],
      static_configs: [{ targets }],
    })),
  };
  const file = join(folder, "prometheus.yml");
  writeFileSync(file, JSON.stringify(configuration)); // JSON is YAML.
  const port = otlpPort ?? (await freePort());
  resources.use(
    new OwnProcess(process.env.PROMETHEUS_BIN ?? "prometheus", [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, "tsdb")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...features.map((feature) => `--enable-feature=${feature}`),
      ...(otlpPort === undefined ? [] : ["--web.enable-otlp-receiver"]),
    ]),
  );
  return async (expression, atSeconds) => {
    const parameters = new URLSearchParams({ query: expression });
    if (atSeconds !== undefined) parameters.set("time", String(atSeconds));
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?${parameters}`);
    const body = (await answer.json()) as { status: string; error?: string; data: { result: Series[] } };
    if (body.status !== "success") throw new Error(`${expression}: ${body.error}`);
    return body.data.result;
  };
}

/** Waits until every target has answered so many scrapes that began after now. @returns now, in seconds */
export async function moreScrapes(query: Query, targets: number, times: number): Promise<number> {
  const now = Date.now() / 1000;
  await eventually(`${times} more scrapes`, 60, async () => {
    // The samples themselves: `timestamp(up == 1)` is the time of the query, not of the scrape.
    const scrapes = (await query("up[10m]")).map(({ values = [] }) =>
      values.filter(([scrapedAt, isUp]) => scrapedAt > now && isUp === "1"),
    );
    return scrapes.filter(({ length }) => length >= times).length >= targets ? true : undefined;
  });
  return now;
}
