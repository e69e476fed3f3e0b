import autocannon from "autocannon";
import { figure, type Line } from "./figures.ts";
import { MeasuredProcess } from "./measured-process.ts";

const variants = ["bare", "disabled", "ours", "prom-client", "official-http", "official-auto"] as const;
type Variant = (typeof variants)[number];
const requestsARound = 5_000;
const warmUpRequests = 10_000;

function startServer(variant: Variant): Promise<MeasuredProcess> {
  const register = variant === "ours" || variant === "disabled" ? ["--import", "./otel/register"] : [];
  return MeasuredProcess.start([...register, "tests/bench/servers/item-app.cts"], {
    BENCH_VARIANT: variant,
    ...(variant === "disabled" ? { OTEL_SDK_DISABLED: "true" } : {}),
  });
}

async function load(url: string, amount: number): Promise<void> {
  const result = await autocannon({ url: `${url}/items/42`, connections: 10, amount });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} answers were no 2xx, ${result.errors} failed`);
}

/** CPU of a small request, by the ways to measure it: servers side by side, rounds interleaved. */
export async function benchHttp(rounds: number): Promise<Line[]> {
  await using open = new AsyncDisposableStack();
  const servers: { variant: Variant; process: MeasuredProcess; cpu: number[] }[] = [];
  for (const variant of variants) {
    servers.push({ variant, process: open.use(await startServer(variant)), cpu: [] });
  }
  for (const { process } of servers) await load(process.url, warmUpRequests);
  for (let round = 0; round < rounds * 3; round += 1) {
    for (const { process, cpu } of servers) {
      const seconds = await process.cpuSecondsOf(() => load(process.url, requestsARound));
      cpu.push((seconds / requestsARound) * 1_000);
    }
  }
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
    { what: "disabled / bare", unit: "×", figure: ratio("disabled", "bare"), atMost: 1.02 },
    { what: "prom-client bundle / bare", unit: "×", figure: ratio("prom-client", "bare") },
    { what: "official HTTP instrumentation / bare", unit: "×", figure: ratio("official-http", "bare") },
    { what: "official auto-instrumentations / bare", unit: "×", figure: ratio("official-auto", "bare") },
  ];
}
