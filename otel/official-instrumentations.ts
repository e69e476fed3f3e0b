import { createRequire } from "node:module";
import type { Instrumentation } from "@opentelemetry/instrumentation";

const own = createRequire(import.meta.url);

/**
 * Loads one package of the official selection, as @opentelemetry/auto-instrumentations-node has it; importing the
 * selection itself would load all 39, 0.2 s of CPU and 44 MB (measured on Node 24, November 2026).
 */
function fromSelection<Exports>(name: string): Exports {
  const selection = createRequire(own.resolve("@opentelemetry/auto-instrumentations-node"));
  return selection(name) as Exports;
}

/** Garbage collections; everything else that it measures is dropped by a view. */
export function runtimeInstrumentation(): Instrumentation {
  const { RuntimeNodeInstrumentation } = fromSelection<{ RuntimeNodeInstrumentation: new () => Instrumentation }>(
    "@opentelemetry/instrumentation-runtime-node",
  );
  return new RuntimeNodeInstrumentation();
}
