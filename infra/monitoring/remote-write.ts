import { catalogue } from "../../otel/api/catalogue/catalogue.ts";
import { prometheusName } from "../../otel/api/catalogue/metric-names.ts";
import { recordedSeries } from "./queries/recorded-series.ts";
import { backendJob } from "./rules/rule-scope.ts";

/** Of each process, beside what is recorded: when there was nothing to count, and which version ran. */
const ofProcesses = (prefix: string): string[] => ["up", prometheusName(catalogue.buildInfo, prefix)];

/** How many series a process adds to those that are sent. */
export const sentSeriesOfProcess = ofProcesses("").length;

/** What is worth keeping for years: the objectives, and what the dashboards choose job and instance by. */
export const longTermSeries = (prefix: string): string[] => [...Object.keys(recordedSeries), ...ofProcesses(prefix)];

/** What prometheus.yml takes over to send those series, and no others, to a long-term store. */
export function remoteWriteExample(prefix: string): string {
  return `# Generated from infra/monitoring by npm run monitoring:generate. Do not edit: take it over into prometheus.yml.
# What it does and what it costs: docs/operations.md#long-term-metrics-and-logs
global:
  # On everything that leaves this Prometheus. Two that watch the same differ in \`replica\` alone (Mimir: \`__replica__\`).
  external_labels:
    cluster: production
    replica: a

alerting:
  # With the replica's name the same alert would be two for Alertmanager, and both would be told.
  alert_relabel_configs:
    - regex: replica|__replica__
      action: labeldrop

remote_write:
  - name: long-term
    # Mimir: …/api/v1/push. Thanos Receive: …/api/v1/receive. A Prometheus with --web.enable-remote-write-receiver: …/api/v1/write.
    url: https://metrics.example.org/api/v1/push
    authorization:
      credentials_file: secrets/remote-write-token
    # The traces that they lead to are gone after days.
    send_exemplars: false
    # It would be that of all metrics, also of those that are not sent.
    metadata_config:
      send: false
    write_relabel_configs:
      # The objectives' series, up, and the version: nothing else. Another monitoring.job than ${backendJob} stands at the end.
      - source_labels: [__name__, job]
        regex: (?:${longTermSeries(prefix).join("|")});${backendJob}
        action: keep
`;
}
