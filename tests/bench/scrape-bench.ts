import { setTimeout as delay } from "node:timers/promises";
import { figure, type Line } from "./figures.ts";
import { send } from "./http-client.ts";
import { MeasuredProcess } from "./measured-process.ts";

const variants = ["ours", "official", "prom-client"] as const;
const sizes = [100, 1_000, 1_900, 2_000];
/** The official exporter folds what lies beyond 2,000 sets, its overflow included. */
const mostOfOthers = 1_900;
const warmUpScrapes = 5;

/** CPU and longest event-loop block of a scrape of one histogram with 14 bounds, at several numbers of label sets. */
export async function benchScrape(rounds: number): Promise<Line[]> {
  const lines: Line[] = [];
  for (const sets of sizes) {
    await using open = new AsyncDisposableStack();
    const servers: {
      variant: (typeof variants)[number];
      process: MeasuredProcess;
      cpuMs: number[];
      clockMs: number[];
      blockMs: number[];
    }[] = [];
    for (const variant of variants.filter((one) => one === "ours" || sets <= mostOfOthers)) {
      const environment = { BENCH_VARIANT: variant, BENCH_SETS: String(sets) };
      const process = open.use(await MeasuredProcess.start(["tests/bench/servers/label-sets.ts"], environment));
      servers.push({ variant, process, cpuMs: [], clockMs: [], blockMs: [] });
    }
    for (let round = 0; round < warmUpScrapes + rounds * 4; round += 1) {
      for (const { process, cpuMs, clockMs, blockMs } of servers) {
        const scrape = async (): Promise<void> => {
          const { status, text } = await send("GET", `${process.url}/metrics`);
          if (status !== 200 || !text.includes(`/api/items/${sets - 1}"`))
            throw new Error("the scrape lacks its series");
        };
        const cpuSeconds = await process.cpuSecondsOf(scrape);
        const beganMs = performance.now();
        await scrape();
        const tookMs = performance.now() - beganMs;
        const seen = await process.watch(async () => {
          await delay(5);
          await scrape();
          await delay(5);
        });
        if (round < warmUpScrapes) continue;
        cpuMs.push(cpuSeconds * 1_000);
        clockMs.push(tookMs);
        blockMs.push(seen.loopMaxMs);
      }
    }
    const of = (variant: (typeof variants)[number]) => servers.find((server) => server.variant === variant)!;
    for (const { variant, cpuMs, clockMs, blockMs } of servers) {
      lines.push({ what: `scrape of ${sets} label sets, ${variant}, CPU`, unit: "ms", figure: figure(cpuMs) });
      lines.push({ what: `scrape of ${sets} label sets, ${variant}, clock`, unit: "ms", figure: figure(clockMs) });
      lines.push({
        what: `longest block at ${sets} label sets, ${variant}`,
        unit: "ms",
        figure: figure(blockMs),
        ...(variant === "ours" ? { atMost: 10 } : {}),
      });
    }
    if (sets > mostOfOthers) continue;
    for (const [peer, atMost] of [
      ["official", 0.15],
      ["prom-client", 0.5],
    ] as const) {
      const each = of("ours").cpuMs.map((value, index) => value / of(peer).cpuMs[index]!);
      const median = figure(of("ours").cpuMs).median / figure(of(peer).cpuMs).median;
      lines.push({
        what: `scrape of ${sets} label sets, ours / ${peer}`,
        unit: "×",
        figure: { ...figure(each), median },
        ...(sets === 1_000 ? { atMost } : {}),
      });
    }
  }
  return lines;
}
