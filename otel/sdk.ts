import { existsSync, readFileSync } from "node:fs";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { silentTelemetry, type Telemetry } from "./api/telemetry.ts";
import { logToStandardError } from "./export/diag-log.ts";
import { ExportLosses } from "./export/losses.ts";
import { isSent } from "./settings/metric-settings.ts";
import { resourceAttributes } from "./settings/resource.ts";
import type { TelemetrySettings } from "./settings/telemetry-settings.ts";

/** Of the application that this folder stands in. */
function versionOfApplication(): string {
  const file = new URL("../package.json", import.meta.url);
  const { version } = (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}) as { version?: string };
  return version ?? "unknown";
}

/** All that is sent at the end, together; the process has 5 s besides its grace. */
const longestFlushMs = 4_000;
/** What metrics have of it at least, which go after traces and logs. */
const leastFlushMs = 1_000;

/**
 * Starts what the settings ask for, and returns the handle: metrics, and traces and logs where an OTLP endpoint is set.
 * What is not asked for is not even loaded.
 */
export async function startTelemetry(settings: TelemetrySettings, env: NodeJS.ProcessEnv): Promise<Telemetry> {
  const losses = {
    traces: new ExportLosses("traces"),
    logs: new ExportLosses("logs"),
    metrics: new ExportLosses("metrics"),
  };
  logToStandardError(losses);
  const version = versionOfApplication();
  const resource = resourceFromAttributes(resourceAttributes(env, version));
  const role = env.SERVICE_ROLE || "all";
  const revision = env.BUILD_REVISION || "unknown";
  const opened =
    settings.metrics && (await import("./metrics-sdk.ts")).openMetrics(settings, { resource, version, role, revision });
  // Before anything that it traces is imported.
  const traces =
    settings.traces &&
    (await (
      await import("./traces/tracing.ts")
    ).startTracing(settings.traces, {
      resource,
      metricsPath: settings.metricsPath,
      losses: losses.traces,
    }));
  const logs =
    settings.logs &&
    (await (await import("./export/log-export.ts")).startLogExport(settings.logs, resource, losses.logs));
  const metrics = opened?.start({ hasExemplars: traces !== undefined && settings.metrics?.exemplars === true });
  const metricExport =
    settings.metrics && metrics && isSent(settings.metrics)
      ? await (await import("./export/metric-export.ts")).startMetricExport(settings.metrics, {
          resource,
          producer: metrics.producer,
          losses: losses.metrics,
        })
      : undefined;
  let stopping: Promise<void> | undefined;
  return {
    state: settings.metrics?.prometheus === true ? "on" : "disabled",
    render: metrics?.render ?? silentTelemetry("disabled").render,
    exportLog: logs?.write,
    attachServer: traces?.attachServer,
    shutdown: () => {
      stopping ??= (async () => {
        const beganMs = performance.now();
        await Promise.all([traces?.shutdown(), logs?.shutdown()]);
        // Last: what could not be sent is counted.
        await metricExport?.shutdown(Math.max(leastFlushMs, longestFlushMs - (performance.now() - beganMs)));
        await metrics?.shutdown();
      })();
      return stopping;
    },
  };
}
