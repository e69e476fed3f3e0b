import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import autocannon from "autocannon";
import { figure, type Line } from "./figures.ts";
import { MeasuredProcess } from "./measured-process.ts";

const variants = [
  "bare",
  "disabled",
  "ours",
  "prom-client",
  "official-http",
  "official-http-traced",
  "official-auto",
  "traced-1-percent",
  "traced-all",
  "official-auto-traced",
] as const;
/** A way to measure an application, or none. */
export type Variant = (typeof variants)[number];
const requestsARound = 4_000;
const warmUpRequests = 8_000;

const isRegistered = new Set<Variant>(["ours", "disabled", "traced-1-percent", "traced-all"]);

function environmentOf(variant: Variant, sinkUrl: string): Record<string, string> {
  switch (variant) {
    case "disabled":
      return { OTEL_SDK_DISABLED: "true" };
    case "traced-1-percent":
      return { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${sinkUrl}/v1/traces`, OTEL_TRACES_SAMPLER_ARG: "0.01" };
    case "traced-all":
    case "official-http-traced":
    case "official-auto-traced":
      return { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${sinkUrl}/v1/traces` };
    default:
      return {};
  }
}

/** The application of `servers/item-app.cts` in a process of its own. */
export function startServer(variant: Variant, sinkUrl: string): Promise<MeasuredProcess> {
  const register = isRegistered.has(variant) ? ["--import", "./otel/register"] : [];
  return MeasuredProcess.start([...register, "tests/bench/servers/item-app.cts"], {
    BENCH_VARIANT: variant,
    ...environmentOf(variant, sinkUrl),
  });
}

/** Takes exports and throws them away, in this process, whose CPU nobody counts; says how many bytes came. */
async function startSink(): Promise<{ url: string; bytes(): number } & AsyncDisposable> {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on("end", () => response.end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    bytes: () => bytes,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** So many small requests over ten connections. */
export async function load(url: string, amount: number, path = "/items/42"): Promise<void> {
  const result = await autocannon({ url: `${url}${path}`, connections: 10, amount });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} answers were no 2xx, ${result.errors} failed`);
}

/** CPU of a small request, by the ways to measure it: servers side by side, rounds interleaved. */
export async function benchHttp(rounds: number): Promise<Line[]> {
  await using open = new AsyncDisposableStack();
  const sink = open.use(await startSink());
  const servers: { variant: Variant; process: MeasuredProcess; cpu: number[] }[] = [];
  for (const variant of variants) {
    servers.push({ variant, process: open.use(await startServer(variant, sink.url)), cpu: [] });
  }
  for (const { process } of servers) await load(process.url, warmUpRequests);
  for (let round = 0; round < rounds * 3; round += 1) {
    for (const { process, cpu } of servers) {
      const seconds = await process.cpuSecondsOf(() => load(process.url, requestsARound));
      cpu.push((seconds / requestsARound) * 1_000);
    }
  }
  if (sink.bytes() === 0) throw new Error("no span was sent: the traced servers do not trace");
  const cpuOf = (variant: Variant): number[] => servers.find((server) => server.variant === variant)!.cpu;
  // Of medians: a round is short, and one disturbed round of either would spoil its ratio.
  const ratio = (above: Variant, below: Variant): Line["figure"] => {
    const [a, b] = [figure(cpuOf(above)), figure(cpuOf(below))];
    const each = cpuOf(above).map((value, index) => value / cpuOf(below)[index]!);
    return { ...figure(each), median: a.median / b.median };
  };
  return [
    ...variants.map((variant) => ({
      what: `CPU of 1,000 requests, ${variant}`,
      unit: "s",
      figure: figure(cpuOf(variant)),
    })),
    { what: "ours / bare", unit: "×", figure: ratio("ours", "bare"), atMost: 1.15 },
    { what: "ours / prom-client bundle", unit: "×", figure: ratio("ours", "prom-client"), atMost: 1 },
    { what: "ours / official HTTP instrumentation", unit: "×", figure: ratio("ours", "official-http"), atMost: 0.6 },
    {
      what: "ours / official HTTP instrumentation with its spans",
      unit: "×",
      figure: ratio("ours", "official-http-traced"),
    },
    { what: "disabled / bare", unit: "×", figure: ratio("disabled", "bare"), atMost: 1.02 },
    { what: "prom-client bundle / bare", unit: "×", figure: ratio("prom-client", "bare") },
    { what: "official HTTP instrumentation / bare", unit: "×", figure: ratio("official-http", "bare") },
    { what: "official auto-instrumentations / bare", unit: "×", figure: ratio("official-auto", "bare") },
    { what: "traced, 1 % kept / bare", unit: "×", figure: ratio("traced-1-percent", "bare"), atMost: 1.6 },
    { what: "traced, all kept / bare", unit: "×", figure: ratio("traced-all", "bare") },
    {
      what: "traced, all kept / official auto-instrumentations with traces",
      unit: "×",
      figure: ratio("traced-all", "official-auto-traced"),
      atMost: 1,
    },
  ];
}
