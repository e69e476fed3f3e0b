import type { PrometheusAddress } from "../../otel/settings/prometheus-address.ts";
import type { Config } from "../settings/config.ts";
import type { ListenAddress } from "./listen.ts";

/** Where /metrics has a server of its own, by our variables or, where they are silent, by OpenTelemetry's; undefined: it is with the API. */
export function metricsAddress(config: Config, other: PrometheusAddress | undefined): ListenAddress | undefined {
  const port = config.metricsPort ?? other?.port;
  if (port === undefined) return undefined;
  return {
    port,
    setBy: config.metricsPort === undefined ? "OTEL_EXPORTER_PROMETHEUS_PORT" : "METRICS_PORT",
    host: other?.host ?? config.host,
    hostSetBy: other?.host === undefined ? "SERVICE_HOST" : "OTEL_EXPORTER_PROMETHEUS_HOST",
  };
}
