import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runbooksNowhere } from "../../infra/monitoring/rules/alert.ts";
import { type AlertInbox, type Arrival, openAlertInbox } from "./alert-inbox.ts";
import { type AlertmanagerProcess, startAlertmanager } from "./alertmanager-process.ts";
import { eventually } from "./processes.ts";

type Labels = Record<string, string>;

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-alertmanager-"));
const resources = new AsyncDisposableStack();
let inbox: AlertInbox;
let alertmanager: AlertmanagerProcess;

beforeAll(async () => {
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  inbox = resources.use(await openAlertInbox());
  alertmanager = await startAlertmanager(folder, inbox);
  resources.use(alertmanager.process);
});
afterAll(() => resources.disposeAsync());

const send = (...alerts: Labels[]): Promise<void> => sendLinked("https://example.org", ...alerts);

/** Sends alerts as Prometheus would, with their runbooks at this address. */
async function sendLinked(runbooks: string, ...alerts: Labels[]): Promise<void> {
  const body = alerts.map((labels) => ({
    labels,
    annotations: {
      summary: `Summary of ${labels.alertname}.`,
      description: "5 < 6 & more",
      runbook_url: `${runbooks}/${labels.alertname}.md`,
      dashboard_url: "/d/mlops-backend-overview",
    },
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 600_000).toISOString(),
  }));
  const answer = await fetch(`http://${alertmanager.address}/api/v2/alerts`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
}

/** Waits until exactly these of a job's alerts are silenced; Alertmanager learns of what silences them a little later. */
async function expectSilenced(job: string, count: number, expected: readonly string[]): Promise<void> {
  await eventually(`of ${job} ${expected.join(", ")} are silenced`, 30, async () => {
    const answer = await fetch(`http://${alertmanager.address}/api/v2/alerts?filter=job%3D%22${job}%22`);
    const alerts = (await answer.json()) as { labels: Labels; status: { state: string } }[];
    const silenced = alerts
      .filter(({ status }) => status.state === "suppressed")
      .map(({ labels }) => [labels.alertname, labels.instance, labels.severity].filter(Boolean).join(" "))
      .sort();
    if (alerts.length === count && silenced.join() === expected.join()) return true;
    throw new Error(`${alerts.length} alerts, silenced: ${silenced.join(", ")}`);
  });
}

const arrivalsOf = (alert: string): Arrival[] => inbox.arrivals.filter((arrival) => arrival.alert === alert);
const critical = (alertname: string, job: string, more: Labels = {}): Labels => ({
  alertname,
  job,
  severity: "critical",
  ...more,
});

describe("what silences what", () => {
  test("one target of several that is down: its own symptoms, and neither those of another nor of the deployment", async () => {
    await send(
      critical("BackendTargetDown", "one", { instance: "a" }),
      critical("StateUnreadable", "one", { instance: "a" }),
      critical("StateUnreadable", "one", { instance: "b" }),
      critical("DatasetTtlStopped", "one"),
      critical("TrainingQueueStalled", "one"),
      critical("TrainingWorkersMissing", "one"),
    );
    // That the queue stands still is TrainingWorkersMissing's doing.
    await expectSilenced("one", 6, ["StateUnreadable a critical", "TrainingQueueStalled critical"]);
  });

  test("all targets that are down: what the deployment lacks, too, but of no other job", async () => {
    await send(
      critical("BackendTargetDown", "down", { instance: "a" }),
      critical("BackendTargetDown", "down", { targets: "all" }),
      critical("StateUnreadable", "down", { instance: "a" }),
      critical("StateUnreadable", "down", { instance: "b" }),
      critical("TrainingWorkersMissing", "down"),
      critical("FilesMissing", "down"),
      critical("HttpAvailabilityBudgetBurn", "down", { objective: "http_availability" }),
    );
    await expectSilenced("down", 7, [
      // Of one dead process, too, there is one paragraph.
      "BackendTargetDown a critical",
      "StateUnreadable a critical",
      "TrainingWorkersMissing critical",
    ]);
    await send(critical("TrainingWorkersMissing", "other"));
    await expectSilenced("other", 1, []);
    await send(critical("BackendTargetMissing", "missing"), critical("DatasetTtlStopped", "missing"));
    await expectSilenced("missing", 2, ["DatasetTtlStopped critical"]);
  });

  test("critical: warning and ticket of the same objective", async () => {
    await send(
      critical("HttpLatencyBudgetBurn", "objective", { objective: "http_latency", window: "1h" }),
      critical("HttpLatencyBudgetBurn", "objective", { objective: "http_latency", window: "6h" }),
      { alertname: "HttpLatencyBudgetBurn", job: "objective", severity: "warning", objective: "http_latency" },
      { alertname: "TrainingStartBudgetBurn", job: "objective", severity: "warning", objective: "training_start" },
      { alertname: "SeriesLimitNear", job: "objective", severity: "warning" },
    );
    await expectSilenced("objective", 5, ["HttpLatencyBudgetBurn warning"]);
  });

  test("a database that is away: that statements wait for it, of that process alone", async () => {
    const waits = (instance: string): Labels => ({
      ...{ alertname: "DatabasePoolSaturated", job: "away", severity: "warning" },
      instance,
    });
    await send(critical("StateUnreadable", "away", { instance: "a" }), waits("a"), waits("b"));
    await expectSilenced("away", 3, ["DatabasePoolSaturated a warning"]);
  });

  test("no worker: that the queue stands still and grows", async () => {
    const grows = { alertname: "TrainingQueueBacklog", job: "workers", severity: "warning" };
    await send(critical("TrainingWorkersMissing", "workers"), critical("TrainingQueueStalled", "workers"), grows);
    await expectSilenced("workers", 3, ["TrainingQueueBacklog warning", "TrainingQueueStalled critical"]);
  });

  test("a disk that is full: that it is nearly full", async () => {
    const of = (reason: string, severity: string): Labels => ({
      ...{ alertname: "StorageNearlyFull", job: "disk", severity },
      reason,
    });
    await send(of("full", "critical"), of("share", "critical"), of("prediction", "warning"));
    await expectSilenced("disk", 3, ["StorageNearlyFull critical", "StorageNearlyFull warning"]);
  });

  test("expiry that has stopped: that it lags and fails", async () => {
    const of = (alertname: string): Labels => ({ alertname, job: "ttl", severity: "warning" });
    await send(critical("DatasetTtlStopped", "ttl"), of("DatasetTtlLagging"), of("DatasetTtlFailing"));
    await expectSilenced("ttl", 3, ["DatasetTtlFailing warning", "DatasetTtlLagging warning"]);
  });
});

