import type { IncomingMessage } from "node:http";

/** The slowest that a sender may be: so many bytes in each window of so many seconds. */
export interface Pace {
  readonly windowSeconds: number;
  /** At least 1: a window without a byte is always too slow. */
  readonly minBytes: number;
}

/**
 * Calls back when a window has passed in which the sender sent too little: one that sends nothing, or a byte now and
 * then, would hold its place until the time-out of the whole request. What waits to be read is our slowness, not the
 * sender's.
 * @returns what ends the watch
 */
export function watchPace(
  request: Pick<IncomingMessage, "socket" | "readableLength" | "complete">,
  { windowSeconds, minBytes }: Pace,
  onTooSlow: () => void,
): () => void {
  let seenBytes = request.socket.bytesRead;
  let sinceMs = performance.now();
  // Bytes of the socket, not a `data` listener: that would start the stream before the form is ready.
  const timer = setInterval(
    () => {
      const { bytesRead } = request.socket;
      if (bytesRead - seenBytes >= minBytes || request.readableLength > 0 || request.complete) {
        seenBytes = bytesRead;
        sinceMs = performance.now();
      } else if (performance.now() - sinceMs >= windowSeconds * 1000) onTooSlow();
    },
    (windowSeconds * 1000) / 4,
  ).unref();
  return () => clearInterval(timer);
}
