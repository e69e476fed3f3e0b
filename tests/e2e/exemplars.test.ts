import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { OtlpReceiver } from "../support/otlp-receiver.ts";
import { eventually, startService } from "./processes.ts";
import { startPrometheus } from "./prometheus-process.ts";

interface ExemplarsOfSeries {
  readonly seriesLabels: Record<string, string>;
  readonly exemplars: { readonly labels: Record<string, string>; readonly value: string }[];
}

const resources = new AsyncDisposableStack();
afterAll(() => resources.disposeAsync());

test("a real Prometheus returns the exemplars of sampled requests, each the trace that arrived", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mlops-backend-exemplars-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const receiver = resources.use(await OtlpReceiver.start());
  const started = await startService(join(folder, "data"), {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: "50",
  });
  resources.use(started.service);
  const prometheus = await startPrometheus({
    folder: join(folder, "prometheus"),
    target: new URL(started.url).host,
  });
  resources.use(prometheus.process);
  await fetch(`${started.url}/api/ml/v1/datasets`);
  const request = await receiver.until((spans) => spans.find(({ name }) => name === "GET /api/ml/v1/datasets"));

  for (const query of [
    "http_server_request_duration_seconds_bucket",
    "http_server_response_body_size_bytes_bucket",
    "mlops_backend_http_requests_total",
  ]) {
    const range = { start: "0", end: String(Date.now() / 1000 + 600) };
    const [series] = await eventually(`exemplars of ${query}`, 60, async () => {
      const found = await prometheus.ask<ExemplarsOfSeries[]>(
        `query_exemplars?${new URLSearchParams({ query: `${query}{http_route="/api/ml/v1/datasets"}`, ...range })}`,
      );
      return found.length > 0 ? found : undefined;
    });
    expect(series?.exemplars.map(({ labels }) => labels)).toEqual([
      { trace_id: request.traceId, span_id: request.spanId },
    ]);
    const le = series?.seriesLabels.le;
    if (le !== undefined)
      expect(Number(series?.exemplars[0]?.value)).toBeLessThanOrEqual(Number(le.replace("Inf", "Infinity")));
  }
});
