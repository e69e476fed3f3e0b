/** Preloaded into a measured process: answers over the channel what it has used, from the inside. */
import { Session } from "node:inspector/promises";
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import type { Measured, Question, SelfTime } from "./measured-process.ts";

const resolutionMs = 1;
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
let sampler: NodeJS.Timeout | undefined;
let peakRssBytes = 0;
let longestCollectionMs = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longestCollectionMs = Math.max(longestCollectionMs, duration);
}).observe({ type: "gc" });

// The histogram holds the time between two ticks of its timer, which is the resolution when nothing blocks.
const lateMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolutionMs);

function measure(): Measured {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    rssBytes: process.memoryUsage.rss(),
    peakRssBytes,
    loopP99Ms: lateMs(delay.percentile(99)),
    loopMaxMs: lateMs(delay.max),
    longestCollectionMs,
  };
}

// What `node --cpu-prof` writes, without the start and the warm-up in it.
const session = new Session();
async function startProfile(): Promise<void> {
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 200 });
  await session.post("Profiler.start");
}

async function stopProfile(): Promise<SelfTime[]> {
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  const owners = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  return (profile.samples ?? []).map((id, index) => ({
    functionName: owners.get(id)!.functionName,
    url: owners.get(id)!.url,
    microseconds: profile.timeDeltas![index]!,
  }));
}

process.on("message", async (question: Question) => {
  if (question.what === "watch") {
    delay.reset();
    delay.enable();
    longestCollectionMs = 0;
    peakRssBytes = process.memoryUsage.rss();
    clearInterval(sampler);
    sampler = setInterval(() => {
      peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss());
    }, 10).unref();
  }
  if (question.what === "unwatch") {
    clearInterval(sampler);
    delay.disable();
  }
  if (question.what === "profile") await startProfile();
  const selfTimes = question.what === "unprofile" ? await stopProfile() : undefined;
  process.send?.({ id: question.id, measured: measure(), selfTimes });
});
process.channel?.unref();
