import type { Server } from "node:http";

/** What the process hands from `otel/register` to `src/main.ts`; no SDK here. */
export interface Telemetry {
  /** Of metrics; `disabled`: asked for by PROMETHEUS__ENABLED or OTEL_SDK_DISABLED; `faulty`: settings that main.ts reports. */
  readonly state: "on" | "disabled" | "faulty";
  /** The exposition in the format that `accept` prefers. Throws when the collection fails. */
  render(accept: string | undefined): Promise<Exposition>;
  /** Takes a line of the log and sends it by OTLP, without waiting; absent while no endpoint for logs is set. */
  readonly exportLog?: ((line: string) => void) | undefined;
  /** To be called for a server whose requests are traced, before it listens; absent without traces. */
  readonly attachServer?: ((server: Server) => void) | undefined;
  /** Flushes and stops the SDK; safe to call twice. */
  shutdown(): Promise<void>;
}

export interface Exposition {
  readonly body: Buffer;
  readonly contentType: string;
}

const key = Symbol.for("mlops-backend.telemetry");

/** The handle that `otel/register` left; undefined when the process was started without it. */
export function telemetryHandle(): Telemetry | undefined {
  return (globalThis as { [key]?: Telemetry })[key];
}

/** Leaves the handle for `telemetryHandle()`; a symbol of the registry, since bundles or tests may load this file twice. */
export function leaveTelemetryHandle(telemetry: Telemetry | undefined): void {
  (globalThis as { [key]?: Telemetry | undefined })[key] = telemetry;
}

/** A handle of a process whose telemetry does not run. */
export function silentTelemetry(state: "disabled" | "faulty"): Telemetry {
  return {
    state,
    render: () => Promise.reject(new Error(`Telemetry is ${state}`)),
    shutdown: () => Promise.resolve(),
  };
}
