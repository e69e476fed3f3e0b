import { diag, metrics } from "@opentelemetry/api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { catalogue } from "../../../otel/api/catalogue/catalogue.ts";
import { add, meterName, record } from "../../../otel/api/instruments.ts";
import type { Telemetry } from "../../../otel/api/telemetry.ts";
import { runtimeMeterName } from "../../../otel/metrics/views.ts";
import { startTelemetry } from "../../../otel/sdk.ts";
import { readTelemetrySettings } from "../../../otel/settings/telemetry-settings.ts";

let telemetry: Telemetry;
beforeEach(async () => {
  telemetry = await startTelemetry(readTelemetrySettings({}).settings, {});
});
afterEach(async () => {
  await telemetry.shutdown();
  metrics.disable();
  diag.disable();
});

const secret = "ada.lovelace@example.org";
const exposition = async (): Promise<string> => String((await telemetry.render(undefined)).body);

test("an instrument that the catalogue does not declare is in no exposition, whichever meter it comes from", async () => {
  for (const name of [meterName, runtimeMeterName, "stranger"]) {
    const meter = metrics.getMeter(name);
    meter.createCounter("stranger.counter").add(1, { user: secret });
    meter.createHistogram("stranger.histogram").record(1, { user: secret });
    meter.createObservableGauge("stranger.gauge").addCallback((result) => result.observe(1, { user: secret }));
  }
  // A declared name, from a meter that it does not come from.
  metrics.getMeter("stranger").createUpDownCounter(catalogue.datasets.name).add(7);
  const text = await exposition();
  expect(text).toContain("mlops_backend_dataset_uploads_total");
  expect(text).not.toMatch(/stranger|lovelace|^mlops_backend_datasets /m);
});

test("what is read at scrape has declared attributes and values only", async () => {
  const { name, unit } = catalogue.storage;
  metrics
    .getMeter(meterName)
    .createObservableGauge(name, { unit })
    .addCallback((result) => {
      result.observe(1, { kind: "dataset", user: secret });
      result.observe(2, { kind: secret });
    });
  const lines = (await exposition()).split("\n").filter((line) => line.startsWith("mlops_backend_storage_bytes{"));
  expect(lines).toEqual([
    'mlops_backend_storage_bytes{kind="dataset"} 1',
    'mlops_backend_storage_bytes{kind="other"} 2',
  ]);
});

test("what is recorded past the types has declared attributes and values only", async () => {
  add("ttlErrors", 1, { user: secret } as never);
  add("trainingRetries", 1, { mode: secret, user: secret } as never);
  const text = await exposition();
  expect(text).toContain("mlops_backend_dataset_ttl_errors_total 1\n");
  expect(text).toContain('mlops_backend_training_retries_total{mode="other"} 1\n');
  expect(text).not.toContain("lovelace");
});

test("a garbage collection counts once", async () => {
  const { name, unit } = catalogue.gcDuration;
  metrics.getMeter(runtimeMeterName).createHistogram(name, { unit }).record(0.25, { "v8js.gc.type": "weakcb" });
  expect(await exposition()).toContain('v8js_gc_duration_seconds_count{v8js_gc_type="weakcb"} 1\n');
});

/** Never called: that it compiles, with each mistake an error, is the test. */
export function mistakes(): void {
  add("ttlErrors", 1, {});
  add("trainingRetries", 1, { mode: "light" });
  record("httpRequestBodySize", 1, { "http.request.method": "GET", "url.scheme": "http", "http.route": "/any" });
  // @ts-expect-error a metric without attributes takes none
  add("ttlErrors", 1, { user: secret });
  // @ts-expect-error the attribute is not declared
  add("trainingRetries", 1, { mode: "light", user: secret });
  // @ts-expect-error the value is outside its closed set
  add("trainingRetries", 1, { mode: "turbo" });
  // @ts-expect-error and so of every domain's file
  add("datasetUploads", 1, { outcome: "turbo" });
  // @ts-expect-error
  add("predictions", 1, { task: "turbo", outcome: "succeeded" });
  // @ts-expect-error
  add("ttlCycles", 1, { result: "turbo" });
  // @ts-expect-error
  record("databaseOperationDuration", 1, { "db.operation.name": "turbo" });
  // @ts-expect-error
  record("gcDuration", 1, { "v8js.gc.type": "turbo" });
  // @ts-expect-error
  add("telemetryExportDropped", 1, { signal: "turbo" });
  // @ts-expect-error
  add("httpRequests", 1, { "http.route": "/any", outcome: "turbo" });
  // @ts-expect-error a declared attribute is missing
  add("trainingRetries", 1, {});
  // @ts-expect-error the metric is not declared
  add("strangers", 1, {});
  // @ts-expect-error a histogram is recorded, not added to
  add("trainingDuration", 1, { mode: "light", task: "regression" });
}
