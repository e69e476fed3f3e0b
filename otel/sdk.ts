import { existsSync, readFileSync } from "node:fs";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { silentTelemetry, type Telemetry } from "./api/telemetry.ts";
import { logToStandardError } from "./export/diag-log.ts";
import { ExportLosses } from "./export/losses.ts";
import { resourceAttributes } from "./settings/resource.ts";
import type { TelemetrySettings } from "./settings/telemetry-settings.ts";

/** Of the application that this folder stands in. */
function versionOfApplication(): string {
  const file = new URL("../package.json", import.meta.url);
  const { version } = (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}) as { version?: string };
  return version ?? "unknown";
}

/**
 * Starts what the settings ask for, and returns the handle: metrics, and traces and logs where an OTLP endpoint is set.
 * What is not asked for is not even loaded.
 */
export async function startTelemetry(settings: TelemetrySettings, env: NodeJS.ProcessEnv): Promise<Telemetry> {
  const losses = { traces: new ExportLosses("traces"), logs: new ExportLosses("logs") };
  logToStandardError(losses);
  const version = versionOfApplication();
  const resource = resourceFromAttributes(resourceAttributes(env, version));
  const role = env.SERVICE_ROLE || "all";
  const revision = env.BUILD_REVISION || "unknown";
  const opened = settings.metrics
    ? (await import("./metrics-sdk.ts")).openMetrics(settings, { resource, version, role, revision })
    : undefined;
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
    settings.logs && (await import("./export/log-export.ts")).startLogExport(settings.logs, resource, losses.logs);
  const metrics = opened?.start({ hasExemplars: traces !== undefined });
  let stopping: Promise<void> | undefined;
  return {
    state: metrics === undefined ? "disabled" : "on",
    render: metrics?.render ?? silentTelemetry("disabled").render,
    exportLog: logs?.write,
    attachServer: traces?.attachServer,
    shutdown: () => {
      stopping ??= (async () => {
        await Promise.all([traces?.shutdown(), logs?.shutdown()]);
        // Last: what could not be sent is counted.
        await metrics?.shutdown();
      })();
      return stopping;
    },
  };
}