describe("messages", () => {
  test.each([
    ["critical", ["email", "slack"]],
    ["warning", ["slack"]],
    ["ticket", ["email"]],
    ["of nobody's list", ["slack"]],
  ])("%s goes to %j", async (severity, channels) => {
    const alert = `To${severity.replaceAll(/\W/g, "")}`;
    await send({ alertname: alert, job: "routes", severity });
    await eventually(`${alert} arrives`, 30, async () =>
      arrivalsOf(alert).length >= channels.length ? true : undefined,
    );
    expect(
      arrivalsOf(alert)
        .map(({ channel }) => channel)
        .sort(),
    ).toEqual(channels);
  });

  test("several targets that are down are one message, which leads on", async () => {
    await send(critical("TwoDown", "group", { instance: "a" }), critical("TwoDown", "group", { instance: "b" }));
    await eventually("both arrive", 30, async () => (arrivalsOf("TwoDown").length >= 2 ? true : undefined));
    const [slack, email] = (["slack", "email"] as const).map((channel) =>
      arrivalsOf("TwoDown").filter((arrival) => arrival.channel === channel),
    );
    expect([slack?.length, email?.length]).toEqual([1, 1]);
    const lines = slack?.[0]?.text ?? "";
    expect(lines).toContain("*Summary of TwoDown.* instance=a\n5 &lt; 6 &amp; more\n");
    expect(lines).toContain("*Summary of TwoDown.* instance=b\n");
    expect(lines).toContain(
      "<https://example.org/TwoDown.md|Runbook> · <https://grafana.example.org/d/mlops-backend-overview|Dashboard>",
    );
    const mail = (email?.[0]?.text ?? "").replaceAll("=3D", "=");
    expect(mail).toContain("Runbook: https://example.org/TwoDown.md");
    expect(mail).toContain("Dashboard: https://grafana.example.org/d/mlops-backend-overview");
    expect(mail).toContain('<a href="https://grafana.example.org/d/mlops-backend-overview">Dashboard</a>');
    expect(mail).toContain("5 &lt; 6 &amp; more");
  });

  test("lead to the runbook where it is read here, though the committed rules know no place", async () => {
    await sendLinked(runbooksNowhere, critical("NoPlaceYet", "runbook"));
    await eventually("it arrives", 30, async () => (arrivalsOf("NoPlaceYet").length >= 2 ? true : undefined));
    const textOf = (channel: Arrival["channel"]) =>
      (arrivalsOf("NoPlaceYet").find((arrival) => arrival.channel === channel)?.text ?? "").replaceAll("=3D", "=");
    const here = "https://wiki.example.org/runbooks/NoPlaceYet.md";
    expect(textOf("slack")).toContain(`<${here}|Runbook>`);
    expect(textOf("email")).toContain(`Runbook: ${here}`);
    expect(textOf("email")).toContain(`<a href="${here}">Runbook</a>`);
  });

  test("of Watchdog go to the dead-man's switch alone", async () => {
    await send({ alertname: "Watchdog", severity: "none" });
    await eventually("the switch is called twice", 30, async () => (inbox.switchCalls.length > 1 ? true : undefined));
    expect(new Set(inbox.switchCalls.flat())).toEqual(new Set(["Watchdog"]));
    expect(arrivalsOf("Watchdog")).toEqual([]);
  });
});
