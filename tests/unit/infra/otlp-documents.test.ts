import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readOtlpSettings } from "../../../otel/settings/otlp-settings.ts";
import { readTelemetrySettings } from "../../../otel/settings/telemetry-settings.ts";
import { openTelemetryNames } from "../../../otel/settings/variables/all-variables.ts";

const root = join(import.meta.dirname, "../../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? "");

/** Those that docs/telemetry.md says nothing is said of, and one that is misspelt on purpose. */
const ofOthers = ["OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "OTEL_INJECTOR", "OTEL_PYTHON", "OTEL_EXPORTER_OTLP_ENDPONT"];

// Decisions (docs/adr) tell of what there was.
test.each(["README.md", ...globSync(["docs/*.md", "docs/runbooks/*.md"], { cwd: root })])(
  "%s names variables that are read",
  (path) => {
    const named = new Set(all(read(path), /\b(OTEL_[A-Z_]*[A-Z])\b/g));
    const unread = [...named].filter((name) => !openTelemetryNames.includes(name) && !ofOthers.includes(name));
    expect(unread).toEqual([]);
  },
);

test("whoever follows «Metrics elsewhere» sends everything, and has no /metrics", () => {
  const section = read("docs/prometheus_integration_guide.md").split("## Metrics elsewhere\n")[1] ?? "";
  const [, block = ""] = /^```sh\n([\s\S]*?)^```/m.exec(section) ?? [];
  const { settings, faults } = readTelemetrySettings(
    Object.fromEntries([...block.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value])),
  );
  expect(faults).toEqual([]);
  const headers = { authorization: "Basic MTIzOmtleQ==" };
  expect(settings).toMatchObject({ traces: { headers }, logs: { headers }, metrics: { otlp: { headers } } });
  expect(settings.metrics?.prometheus).toBe(false);
});

describe("a place to send to, as the guide sets it up,", () => {
  const section = read("docs/prometheus_integration_guide.md")
    .split("## Traces and logs elsewhere\n")[1]
    ?.split(/^## /m)[0];
  const blocks = all(section ?? "", /^```sh\n([\s\S]*?)^```/gm);
  test("is there for Tempo, Loki, Jaeger and a vendor", () => expect(blocks).toHaveLength(4));

  test.each([
    ["traces", blocks[0]],
    ["logs", blocks[1]],
    ["traces", blocks[2]],
    ["traces, logs", blocks[3]],
  ])("gets %s: %s", (expected, block = "") => {
    const env = Object.fromEntries([...block.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
    const sent = (["traces", "logs"] as const).filter((signal) => {
      const { settings, faults } = readOtlpSettings(env, signal);
      // Its files are on the machine of whoever follows it.
      expect(faults.filter((fault) => !fault.includes("names a file that can't be read (ENOENT)"))).toEqual([]);
      return settings !== undefined;
    });
    expect(sent.join(", ")).toBe(expected);
  });

  test("Loki is told the labels that the stack's own has", () => {
    const snippet = all(section ?? "", /^```yaml\n([\s\S]*?)^```/gm)[0] ?? "";
    for (const line of snippet.trim().split("\n").slice(1))
      expect(read("infra/monitoring/loki/loki.yml")).toContain(line);
  });
});
