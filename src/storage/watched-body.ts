import { PassThrough, type Readable } from "node:stream";

/**
 * The same bytes, with faults of the source named, and with an end when it sends nothing for that long. A reader that
 * takes nothing is no fault of the source.
 */
export function watchedBody(body: Readable, idleMs: number, nameFault: (error: unknown) => Error): Readable {
  const watched = new PassThrough();
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    if (watched.writableNeedDrain) lastMs = nowMs;
    else if (nowMs - lastMs > idleMs)
      body.destroy(Object.assign(new Error(`Nothing came for ${idleMs} ms.`), { name: "TimeoutError" }));
  }, idleMs / 4).unref();
  body.on("data", () => {
    lastMs = performance.now();
  });
  body.once("error", (error) => watched.destroy(nameFault(error)));
  body.pipe(watched);
  watched.once("close", () => {
    clearInterval(timer);
    body.destroy();
  });
  return watched;
}
