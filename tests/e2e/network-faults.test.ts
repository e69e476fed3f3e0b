import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { causesOf, type Effect } from "../../infra/monitoring/rules/known-causes.ts";
import { ruleFiles } from "../../infra/monitoring/rules/rule-files.ts";
import { defaultPrefix } from "../../otel/api/catalogue/metric-names.ts";
import { timeScale } from "./alertmanager-process.ts";
import { databaseAway, type NetworkFault, networkFaults } from "./network-faults.ts";
import { type ServiceBehind, startServiceBehind, type Ways } from "./network-service.ts";
import { eventually } from "./processes.ts";
import { type PrometheusProcess, startPrometheus } from "./prometheus-process.ts";
import { startScratchPostgres } from "./scratch-postgres.ts";
import { startToxiproxy } from "./toxiproxy-process.ts";
import { startVersitygw } from "./versitygw-process.ts";

const folder = mkdtempSync(join(tmpdir(), "network-faults-"));
// User postgres must reach its folder below.
chmodSync(folder, 0o755);
const resources = new AsyncDisposableStack();
let databaseUrl: string;
let ways: Ways;
let service: ServiceBehind;
let prometheus: PrometheusProcess;

beforeAll(async () => {
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const postgres = resources.use(await startScratchPostgres(join(folder, "postgres")));
  const gateway = resources.use(await startVersitygw(join(folder, "buckets")));
  const toxiproxy = resources.use(await startToxiproxy());
  await gateway.createBucket("network");
  databaseUrl = await postgres.newDatabase();
  ways = {
    database: await toxiproxy.way("database", new URL(databaseUrl).host),
    storage: await toxiproxy.way("storage", new URL(gateway.endpoint).host),
  };
  service = resources.use(
    await startServiceBehind(ways, { folder, databaseUrl, env: { ...gateway.env, S3__BUCKET: "network" } }),
  );
  prometheus = await startPrometheus({
    folder: join(folder, "prometheus"),
    target: new URL(service.url).host,
    rules: ruleFiles({ prefix: defaultPrefix, timeScale }),
  });
  resources.use(prometheus.process);
});
afterAll(() => resources.disposeAsync());

const fewestCalls = 20;

/**
 * Critical ones that are pending or firing, by the committed rules whose windows are sixty times shorter. Of the burn rates
 * the quickest alone: what looks back for hours would look back over all the faults of this file.
 */
async function activeAlerts(): Promise<string[]> {
  const { alerts } = await prometheus.ask<{ alerts: { labels: Record<string, string> }[] }>("alerts");
  const told = alerts.filter(({ labels }) => labels.severity === "critical" && (labels.window ?? "1h") === "1h");
  return [...new Set(told.map(({ labels }) => labels.alertname ?? ""))].sort();
}

/** An alert, and what is told in its place. */
const toldBy = (alert: string): readonly string[] => [
  alert,
  ...(Object.hasOwn(causesOf, alert) ? causesOf[alert as Effect] : []),
];

/** Idle ones of the service. */
const sessions = async (): Promise<{ pid: number; application_name: string }[]> => {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query(
      "select pid, application_name from pg_stat_activity where application_name like 'mlops-backend%' and state = 'idle'",
    );
    return rows;
  } finally {
    await client.end();
  }
};

