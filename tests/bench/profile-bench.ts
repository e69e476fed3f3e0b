import { figure, type Line } from "./figures.ts";
import { load, startServer, type Variant } from "./http-bench.ts";
import type { SelfTime } from "./measured-process.ts";

const profiled = ["bare", "ours", "official-http"] as const satisfies readonly Variant[];
const requestsARound = 8_000;

/** Whose code a sample was in; what V8 does on behalf of a function counts as that function's. */
const owners: Readonly<Record<string, (sample: SelfTime) => boolean>> = {
  "measuring: this repository's otel/": ({ url }) => url.includes("/otel/"),
  "measuring: @opentelemetry": ({ url }) => url.includes("/node_modules/@opentelemetry/"),
  "Express and what it uses": ({ url }) => url.includes("/node_modules/"),
  "the application": ({ url }) => url.includes("/tests/bench/"),
  "Node's async context": ({ url }) => url.startsWith("node:internal/async"),
  "Node's HTTP, streams and sockets": ({ url }) => url.startsWith("node:"),
  "garbage collector": ({ functionName }) => functionName === "(garbage collector)",
  // System calls and V8's own functions: a socket's read and write are most of it.
  "native code": () => true,
};

function byOwner(samples: readonly SelfTime[]): Map<string, number> {
  const microseconds = new Map(Object.keys(owners).map((owner) => [owner, 0]));
  for (const sample of samples) {
    if (sample.functionName === "(idle)") continue;
    const owner = Object.keys(owners).find((name) => owners[name]!(sample))!;
    microseconds.set(owner, microseconds.get(owner)! + sample.microseconds);
  }
  return microseconds;
}

/** Where a small request's CPU goes: bare, with our measuring and with the official one, each under the CPU profiler. */
export async function benchProfile(rounds: number): Promise<Line[]> {
  await using open = new AsyncDisposableStack();
  const servers = [];
  for (const variant of profiled) {
    const process = open.use(await startServer(variant, "http://127.0.0.1:9"));
    servers.push({ variant, process, rounds: [] as Map<string, number>[] });
    await load(process.url, requestsARound);
  }
  for (let round = 0; round < rounds * 2; round += 1) {
    for (const { process, rounds: done } of servers) {
      done.push(byOwner(await process.profile(() => load(process.url, requestsARound))));
    }
  }
  return servers.flatMap(({ variant, rounds: done }) => [
    ...Object.keys(owners).map((owner) => ({
      what: `${variant}: ${owner}`,
      unit: "µs a request",
      figure: figure(done.map((times) => times.get(owner)! / requestsARound)),
    })),
    {
      what: `${variant}: all`,
      unit: "µs a request",
      figure: figure(done.map((times) => [...times.values()].reduce((sum, each) => sum + each, 0) / requestsARound)),
    },
  ]);
}
