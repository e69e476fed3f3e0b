import { describe, expect, test } from "vitest";
import { spanAttributes } from "../../../otel/api/span-attributes.ts";
import { monitoring, services, valuesOf, yaml } from "./stack-files.ts";

describe("Tempo and Loki", () => {
  const tempo = yaml(`${monitoring}/tempo/tempo.yml`);
  const loki = yaml(`${monitoring}/loki/loki.yml`);

  test("keep seven days", () => {
    expect(valuesOf(tempo, new Set(["block_retention"]))).toEqual(["168h", "168h"]);
    expect(loki.limits_config.retention_period).toBe("168h");
    expect(loki.compactor.retention_enabled).toBe(true);
  });

  test("Tempo makes the service graph and no other metrics", () => {
    expect(valuesOf(tempo, new Set(["processors"]))).toEqual([["service-graphs"]]);
    // Attributes that our spans have, but for the one by which others name who they call.
    const [ofOthers, ...peers] = tempo.metrics_generator.processor.service_graphs.peer_attributes;
    expect(ofOthers).toBe("peer.service");
    expect(peers).toEqual([spanAttributes.database, spanAttributes.queue]);
    expect(tempo.metrics_generator.storage.remote_write).toEqual([{ url: "http://prometheus:9090/api/v1/write" }]);
  });

  test("Loki indexes the service and its environment alone", () => {
    expect(loki.limits_config.otlp_config.resource_attributes).toEqual({
      ignore_defaults: true,
      attributes_config: [{ action: "index_label", attributes: ["service.name", "deployment.environment.name"] }],
    });
  });

  test("tell nobody outside that they are used", () => {
    expect([tempo.usage_report.reporting_enabled, loki.analytics.reporting_enabled]).toEqual([false, false]);
  });

  test("come with their profile only, and write to their volumes alone", () => {
    expect([services.tempo.profiles, services.loki.profiles]).toEqual([["tracing"], ["tracing"]]);
    for (const [name, config, home] of [
      ["tempo", tempo, "/var/tempo"],
      ["loki", loki, "/loki"],
    ] as const) {
      expect(services[name].volumes).toContain(`${name}-data:${home}`);
      const paths = JSON.stringify(config).match(/"\/[^"]*"/g) ?? [];
      expect(paths.filter((path) => !path.startsWith(`"${home}`))).toEqual([]);
    }
  });
});

describe("docker-compose.tracing.yml", () => {
  const over = yaml("docker-compose.tracing.yml").services;

  test("gives Prometheus what it had, and the receiver", () => {
    expect(over.prometheus.command).toEqual([...services.prometheus.command, "--web.enable-remote-write-receiver"]);
    // Whoever reaches that port could write any series.
    expect(JSON.stringify(services)).not.toContain("remote-write-receiver");
  });

  test("lets the backend send to where Tempo and Loki listen", () => {
    const tempo = yaml(`${monitoring}/tempo/tempo.yml`);
    const { endpoint } = tempo.distributor.receivers.otlp.protocols.http;
    expect(over.backend.environment).toEqual({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `\${OTEL_EXPORTER_OTLP_TRACES_ENDPOINT:-http://tempo:${endpoint.split(":")[1]}/v1/traces}`,
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `\${OTEL_EXPORTER_OTLP_LOGS_ENDPOINT:-http://loki:3100/otlp/v1/logs}`,
    });
  });
});

describe("docker-compose.collector.yml", () => {
  test("lets the backend send everything to the collector, whatever its callers have decided", () => {
    const port = yaml(`${monitoring}/collector/collector.yml`).receivers.otlp.protocols.http.endpoint.match(
      /\d+\}$/,
    )[0];
    const url = `http://collector:${port.replace("}", "")}`;
    expect(yaml("docker-compose.collector.yml").services).toEqual({
      backend: {
        environment: {
          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `\${OTEL_EXPORTER_OTLP_TRACES_ENDPOINT:-${url}/v1/traces}`,
          OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `\${OTEL_EXPORTER_OTLP_LOGS_ENDPOINT:-${url}/v1/logs}`,
          OTEL_TRACES_SAMPLER: `\${OTEL_TRACES_SAMPLER:-always_on}`,
        },
      },
    });
  });
});

describe("the collector", () => {
  const core = yaml(`${monitoring}/collector/collector.yml`);
  const tail = yaml(`${monitoring}/collector/tail-sampling.yml`);

  test("uses what is declared, refuses before memory is used, and waits with a bounded queue", () => {
    for (const pipeline of Object.values<Record<string, string[]>>(core.service.pipelines)) {
      for (const kind of ["receivers", "processors", "exporters"])
        for (const name of pipeline[kind]!) expect(core[kind]).toHaveProperty([name]);
      expect(pipeline.processors?.[0]).toBe("memory_limiter");
    }
    for (const exporter of Object.values<Record<string, never>>(core.exporters))
      expect(exporter).toMatchObject({
        sending_queue: { queue_size: 200 },
        retry_on_failure: { max_elapsed_time: "120s" },
      });
    const limitMb = Number.parseInt(services.collector.mem_limit, 10);
    expect(core.processors.memory_limiter.limit_mib).toBeLessThan(limitMb);
  });

  test("keeps every failed, every slow and every training's trace, and a part of the others", () => {
    const types = tail.processors.tail_sampling.policies.map(({ type }: { type: string }) => type);
    expect(types).toEqual(["status_code", "latency", "string_attribute", "probabilistic"]);
    const { processors } = tail.service.pipelines.traces;
    expect(processors).toEqual(["memory_limiter", "tail_sampling", "batch"]);
    // Lists replace each other where two files are laid over each other; the rest stays.
    expect(Object.keys(tail)).toEqual(["processors", "service"]);
  });

  test("runs with both files, and sends to the stack or where its variables say", () => {
    expect(services.collector.command).toEqual([
      "--config=/etc/otelcol/collector.yml",
      "--config=/etc/otelcol/tail-sampling.yml",
    ]);
    const { TEMPO_OTLP_URL, LOKI_OTLP_URL } = services.collector.environment;
    for (const [value, exporter] of [
      [TEMPO_OTLP_URL, "otlp_http/tempo"],
      [LOKI_OTLP_URL, "otlp_http/loki"],
    ] as const)
      expect(core.exporters[exporter].endpoint).toBe(value.replace("${", "${env:"));
  });
});