async function observe(fault: NetworkFault): Promise<void> {
  const way = ways[fault.way];
  await eventually("nothing is wrong before", 60, async () => {
    const relevant = new Set(fault.alerts.flatMap(toldBy));
    const active = (await activeAlerts()).filter((alert) => relevant.has(alert));
    if (active.length > 0) throw new Error(active.join(", "));
    const { status, failing } = await service.readiness();
    if (status !== 200) throw new Error(`not ready: ${failing.join(", ")}`);
    return true;
  });
  const running = await service.submitSlowRun();
  service.startTraffic();
  // All connections of the pool are in use when it begins, as they are in life.
  await eventually("traffic flows", 20, async () => (service.calls.length >= fewestCalls ? true : undefined));
  const before = service.calls.length;
  const spoiltMs = performance.now();
  const seen = new Set<string>();
  const told = new Set<string>();
  await way.spoil(...fault.toxics);
  try {
    await eventually(`${fault.alerts.join(", ")} and readiness tell of it`, 60, async () => {
      for (const alert of await activeAlerts()) seen.add(alert);
      const { failing } = await service.readiness();
      for (const part of failing) told.add(part);
      const missing = [
        ...fault.alerts.filter((alert) => !toldBy(alert).some((told) => seen.has(told))),
        ...fault.failing.filter((part) => !told.has(part)),
      ];
      if (missing.length > 0) throw new Error(`missing: ${missing.join(", ")}`);
      const lasted = performance.now() - spoiltMs >= (fault.leastSeconds ?? 0) * 1_000;
      return lasted && service.calls.length >= before + fewestCalls ? true : undefined;
    });
  } finally {
    await way.heal();
    await service.endTraffic();
  }
  const { calls } = service;

  // Every call ended, and in time: none was left hanging. A busy machine needs time of its own beside what the settings give.
  const longestSeconds = 3 * fault.longestSeconds;
  const slowest = Math.max(...calls.map(({ seconds }) => seconds));
  expect(slowest, JSON.stringify(calls.filter(({ seconds }) => seconds > longestSeconds))).toBeLessThan(longestSeconds);
  // What was not done says so by a code that a client can act on.
  const outcomes = new Map<string, number>();
  for (const { outcome } of calls) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  console.log(`${fault.name}: slowest ${slowest.toFixed(1)} s,`, Object.fromEntries(outcomes), [...seen].join(", "));
  expect([...outcomes.keys()].filter((outcome) => !fault.outcomes.test(outcome))).toEqual([]);
  const may: readonly string[] = fault.mayFail ?? [];
  expect([...told].filter((part) => !may.includes(part)).sort()).toEqual([...fault.failing].sort());

  await eventually("it is ready by itself", 20, async () =>
    (await service.readiness()).status === 200 ? true : undefined,
  );
  // Nothing of what was acknowledged before or in the fault is lost, and the run that was under way ends.
  await service.checkAcknowledged();
  await service.endOf(running);
  await service.endOf(await service.submitRun());
  expect(service.isAlive()).toBe(true);
}

describe("what the network does between the service and what it needs", () => {
  test.each(networkFaults.map((fault) => [fault.name, fault] as const))("%s", async (_name, fault) => {
    await observe(fault);
  });

  // As behind a firewall that has forgotten them: nobody closes them, and new ones work.
  test("connections to the database that die without a word are given up, each of its kind", async () => {
    const kinds = ["mlops-backend", "mlops-backend-listen", "mlops-backend-queue"];
    // Idle ones of each kind, or the test would be about fewer.
    const dead = await eventually("sessions of each kind are idle", 20, async () => {
      await service.submitRun();
      const idle = await sessions();
      return kinds.every((kind) => idle.some(({ application_name }) => application_name === kind)) ? idle : undefined;
    });
    for (const { pid } of dead) process.kill(pid, "SIGSTOP");
    try {
      service.startTraffic();
      await eventually("new sessions of each kind are there", 30, async () => {
        const living = (await sessions()).filter(({ pid }) => !dead.some((session) => session.pid === pid));
        const missing = kinds.filter((kind) => !living.some(({ application_name }) => application_name === kind));
        if (missing.length > 0) throw new Error(missing.join(", "));
        return service.calls.length >= fewestCalls ? true : undefined;
      });
      await service.endTraffic();
      expect(Math.max(...service.calls.map(({ seconds }) => seconds))).toBeLessThan(15);
      expect(service.calls.map(({ outcome }) => outcome).filter((outcome) => !databaseAway.test(outcome))).toEqual([]);
      await service.checkAcknowledged();
      // A dead one that nobody has asked yet may still be in the pool.
      await service.endOf(await eventually("a run is taken", 30, () => service.submitRun()));
    } finally {
      for (const { pid } of dead) process.kill(pid, "SIGCONT");
    }
  });
});
