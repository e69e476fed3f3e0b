import { createNoopMeter, diag, type MeterProvider } from "@opentelemetry/api";
import type { telemetrySignals } from "./catalogue.ts";
import { add, guarded } from "./instruments.ts";

type Signal = (typeof telemetrySignals)[number];

/** An endpoint that is away for an hour must not fill the log. */
const warnEveryMs = 60_000;

/** Of @opentelemetry/core's ExportResultCode. */
const success = 0;

interface Result {
  readonly code: number;
  readonly error?: Error;
}
interface Exporter<Item> {
  export(items: Item[], done: (result: Result) => void): void;
  shutdown(): Promise<void>;
  forceFlush(): Promise<void>;
}

/** Counts what can't be exported, and says so at most once a minute. */
export class ExportLosses {
  readonly #signal: Signal;
  #untold = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(signal: Signal) {
    this.#signal = signal;
  }

  lost(count: number, why: string): void {
    guarded(() => add("telemetryExportDropped", count, { signal: this.#signal }));
    this.#untold += count;
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < warnEveryMs) return;
    diag.warn(`${this.#untold} ${this.#signal} could not be exported and are lost`, why);
    this.#untold = 0;
    this.#toldMs = nowMs;
  }

  /** For a batch processor that tells of its full queue by a metric alone. */
  get meterProvider(): MeterProvider {
    return {
      getMeter: () => {
        const meter = createNoopMeter();
        meter.createCounter = () => ({
          add: (count, attributes) => {
            if (attributes?.["error.type"] === "queue_full") this.lost(count, "the queue is full");
          },
        });
        return meter;
      },
    };
  }

  /** The exporter, with what fails counted and over: to its processor every export has succeeded. */
  guard<Item>(inner: Exporter<Item>, prepare: (item: Item) => Item = (item) => item): Exporter<Item> {
    return {
      export: (items, done) =>
        inner.export(items.map(prepare), ({ code, error }) => {
          if (code !== success) this.lost(items.length, error?.message ?? "the export failed");
          done({ code: success });
        }),
      shutdown: () => inner.shutdown(),
      forceFlush: () => inner.forceFlush(),
    };
  }
}
