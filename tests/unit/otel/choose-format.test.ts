import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseFormat } from "../../../otel/exposition/choose-format.ts";

const protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

/** The first as it came from a Prometheus 3.16 (November 2026), the others in the form that each is known for. */
const senders = {
  "Prometheus 3.16": [
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.7,application/openmetrics-text;version=0.0.1;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3",
    "openmetrics",
  ],
  "Prometheus 3.16 that scrapes native histograms": [
    `${protobuf};escaping=allow-utf-8;q=0.7,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`,
    "openmetrics",
  ],
  "Prometheus 3 told to escape": [
    "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,text/plain;version=0.0.4;escaping=underscores;q=0.2,*/*;q=0.1",
    "openmetrics",
  ],
  "Prometheus told PrometheusText0.0.4": ["text/plain;version=0.0.4;q=0.5,*/*;q=0.4", "text"],
  "Prometheus told PrometheusText1.0.0": ["text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.4", "text"],
  "Prometheus told OpenMetricsText0.0.1 only": ["application/openmetrics-text;version=0.0.1;q=0.5,*/*;q=0.4", "text"],
  "Prometheus 2.x": [
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "openmetrics",
  ],
  "Prometheus 2.x that scrapes native histograms": [
    `${protobuf},application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`,
    "openmetrics",
  ],
  "Prometheus 2.5 to 2.22": [
    "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "text",
  ],
  "Prometheus 1.x": [`${protobuf};q=0.7,text/plain;version=0.0.4;q=0.3`, "text"],
  "a client that reads OpenMetrics only": ["application/openmetrics-text; version=1.0.0; charset=utf-8", "openmetrics"],
  "curl, wget, Node's fetch": ["*/*", "text"],
  "Firefox and Chrome": [
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    "text",
  ],
  "a script that wants JSON": ["application/json", "text"],
  nobody: [undefined, "text"],
  "a header without a word": ["", "text"],
} as const;

describe("the format that each of them gets", () => {
  test.for(Object.entries(senders))("%s", ([, [accept, format]]) => {
    expect(chooseFormat(accept)).toBe(format);
  });
});

test.for([
  ["application/openmetrics-text;version=1.0.0;q=0.1,text/plain;version=0.0.4;q=0.4", "text"],
  ["text/plain, application/openmetrics-text", "openmetrics"],
  ["*/*;q=0.9, application/openmetrics-text;q=0.2", "text"],
  ["text/*;q=0.2, application/openmetrics-text;q=0.9", "openmetrics"],
  ["APPLICATION/OpenMetrics-Text; VERSION=1.0.0; Q=1.000", "openmetrics"],
  ['application/openmetrics-text; version="1.0.0"', "openmetrics"],
  ["application/openmetrics-text;version=2.0.0", "text"],
  // 0 is «not this one», also beside a wildcard.
  ["application/openmetrics-text;q=0", "text"],
  ["application/openmetrics-text;q=0.000, text/plain;q=0", "text"],
  ["application/openmetrics-text;q=0, */*", "text"],
  // What is no weight (RFC 9110, section 12.4.2) counts for nothing.
  ["application/openmetrics-text;q=high, text/plain;q=0.1", "text"],
  ["application/openmetrics-text;q=, text/plain;q=0.1", "text"],
  ["application/openmetrics-text;q=7, text/plain;q=0.1", "text"],
  ["application/openmetrics-text;q=-1, text/plain;q=0.1", "text"],
  ["application/openmetrics-text;q=0x1, text/plain;q=0.1", "text"],
  ["application/openmetrics-text;q=1e0, text/plain;q=0.1", "text"],
  ["text/plain;q=nonsense, application/openmetrics-text;q=0.1", "openmetrics"],
  [",;,;q=1,application/openmetrics-text,,", "openmetrics"],
] as const)("Accept %s gets %s", ([accept, format]) => {
  expect(chooseFormat(accept)).toBe(format);
});

test("no header makes it fail, and none that does not name OpenMetrics gets it", () => {
  const part = fc.oneof(
    fc.constantFrom(";", ",", "q=", "=", '"', "application/", "text/plain", "*/*", "1.0.0"),
    fc.string(),
  );
  fc.assert(
    fc.property(
      fc.array(part).map((parts) => parts.join("")),
      (accept) => {
        expect(chooseFormat(accept)).toBe("text");
      },
    ),
  );
});
