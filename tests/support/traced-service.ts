import { OtlpReceiver, type ReceivedSpan } from "./otlp-receiver.ts";
import { type RunningService, startService } from "./service.ts";

/** The service with traces on, and what they arrive at; disposing of it ends both. */
export interface TracedService extends AsyncDisposable {
  readonly service: RunningService;
  readonly receiver: OtlpReceiver;
}

/** Spans are sent every 50 ms, so that a test need not wait. */
export async function startTraced(env: Record<string, string> = {}): Promise<TracedService> {
  await using starting = new AsyncDisposableStack();
  const receiver = starting.use(await OtlpReceiver.start());
  const service = await startService({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: "50", ...env },
  });
  starting.defer(() => service.stop());
  const running = starting.move();
  return { service, receiver, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** A trace as indented lines of names, children in the order of their begin; statements of the database left out. */
export function treeOf(spans: readonly ReceivedSpan[], traceId: string): string[] {
  const ofTrace = spans.filter((span) => span.traceId === traceId && span.attributes["db.system.name"] === undefined);
  const ids = new Set(ofTrace.map(({ spanId }) => spanId));
  const below = (parent: string | undefined, depth: number): string[] =>
    ofTrace
      .filter(({ parentSpanId }) => (parent === undefined ? !ids.has(parentSpanId) : parentSpanId === parent))
      .toSorted((a, b) => (a.startNanos < b.startNanos ? -1 : 1))
      .flatMap((span) => [`${"  ".repeat(depth)}${span.name}`, ...below(span.spanId, depth + 1)]);
  return below(undefined, 0);
}
