import { readdirSync, readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { BatchObservableResult, Observable } from "@opentelemetry/api";
import { catalogue, type MetricKey } from "../api/catalogue/catalogue.ts";
import { guarded, meter } from "../api/instruments.ts";
import { type GaugeKey, observedGauge, observeEachRound } from "../api/observed-gauges.ts";

const resolutionMs = 10;
/** Node counts the whole interval of its timer: an idle loop would show 10 ms of delay. */
const delaySeconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1e3);

/** Half of the time that the event-loop figures look back. */
const windowMs = 30_000;

/**
 * Two overlapping histograms, the older of which is read: figures always cover the last 30 to 60 s, and reading
 * changes nothing. The official instrumentation empties its histogram at each read, so that of two Prometheus servers
 * one misses a stall (seen on Node 24, November 2026).
 */
function watchEventLoop(): { read(): ReturnType<typeof monitorEventLoopDelay>; stop(): void } {
  let older = monitorEventLoopDelay({ resolution: resolutionMs });
  let newer = monitorEventLoopDelay({ resolution: resolutionMs });
  older.enable();
  newer.enable();
  const timer = setInterval(() => {
    older.disable();
    older = newer;
    newer = monitorEventLoopDelay({ resolution: resolutionMs });
    newer.enable();
  }, windowMs).unref();
  return {
    read: () => older,
    stop: () => {
      clearInterval(timer);
      older.disable();
      newer.disable();
    },
  };
}

/** Open and most file descriptors; undefined where there is no /proc. */
function fileDescriptors(): { open: number; max: number } | undefined {
  if (process.platform !== "linux") return undefined;
  const limit = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  // Less one: the folder that is being read holds a descriptor itself.
  return {
    open: readdirSync("/proc/self/fd").length - 1,
    max: limit === "unlimited" ? Number.POSITIVE_INFINITY : Number(limit),
  };
}

/** What build_info says. */
export interface Build {
  readonly version: string;
  readonly revision: string;
}

/** Figures of the process, read at scrape; returns what stops them. */
export function startProcessMetrics(build: Build): () => void {
  const eventLoop = watchEventLoop();
  const create = (key: MetricKey): Observable => {
    const { name, kind, unit, description } = catalogue[key];
    const options = { unit, description };
    return kind === "observableCounter"
      ? meter().createObservableCounter(name, options)
      : observedGauge(key as GaugeKey);
  };
  const mean = create("eventLoopDelayMean");
  const p50 = create("eventLoopDelayP50");
  const p99 = create("eventLoopDelayP99");
  const max = create("eventLoopDelayMax");
  const heapUsed = create("heapUsed");
  const heapSizeLimit = create("heapSizeLimit");
  const cpu = create("processCpu");
  const memory = create("processMemory");
  const startTime = create("processStartTime");
  const openFds = create("processOpenFds");
  const maxFds = create("processMaxFds");
  const buildInfo = create("buildInfo");
  const startSeconds = performance.timeOrigin / 1000;

  const readings: ((result: BatchObservableResult) => void)[] = [
    (result) => {
      const delay = eventLoop.read();
      // Nothing sampled yet: absent, not the histogram's own NaN or 2^63.
      if (delay.count === 0) return;
      result.observe(mean, delaySeconds(delay.mean));
      result.observe(p50, delaySeconds(delay.percentile(50)));
      result.observe(p99, delaySeconds(delay.percentile(99)));
      result.observe(max, delaySeconds(delay.max));
    },
    (result) => {
      const heap = getHeapStatistics();
      result.observe(heapUsed, heap.used_heap_size);
      result.observe(heapSizeLimit, heap.heap_size_limit);
    },
    (result) => {
      const { user, system } = process.cpuUsage();
      result.observe(cpu, (user + system) / 1e6);
      result.observe(memory, process.memoryUsage.rss());
      result.observe(startTime, startSeconds);
    },
    (result) => {
      const descriptors = fileDescriptors();
      if (descriptors === undefined) return;
      result.observe(openFds, descriptors.open);
      result.observe(maxFds, descriptors.max);
    },
    (result) => result.observe(buildInfo, 1, { ...build, node: process.versions.node }),
  ];
  // Each reading fails alone: a container without /proc/self/limits must not hide the CPU.
  const callback = (result: BatchObservableResult) => {
    for (const read of readings) guarded(() => read(result));
  };
  const observables = [
    mean,
    p50,
    p99,
    max,
    heapUsed,
    heapSizeLimit,
    cpu,
    memory,
    startTime,
    openFds,
    maxFds,
    buildInfo,
  ];
  const stopObserving = observeEachRound(callback, observables);
  return () => {
    stopObserving();
    eventLoop.stop();
  };
}
