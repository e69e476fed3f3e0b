import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";

/**
 * Writes metrics to stdout, each as a line of JSON like those of the log around it. The SDK's own exporter writes what
 * Node shows of an object, over many lines, which breaks whoever reads the log.
 */
export const consoleMetrics: PushMetricExporter = {
  export({ scopeMetrics }, done) {
    const time = new Date().toISOString();
    for (const { descriptor, dataPoints } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
      const { name, unit } = descriptor;
      const points = dataPoints.map(({ attributes, value }) => ({ attributes, value }));
      process.stdout.write(`${JSON.stringify({ level: "info", time, msg: "metric", name, unit, points })}\n`);
    }
    done({ code: 0 });
  },
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
