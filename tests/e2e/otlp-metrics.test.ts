import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { type Query, startPlainPrometheus } from "./plain-prometheus.ts";
import { eventually, startService } from "./processes.ts";

const resources = new AsyncDisposableStack();
afterAll(() => resources.disposeAsync());

const csv = `a,b,label\n${Array.from({ length: 60 }, (_, row) => `${row},${row % 7},${row % 2 ? "x" : "y"}`).join("\n")}\n`;

/** What Prometheus has of our metrics by one way: value by name and labels. */
async function seriesOf(query: Query, job: string): Promise<Record<string, string>> {
  const found = await query(`{__name__=~"http_server_.+|mlops_backend_.+",job="${job}"}`);
  return Object.fromEntries(
    found.map(({ metric, value: [, value] }) => {
      const { __name__: name, job: _, instance: __, ...labels } = metric;
      // Prometheus writes whole numbers as 100.0 where they come by OpenMetrics, and as 100 where they come by OTLP.
      const pairs = Object.entries(labels).map(([label, text]) =>
        label === "le" ? `le="${Number(text.replace("Inf", "Infinity"))}"` : `${label}="${text}"`,
      );
      return [`${name}{${pairs.toSorted().join(",")}}`, value];
    }),
  );
}

/** They are others at each reading. */
const isSteady = (key: string): boolean =>
  !/(metrics_collection|series\{metric="other"|filesystem_available)/.test(key);

test("a real Prometheus has the same of a service by scrapes and by OTLP: names, labels, buckets, figures and zeros", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mlops-backend-otlp-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const [port, metricsPort] = [await freePort(), await freePort()];
  const targets = [`127.0.0.1:${metricsPort}`];
  const jobs = [{ name: "scraped", targets, protocol: "OpenMetricsText1.0.0" }] as const;
  const query = await startPlainPrometheus(resources, jobs, [], port);
  const { service, url } = await startService(join(folder, "data"), {
    METRICS_PORT: String(metricsPort),
    OTEL_METRICS_EXPORTER: "prometheus,otlp",
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `http://127.0.0.1:${port}/api/v1/otlp/v1/metrics`,
    OTEL_METRIC_EXPORT_INTERVAL: "1000",
  });
  resources.use(service);
  const api = `${url}/api/ml/v1`;
  for (const name of ["one", "one", "two"]) {
    const form = new FormData();
    form.set("name", name);
    form.set("file", new Blob([csv], { type: "text/csv" }), "data.csv");
    await fetch(`${api}/datasets/upload`, { method: "POST", body: form });
  }
  for (const path of ["/datasets", "/datasets?limit=0", "/nowhere"]) await fetch(`${api}${path}`);

  const steady = (series: Record<string, string>) => Object.entries(series).filter(([key]) => isSteady(key));
  const [scraped, sent] = await eventually("both have the same figures", 120, async () => {
    const both = await Promise.all([seriesOf(query, "scraped"), seriesOf(query, "mlops-backend")]);
    const [first, second] = both.map((series) => JSON.stringify(steady(series).toSorted()));
    const isThere = both[0]['mlops_backend_dataset_uploads_total{outcome="accepted"}'] === "2";
    return isThere && first === second ? both : undefined;
  }).catch(async () => [await seriesOf(query, "scraped"), await seriesOf(query, "mlops-backend")] as const);
  expect(Object.fromEntries(steady(sent))).toEqual(Object.fromEntries(steady(scraped)));
  expect(Object.keys(sent).toSorted()).toEqual(Object.keys(scraped).toSorted());
  expect(Object.keys(scraped).length).toBeGreaterThan(300);
});
