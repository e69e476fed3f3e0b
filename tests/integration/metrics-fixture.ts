// Started by metrics-toggles.test.ts as a process of its own: an application with /metrics, as src/main.ts mounts it.
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import express from "express";
import { attachRouteAccessor } from "../../otel/api/route-template.ts";
import { telemetryHandle } from "../../otel/api/telemetry.ts";
import { readTelemetrySettings } from "../../otel/settings/telemetry-settings.ts";
import { watchClientErrors } from "../../src/http/client-errors.ts";
import { createMetricsServer, mountMetrics } from "../../src/http/metrics-endpoint.ts";
import { declareRoutes } from "../../src/monitoring/metrics.ts";
import { registerProcessGauges, registerStateGauges } from "../../src/monitoring/state-gauges.ts";
import { deploymentState } from "../support/deployment-state.ts";

const telemetry = telemetryHandle();
const { settings } = readTelemetrySettings(process.env);
const app = express();
attachRouteAccessor(app);
const endpoint = { path: settings.metricsPath, bearerToken: process.env.METRICS_BEARER_TOKEN ?? "", telemetry };
mountMetrics(app, endpoint);
declareRoutes((process.env.FIXTURE_ROUTES ?? "/metrics").split(","));

let statementsInHand = 0;
registerStateGauges(async (timeoutMs) => {
  if (process.env.FIXTURE_STATE === "away") throw new Error(`database away (${timeoutMs})`);
  statementsInHand += 4;
  await delay(1);
  statementsInHand -= 4;
  return deploymentState;
});
registerProcessGauges({
  workerSlots: () => ({ busy: 0, idle: 1 }),
  trainingTimeoutSeconds: 600,
  filesystem: () => Promise.resolve({ availableBytes: 1, sizeBytes: 2 }),
  connections: () => ({ idle: 1, used: 0, max: 1, pending: Math.max(0, statementsInHand - 1) }),
});

// A thread inherits --import; it must not start telemetry of its own.
const thread = new Worker(
  'require("node:worker_threads").parentPort.postMessage(Symbol.for("mlops-backend.telemetry") in globalThis)',
  { eval: true },
);
const threadHasTelemetry = await new Promise((resolve) => thread.once("message", resolve));

const server = app.listen(0, "127.0.0.1", () => {
  const metricsServer = createMetricsServer(endpoint);
  const ready = (metricsPort?: number) =>
    process.send?.({
      port: (server.address() as AddressInfo).port,
      metricsPort,
      threadHasTelemetry,
      state: telemetry?.state,
      sdkLoaded: sdkIsLoaded(),
    });
  if (metricsServer === undefined) return ready();
  metricsServer.listen(0, "127.0.0.1", () => ready((metricsServer.address() as AddressInfo).port));
});
watchClientErrors(server);

/** Whether the SDK's meter provider is registered, which only the SDK does. */
function sdkIsLoaded(): boolean {
  const api = (globalThis as Record<symbol, { metrics?: unknown } | undefined>)[Symbol.for("opentelemetry.js.api.1")];
  return api?.metrics !== undefined;
}

process.on("message", () => {
  (telemetry?.shutdown() ?? Promise.resolve()).then(() => process.exit(0));
});
