import { createNoopMeter, type MeterProvider } from "@opentelemetry/api";
import type { Signal } from "../api/catalogue/telemetry.ts";
import { add, guarded } from "../api/instruments.ts";
import { writeToStandardError } from "./standard-error.ts";

/** An endpoint that is away for an hour must not fill the log. */
const warnEveryMs = 60_000;
/** An endpoint that hangs must not hold up the end of the process (SHUTDOWN_GRACE_SECONDS and 5 s). */
const longestFlushMs = 3_000;

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

/** What is counted of a signal, in words. */
const itemsOf: Readonly<Record<Signal, string>> = { traces: "traces", logs: "logs", metrics: "points of metrics" };

/** Counts what can't be exported, and says so at most once a minute; whatever was taken is sent, or told as lost. */
export class ExportLosses {
  readonly #signal: Signal;
  readonly #warn: (message: string, why: string) => void;
  /** Taken, and neither sent nor lost. */
  #open = 0;
  #untold = 0;
  #why = "";
  /** Why the last export failed; empty once one has succeeded. */
  #lastWhy = "";
  #heardSuccess = (): void => {};
  #quiet: NodeJS.Timeout | undefined;

  constructor(signal: Signal, warn = (message: string, why: string) => writeToStandardError("warn", message, why)) {
    this.#signal = signal;
    this.#warn = warn;
  }

  /** So many more are to be sent. */
  taken(count = 1): void {
    this.#open += count;
  }

  /** The end of an export of so many that were taken. */
  settled(count: number, { code, error }: Result): void {
    if (code === success) {
      this.#open -= count;
      this.#lastWhy = "";
      this.#heardSuccess();
    } else {
      this.#lastWhy = error?.message || "the export failed";
      this.lost(count, this.#lastWhy);
    }
  }

  /** Is called after each export that succeeded, in the same turn. */
  afterSuccess(listener: () => void): void {
    this.#heardSuccess = listener;
  }

  /** So many of those that were taken will not arrive. */
  lost(count: number, why: string): void {
    this.#open -= count;
    this.rejected(count, why);
  }

  /** So many of those that were sent were not kept. */
  rejected(count: number, why: string): void {
    guarded(() => add("telemetryExportDropped", count, { signal: this.#signal }));
    this.#untold += count;
    this.#why = why;
    if (this.#quiet === undefined) this.#tell();
  }

  #tell(): void {
    if (this.#untold === 0) return;
    this.#warn(`${this.#untold} ${itemsOf[this.#signal]} could not be exported and are lost`, this.#why);
    this.#untold = 0;
    this.#quiet = setTimeout(() => {
      this.#quiet = undefined;
      this.#tell();
    }, warnEveryMs).unref();
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
        inner.export(items.map(prepare), (result) => {
          this.settled(items.length, result);
          done({ code: success });
        }),
      shutdown: () => inner.shutdown(),
      forceFlush: () => inner.forceFlush(),
    };
  }

  /** Waits for the last exports, for a few seconds at most, and tells of all that was not told yet. */
  async settle(flushing: Promise<unknown>, longestMs: number = longestFlushMs): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, longestMs);
    });
    await Promise.race([flushing, timeout]);
    clearTimeout(timer);
    // What went wrong before is why they were still there.
    const before = this.#lastWhy || (this.#untold > 0 ? this.#why : "");
    if (this.#open > 0)
      this.lost(this.#open, `the process ended before they were sent${before && `; before that: ${before}`}`);
    clearTimeout(this.#quiet);
    this.#tell();
    clearTimeout(this.#quiet);
  }
}
