import { afterEach, expect, test } from "vitest";
import { OtlpReceiver } from "../support/otlp-receiver.ts";
import { startService } from "../support/service.ts";

let forTest = new AsyncDisposableStack();
afterEach(async () => {
  await forTest.disposeAsync();
  forTest = new AsyncDisposableStack();
});

const [theirTrace, theirSpan] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
/** A caller's trace, that is kept or not, in one of three ways. */
const callers: Readonly<Record<string, (isKept: boolean) => Record<string, string>>> = {
  tracecontext: (isKept) => ({ traceparent: `00-${theirTrace}-${theirSpan}-0${isKept ? 1 : 0}` }),
  b3: (isKept) => ({ b3: `${theirTrace}-${theirSpan}-${isKept ? 1 : 0}` }),
  b3multi: (isKept) => ({ "X-B3-TraceId": theirTrace, "X-B3-SpanId": theirSpan, "X-B3-Sampled": isKept ? "1" : "0" }),
};

test.each([
  // Whether a request is kept: without a caller's trace, with one that is not kept, with one that is; and whose trace it is in.
  ["always_on", "1", "none", "tracecontext", [true, true, true], "ours"],
  ["always_off", "1", "tracecontext", "tracecontext", [false, false, false], "ours"],
  ["traceidratio", "0", "tracecontext", "tracecontext", [false, false, false], "ours"],
  ["parentbased_always_on", "0", "tracecontext", "tracecontext", [true, false, true], "theirs"],
  ["parentbased_always_off", "1", "b3multi", "b3", [false, false, true], "theirs"],
  ["parentbased_traceidratio", "0", "b3", "b3multi", [false, false, true], "theirs"],
] as const)(
  "OTEL_TRACES_SAMPLER=%s with %s, OTEL_PROPAGATORS=%s",
  async (sampler, share, propagators, way, kept, whose) => {
    const receiver = forTest.use(await OtlpReceiver.start());
    const service = await startService({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_LOGS_EXPORTER: "none",
        OTEL_TRACES_SAMPLER: sampler,
        OTEL_TRACES_SAMPLER_ARG: share,
        OTEL_PROPAGATORS: propagators,
        OTEL_BSP_SCHEDULE_DELAY: "50",
      },
    });
    forTest.defer(() => service.stop());
    const paths = ["/datasets", "/training-runs", "/artifacts"];
    const headers = [{}, callers[way]?.(false), callers[way]?.(true)];
    for (const [index, path] of paths.entries()) await service.call("GET", path, undefined, headers[index]);
    // What waits is sent at the end.
    expect(await service.halt()).toBe(0);
    const requests = receiver.spans.filter(({ kind }) => kind === 2);
    expect(requests.map(({ name }) => name).sort()).toEqual(
      paths
        .filter((_path, index) => kept[index])
        .map((path) => `GET /api/ml/v1${path}`)
        .sort(),
    );
    const ofTheirs = requests.filter(({ traceId }) => traceId === theirTrace);
    expect(ofTheirs).toHaveLength(whose === "theirs" && kept[2] ? 1 : 0);
  },
);
