import { setImmediate } from "node:timers/promises";
import type { ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { type ExpositionOptions, expositionPieces } from "./exposition.ts";

/** After that long a scrape lets requests in: no block of the event loop may be longer than 10 ms. */
const defaultSliceMs = 3;

/** The exposition as bytes, written in slices, so that a scrape of many series holds up nobody. */
export async function writeInSlices(
  metrics: ResourceMetrics,
  options: ExpositionOptions,
  sliceMs: number = defaultSliceMs,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  // What was collected came in one piece, of up to 5 ms: the first slice in the same turn would make it 8.
  await setImmediate();
  let beganMs = performance.now();
  for (const piece of expositionPieces(metrics, options)) {
    pieces.push(Buffer.from(piece));
    if (performance.now() - beganMs < sliceMs) continue;
    await setImmediate();
    beganMs = performance.now();
  }
  return Buffer.concat(pieces);
}

/** Scrapes that come while one is being answered get its answer: two Prometheus servers cost what one does. */
export function shareInFlight<Key, Value>(make: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
  const inFlight = new Map<Key, Promise<Value>>();
  return (key) => {
    let promise = inFlight.get(key);
    if (promise === undefined) {
      promise = make(key).finally(() => inFlight.delete(key));
      inFlight.set(key, promise);
    }
    return promise;
  };
}
