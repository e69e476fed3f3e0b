import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Telemetry } from "../../../otel/api/telemetry.ts";
import { startTelemetry } from "../../../otel/sdk.ts";
import { readTelemetrySettings } from "../../../otel/settings/telemetry-settings.ts";
import {
  allowScrapeTime,
  type DeploymentState,
  registerProcessGauges,
  registerStateGauges,
} from "../../../src/monitoring/state-gauges.ts";
import { deploymentState } from "../../support/deployment-state.ts";

const gauges =
  /^mlops_backend_(datasets|storage_bytes|training_queue_jobs|training_queue_oldest_age_seconds|dataset_ttl_(?:lag|last_success|enabled|interval)\w*|files_missing)[ {]/gm;

let telemetry: Telemetry;
const ends: (() => void)[] = [];
beforeAll(async () => {
  telemetry = await startTelemetry(readTelemetrySettings({}).settings, {});
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
});
afterAll(() => telemetry.shutdown());
const scrape = async (): Promise<string> => (await telemetry.render(undefined)).body.toString();

test("figures of a database that went away are absent, not the last ones, and come back with it", async () => {
  let isThere = true;
  let nowMs = 0;
  ends.push(
    registerStateGauges(
      () => (isThere ? Promise.resolve(deploymentState) : Promise.reject(new Error("away"))),
      () => nowMs,
    ),
  );
  const there = await scrape();
  expect(there.match(gauges)).toHaveLength(14);
  expect(there).toContain("mlops_backend_state_readable 1\n");

  isThere = false;
  for (let round = 0; round < 2; round += 1) {
    nowMs += 6_000;
    const away = await scrape();
    expect(away.match(gauges)).toBeNull();
    expect(away).toContain("mlops_backend_state_readable 0\n");
  }

  isThere = true;
  nowMs += 6_000;
  expect((await scrape()).match(gauges)).toHaveLength(14);
});

test("a file system that can't be read any more has no figures, and the others of the process stay", async () => {
  let isThere = true;
  ends.push(
    registerProcessGauges({
      workerSlots: () => ({ busy: 1, idle: 2 }),
      trainingTimeoutSeconds: 600,
      filesystem: () =>
        isThere ? Promise.resolve({ availableBytes: 1, sizeBytes: 2 }) : Promise.reject(new Error("hangs")),
      connections: () => ({ idle: 1, used: 0, max: 1, pending: 0 }),
    }),
  );
  expect(await scrape()).toContain("mlops_backend_storage_filesystem_available_bytes 1\n");
  isThere = false;
  const away = await scrape();
  expect(away).not.toMatch(/^mlops_backend_storage_filesystem/m);
  expect(away).toContain('mlops_backend_training_worker_slots{state="busy"} 1\n');
});

test("a scrape that allows itself no time leaves the reading its least", async () => {
  const slow = async (): Promise<DeploymentState> => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return deploymentState;
  };
  ends.push(registerStateGauges(slow));
  try {
    allowScrapeTime("0.0001");
    expect(await scrape()).toContain("mlops_backend_state_readable 1\n");
  } finally {
    allowScrapeTime(undefined);
  }
});
