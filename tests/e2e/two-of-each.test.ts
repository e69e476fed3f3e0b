import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { freePort } from "../support/free-port.ts";
import { type AlertInbox, openAlertInbox } from "./alert-inbox.ts";
import { type AlertmanagerProcess, startAlertmanager } from "./alertmanager-process.ts";
import { eventually } from "./processes.ts";
import { type PrometheusProcess, startPrometheus } from "./prometheus-process.ts";

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-two-of-each-"));
const resources = new AsyncDisposableStack();
resources.defer(() => rmSync(folder, { recursive: true, force: true }));
afterAll(() => resources.disposeAsync());

/** How long an Alertmanager waits for the one before it to have told; 15 s by default. */
const peerTimeoutSeconds = 3;
/** Nobody listens there; asked for it, each Prometheus knows the second fault. */
const nobody = "127.0.0.1:10";
const alert = (name: string, expr: string): object => ({
  alert: name,
  expr,
  labels: { severity: "critical", job: "backend" },
  annotations: { summary: name, description: name, runbook_url: "https://wiki.example.org" },
});
const faults = stringify({
  groups: [
    {
      name: "faults",
      rules: [alert("FirstFault", "vector(1)"), alert("SecondFault", `group(up{instance="${nobody}"})`)],
    },
  ],
});

let inbox: AlertInbox;
let alertmanagers: AlertmanagerProcess[];
let watching: PrometheusProcess[];

interface Alert {
  readonly labels: Record<string, string>;
}
const ofAlertmanager = async <Answer>({ address }: AlertmanagerProcess, path: string): Promise<Answer> =>
  (await fetch(`http://${address}/api/v2/${path}`)).json() as Promise<Answer>;
const told = (name: string): number =>
  inbox.arrivals.filter(({ channel, alert }) => channel === "slack" && alert === name).length;

beforeAll(async () => {
  inbox = resources.use(await openAlertInbox());
  const gossip = [await freePort(), await freePort()];
  const peers = gossip.map((port) => `--cluster.peer=127.0.0.1:${port}`);
  alertmanagers = await Promise.all(
    gossip.map((port, index) =>
      startAlertmanager(join(folder, `alertmanager-${index}`), inbox, [
        `--cluster.listen-address=127.0.0.1:${port}`,
        ...peers,
        `--cluster.peer-timeout=${peerTimeoutSeconds}s`,
        "--cluster.settle-timeout=2s",
      ]),
    ),
  );
  for (const { process } of alertmanagers) resources.use(process);
  await eventually("each knows the other", 30, async () => {
    const known = await Promise.all(
      alertmanagers.map((each) => ofAlertmanager<{ cluster: { peers: unknown[] } }>(each, "status")),
    );
    return known.every(({ cluster }) => cluster.peers.length === 2) || undefined;
  });
  watching = await Promise.all(
    ["a", "b"].map((replica) =>
      startPrometheus({
        folder: join(folder, `prometheus-${replica}`),
        target: "127.0.0.1:9",
        alertmanager: alertmanagers.map(({ address }) => address),
        replica,
        rules: new Map([["faults.yml", faults]]),
      }),
    ),
  );
  for (const { process } of watching) resources.use(process);
});

test("two Prometheus and two Alertmanagers tell of a fault once", async () => {
  await eventually("somebody is told", 60, async () => told("FirstFault") > 0 || undefined);
  for (const [index, each] of alertmanagers.entries()) {
    // Who has not told may have heard of it later than who has.
    const alerts = await eventually(`Alertmanager ${index} knows it`, 30, async () => {
      const known = await ofAlertmanager<Alert[]>(each, 'alerts?filter=alertname="FirstFault"');
      return known.length > 0 ? known : undefined;
    });
    // Of both Prometheus, and one alert: nothing says which of them sent it.
    expect(alerts.map(({ labels }) => labels)).toEqual([
      { alertname: "FirstFault", cluster: "production", job: "backend", severity: "critical" },
    ]);
  }
  // Each knows it of itself once it has scraped itself, which may be after the page.
  for (const [index, each] of watching.entries())
    await eventually(`Prometheus ${index} sends to both Alertmanagers`, 30, async () => {
      const [discovered] = await each.query("prometheus_notifications_alertmanagers_discovered");
      return discovered?.value[1] === "2" || undefined;
    });
  // By then the second one would have told it, too.
  await pause(2 * peerTimeoutSeconds * 1000);
  expect(told("FirstFault")).toBe(1);
});

test("one Alertmanager and one Prometheus are enough", async () => {
  await alertmanagers[0]?.process.kill();
  await watching[0]?.process.kill();
  for (const each of watching) each.retarget(nobody);
  await eventually("somebody is told", 60, async () => told("SecondFault") > 0 || undefined);
  await pause(2 * peerTimeoutSeconds * 1000);
  expect(told("SecondFault")).toBe(1);
});
