import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Arrival } from "./alert-inbox.ts";
import { type AlertingStack, startAlerting } from "./alerting-stack.ts";
import { timeScale } from "./alertmanager-process.ts";
import { type Fault, type FaultParts, faults, mayAlwaysFollow } from "./faults.ts";
import { startFaultyService } from "./faulty-service.ts";
import { eventually } from "./processes.ts";
import { type ScratchPostgres, startScratchPostgres } from "./scratch-postgres.ts";

/** Seconds from the fault to Slack, and from the repair to the end in Slack, for each alert. */
interface Times {
  readonly fault: string;
  readonly alert: string;
  readonly toPageSeconds: number;
  readonly toResolveSeconds: number;
}

const folder = mkdtempSync(join(tmpdir(), "mlops-backend-alerts-"));
// User postgres must reach its folder below.
chmodSync(folder, 0o755);
const resources = new AsyncDisposableStack();
const times: Times[] = [];
let postgres: ScratchPostgres;

beforeAll(async () => {
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  postgres = resources.use(await startScratchPostgres(join(folder, "postgres")));
});
afterAll(async () => {
  await resources.disposeAsync();
  const report = process.env.ALERT_TIMES_JSON;
  if (report !== undefined) writeFileSync(report, `${JSON.stringify({ timeScale, times }, null, 2)}\n`);
});

/** Repeats the work until it is disposed of. */
function repeated(work: () => Promise<void>): AsyncDisposable {
  let isOver = false;
  const loop = (async () => {
    while (!isOver) {
      // A fault is what it is there for: the metrics tell of it.
      await work().catch(() => new Promise((resolve) => setTimeout(resolve, 100)));
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      await loop;
    },
  };
}

/** Waits for a message about a critical alert that came after that time, by both channels. @returns the one of Slack */
async function arrival(
  { inbox, activeAlerts }: AlertingStack,
  alert: string,
  status: Arrival["status"],
  afterMs: number,
): Promise<Arrival> {
  return eventually(`${alert} is told as ${status}`, 240, async () => {
    const told = inbox.arrivals.filter(
      (each) => each.alert === alert && each.severity === "critical" && each.status === status && each.atMs > afterMs,
    );
    const slack = told.find(({ channel }) => channel === "slack");
    const email = told.find(({ channel }) => channel === "email");
    if (slack !== undefined && email !== undefined) return slack;
    const seen = inbox.arrivals.map((each) => `${each.channel}: ${each.alert} ${each.severity} ${each.status}`);
    throw new Error(`active: ${(await activeAlerts()).join(", ")}; told: ${seen.join("; ")}`);
  });
}

async function observe(fault: Fault, place: string): Promise<void> {
  await using running = new AsyncDisposableStack();
  mkdirSync(place);
  const undo = fault.prepareFolder?.(place);
  if (undo !== undefined) running.defer(undo);
  const own = fault.stopsPostgres ? running.use(await startScratchPostgres(join(place, "postgres"))) : postgres;
  const service = running.use(await startFaultyService(place, await own.newDatabase(), fault.env ?? {}));
  const stack = running.use(await startAlerting(join(place, "stack"), service.target));
  const parts: FaultParts = {
    folder: place,
    service,
    postgres: own,
    retarget: (target) => stack.prometheus.retarget(target),
  };
  await fault.prepare?.(parts);
  const { traffic } = fault;
  let isHeld = false;
  if (traffic !== undefined)
    running.use(
      repeated(async () => {
        if (isHeld) throw new Error("held");
        await traffic(parts);
      }),
    );

  isHeld = fault.isToldBeforeTraffic === true;
  const faultMs = performance.now();
  await fault.breakIt(parts);
  const pages = await Promise.all(fault.expected.map((alert) => arrival(stack, alert, "firing", faultMs)));
  for (const { text } of pages) {
    expect(text).toMatch(/<https:\/\/wiki\.example\.org\/runbooks\/\w+\.md\|Runbook>/);
    expect(text).toMatch(/<https:\/\/grafana\.example\.org\/d\/mlops-backend-\w+\|Dashboard>/);
  }
  if (isHeld) {
    isHeld = false;
    // Until the shortest window of a budget, and what it must be held for, have seen nothing but that.
    await eventually("what follows would be told", 120, async () => {
      const burnt = 'objective:errors:ratio_rate5m{objective="http_availability"} > 0.5';
      const held = await stack.prometheus.query(`count_over_time((${burnt})[1h:1s]) > 15`);
      return held.length > 0 ? true : undefined;
    });
  }
  const repairMs = performance.now();
  await fault.repair(parts);
  const ends = await Promise.all(fault.expected.map((alert) => arrival(stack, alert, "resolved", repairMs)));
  for (const [index, alert] of fault.expected.entries()) {
    times.push({
      fault: fault.name,
      alert,
      toPageSeconds: Math.round(((pages[index]?.atMs ?? 0) - faultMs) / 100) / 10,
      toResolveSeconds: Math.round(((ends[index]?.atMs ?? 0) - repairMs) / 100) / 10,
    });
  }
  if (fault.isToldBeforeTraffic === true) {
    // Nothing comes after the end: until even the half hour behind a budget of six is clean.
    await eventually("the windows have forgotten", 180, async () => {
      const seen = 'objective:errors:ratio_rate30m{objective="http_availability"} > 0.03';
      return (await stack.prometheus.query(seen)).length === 0 ? true : undefined;
    });
  }
  const may = new Set([
    ...fault.expected.flatMap((alert) => [`${alert} critical`, `${alert} warning`]),
    ...Object.keys({ ...mayAlwaysFollow, ...fault.mayFollow }),
  ]);
  const told = new Set(stack.inbox.arrivals.map(({ alert, severity }) => `${alert} ${severity}`));
  const unexpected = [...told].filter((each) => !may.has(each));
  expect(unexpected).toEqual([]);
  expect(new Set(stack.inbox.switchCalls.flat())).toEqual(new Set(["Watchdog"]));
  // Again and again, or the switch would raise the alarm.
  expect(stack.inbox.switchCalls.length).toBeGreaterThan(2);
}

describe.concurrent("people are told of this and of nothing else, and that it is over", () => {
  test.each(faults.map((fault, index) => [fault.name, fault, index] as const))(
    "%s",
    async (_name, fault, index) => {
      await observe(fault, join(folder, `fault-${index}`));
    },
    600_000,
  );
});
