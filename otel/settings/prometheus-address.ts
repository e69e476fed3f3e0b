import type { variableReader } from "./otlp-settings.ts";

/** Where OpenTelemetry's own variables say that metrics are read; without a port, on the API's. */
export interface PrometheusAddress {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

function port(text: string): number | undefined {
  // Kubernetes' own, of a service that is called otel-exporter-prometheus.
  if (/^(tcp|udp|sctp):\/\//.test(text)) return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new Error("must be a whole number from 0 to 65535");
  return Number(text);
}

/** Reads OTEL_EXPORTER_PROMETHEUS_HOST and _PORT; METRICS_PORT, of the service, wins over the latter. */
export function readPrometheusAddress({ read }: ReturnType<typeof variableReader>): PrometheusAddress {
  return {
    // An address of IPv6 may stand in brackets, as in a URL.
    host: read(
      "OTEL_EXPORTER_PROMETHEUS_HOST",
      (text): string | undefined => text.replace(/^\[(.*:.*)\]$/, "$1"),
      undefined,
    ),
    port: read("OTEL_EXPORTER_PROMETHEUS_PORT", port, undefined),
  };
}

/** METRICS_PORT, where it says another port than that. */
export function otherPortOf(env: NodeJS.ProcessEnv, value: string): string | undefined {
  const ours = env.METRICS_PORT || undefined;
  return ours !== undefined && Number(ours) !== Number(value) ? ours : undefined;
}
