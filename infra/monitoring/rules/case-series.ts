import { catalogue, type MetricKey } from "../../../otel/api/catalogue/catalogue.ts";
import { prometheusName } from "../../../otel/api/catalogue/metric-names.ts";
import type { CaseSeries } from "./alert.ts";
import { backendJob } from "./rule-scope.ts";

/** A metric's name as a scrape gives it, with the default prefix. */
export function sampleName(key: MetricKey, suffix: "_bucket" | "_count" | "" = ""): string {
  return `${prometheusName(catalogue[key])}${suffix}`;
}

/** A series of the job of the service, unless the labels name another. */
export function caseSeries(name: string, labels: Readonly<Record<string, string>>, values: string): CaseSeries {
  const shown = Object.entries({ job: backendJob, ...labels }).map(([label, value]) => `${label}="${value}"`);
  return { series: `${name}{${shown.join(",")}}`, values };
}
