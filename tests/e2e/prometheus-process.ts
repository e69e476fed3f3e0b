import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { freePort } from "../support/free-port.ts";
import { OwnProcess, root } from "./processes.ts";

/** A series of an instant query. */
export interface Series {
  readonly metric: Record<string, string>;
  readonly value: [number, string];
}

/** A real Prometheus with the committed configuration, but quicker and with a test's addresses. */
export interface PrometheusProcess {
  readonly process: OwnProcess;
  readonly url: string;
  /** What `/api/v1/<path>` answers. */
  ask<Data>(path: string): Promise<Data>;
  /** The series that an expression gives now. */
  query(expression: string): Promise<Series[]>;
  /** Lets it ask another host:port for the metrics of the service. */
  retarget(target: string): void;
}

/** What a test says of its Prometheus. */
export interface PrometheusOptions {
  /** Configuration and data go here. */
  readonly folder: string;
  /** host:port of the service. */
  readonly target: string;
  /** host:port, of one or of several; without any nobody is told of alerts. */
  readonly alertmanager?: string | readonly string[];
  /** Its name among those that watch the same: then it has the labels of remote-write.example.yml. */
  readonly replica?: string;
  /** Base address of a Prometheus that takes what that example lets pass. */
  readonly longTermStore?: string;
  /** Rule files by name; without them the committed ones are read. */
  readonly rules?: ReadonlyMap<string, string>;
}

interface Configuration {
  readonly global: Record<string, unknown>;
  readonly alerting: { alertmanagers: object[]; alert_relabel_configs?: object[] };
  remote_write?: ({ url: string } & Record<string, unknown>)[];
  readonly scrape_configs: ({ job_name: string } & Record<string, unknown>)[];
}

/** Every second, and with addresses instead of the names of Compose. */
function adapted(text: string, ownAddress: string, alertmanager: PrometheusOptions["alertmanager"]): string {
  const configuration = parse(text) as Configuration;
  Object.assign(configuration.global, { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" });
  const known = [{ targets: [alertmanager ?? []].flat() }];
  configuration.alerting.alertmanagers = [{ static_configs: known }];
  for (const job of configuration.scrape_configs) {
    if (job.job_name === "backend") delete job.dns_sd_configs;
    if (job.job_name === "prometheus") job.static_configs = [{ targets: [ownAddress] }];
    if (job.job_name === "alertmanager") {
      delete job.dns_sd_configs;
      job.static_configs = known;
    }
  }
  return stringify(configuration);
}

/** The configuration with the committed example taken over, as docs/operations.md says; this store asks for no token. */
function withExample(text: string, exampleText: string, replica: string, store: string | undefined): string {
  const configuration = parse(text) as Configuration;
  const example = parse(exampleText) as Configuration & { global: { external_labels: Record<string, string> } };
  Object.assign(configuration.global, { external_labels: { ...example.global.external_labels, replica } });
  Object.assign(configuration.alerting, example.alerting);
  const remoteWrite = (example.remote_write ?? []).map(({ authorization, ...each }) => ({
    ...each,
    url: `${store}/api/v1/write`,
  }));
  return stringify(store === undefined ? configuration : { ...configuration, remote_write: remoteWrite });
}

/** Starts Prometheus on a free port. Its own address and the target's are the only ones that it asks. */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusProcess> {
  const { folder, target, alertmanager, rules, replica, longTermStore } = options;
  const address = `127.0.0.1:${await freePort()}`;
  cpSync(join(root, "infra/monitoring/prometheus"), folder, { recursive: true });
  const file = join(folder, "prometheus.yml");
  const quick = adapted(readFileSync(file, "utf8"), address, alertmanager);
  const example = readFileSync(join(folder, "remote-write.example.yml"), "utf8");
  writeFileSync(file, replica === undefined ? quick : withExample(quick, example, replica, longTermStore));
  mkdirSync(join(folder, "rules"), { recursive: true });
  for (const [name, text] of rules ?? []) writeFileSync(join(folder, "rules", name), text);
  const targets = join(folder, "targets/backend.json");
  const committed = readFileSync(targets, "utf8");
  const retarget = (now: string): void => writeFileSync(targets, committed.replace("backend:8000", now));
  retarget(target);
  const prometheus = new OwnProcess(process.env.PROMETHEUS_BIN ?? "prometheus", [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "tsdb")}`,
    `--web.listen-address=${address}`,
    "--enable-feature=exemplar-storage,created-timestamp-zero-ingestion",
    // An alert that is over or new is sent again at once, not after a minute.
    "--rules.alert.resend-delay=1s",
    // Targets are known after a second, not after five: with short rules, that would be a target that is missing.
    "--scrape.discovery-reload-interval=1s",
  ]);
  const ask = async <Data>(path: string): Promise<Data> => {
    const answer = await fetch(`http://${address}/api/v1/${path}`);
    const body = (await answer.json()) as { status: string; error?: string; data: Data };
    if (body.status !== "success") throw new Error(`${path}: ${body.error}`);
    return body.data;
  };
  return {
    process: prometheus,
    url: `http://${address}`,
    ask,
    retarget,
    query: async (expression) =>
      (await ask<{ result: Series[] }>(`query?${new URLSearchParams({ query: expression })}`)).result,
  };
}
