import { diag } from "@opentelemetry/api";
import { storageKinds } from "../../otel/api/catalogue/datasets.ts";
import { queueJobStates } from "../../otel/api/catalogue/training.ts";
import { guarded } from "../../otel/api/instruments.ts";
import { observedGauge, observeEachRound } from "../../otel/api/observed-gauges.ts";

/** What the whole deployment looks like, read from the database: the same on every replica. */
export interface DeploymentState {
  readonly datasets: number;
  readonly storageBytes: Readonly<Record<(typeof storageKinds)[number], number>>;
  readonly queueJobs: Readonly<Record<(typeof queueJobStates)[number], number>>;
  readonly queueOldestAgeSeconds: number;
  readonly ttlLagSeconds: number;
  readonly ttlLastSuccessTimestampSeconds: number;
  readonly ttlEnabled: boolean;
  readonly ttlIntervalSeconds: number;
  readonly filesMissing: Readonly<Record<(typeof storageKinds)[number], number>>;
}

/** What this process reads at scrape. */
export interface ProcessReaders {
  /** Undefined in a process that trains nothing. */
  readonly workerSlots: () => { readonly busy: number; readonly idle: number } | undefined;
  readonly trainingTimeoutSeconds: number;
  /** Undefined where the files are in no file system. */
  readonly filesystem: () => Promise<{ readonly availableBytes: number; readonly sizeBytes: number } | undefined>;
  readonly connections: () => {
    readonly idle: number;
    readonly used: number;
    readonly max: number;
    readonly pending: number;
  };
}

const cacheMs = 5_000;
const defaultTimeoutMs = 5_000;
/** Whoever may scrape may write the header: one that leaves no time would fail the reading for all others. */
const leastTimeoutMs = 500;
let timeoutMs = defaultTimeoutMs;

/**
 * Takes X-Prometheus-Scrape-Timeout-Seconds: the reading may use half of it, but 0.5 s at least, so that the scrape
 * still answers when the database doesn't.
 */
export function allowScrapeTime(header: string | undefined): void {
  const seconds = Number(header);
  const halfMs = header !== undefined && seconds > 0 ? (seconds * 1000) / 2 : defaultTimeoutMs;
  timeoutMs = Math.min(defaultTimeoutMs, Math.max(leastTimeoutMs, halfMs));
}

/** Rejects after that time; the reading goes on and its late end is ignored. */
async function within<Value>(limitMs: number, work: Promise<Value>): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`No answer within ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Shows the deployment's state, one reading for all gauges, at most 5 s old and shared by scrapes that come together.
 * When it can't be read its gauges are absent, never stale or 0, and `…_state_readable` is 0.
 * @returns what ends it
 */
export function registerStateGauges(
  readState: (timeoutMs: number) => Promise<DeploymentState>,
  nowMs: () => number = () => performance.now(),
): () => void {
  const datasets = observedGauge("datasets");
  const storage = observedGauge("storage");
  const queueJobs = observedGauge("trainingQueueJobs");
  const queueOldestAge = observedGauge("trainingQueueOldestAge");
  const ttlLag = observedGauge("ttlLag");
  const ttlLastSuccess = observedGauge("ttlLastSuccess");
  const ttlEnabled = observedGauge("ttlEnabled");
  const ttlInterval = observedGauge("ttlInterval");
  const filesMissing = observedGauge("filesMissing");
  const readable = observedGauge("stateReadable");

  let cached: { readonly readAtMs: number; readonly state: DeploymentState | undefined } | undefined;
  let reading: Promise<DeploymentState | undefined> | undefined;

  const read = async (): Promise<DeploymentState | undefined> => {
    let state: DeploymentState | undefined;
    try {
      // Its own time-out may not hold when the connection hangs; ours does.
      state = await within(timeoutMs, readState(timeoutMs));
    } catch (error) {
      diag.warn("The deployment's state could not be read for /metrics", error);
    }
    // A fault is kept as long: scrapes must not beat on a database that is down.
    cached = { readAtMs: nowMs(), state };
    return state;
  };
  const current = (): Promise<DeploymentState | undefined> => {
    if (cached !== undefined && nowMs() - cached.readAtMs < cacheMs) return Promise.resolve(cached.state);
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };

  return observeEachRound(
    async (result) => {
      // All callbacks of a round run up to their first wait one after the other: whoever counts the statements that wait
      // for a connection shall not count ours, which would wait at each scrape.
      await Promise.resolve();
      const state = await current();
      guarded(() => result.observe(readable, state === undefined ? 0 : 1));
      if (state === undefined) return;
      guarded(() => {
        result.observe(datasets, state.datasets);
        for (const kind of storageKinds) {
          result.observe(storage, state.storageBytes[kind], { kind });
          result.observe(filesMissing, state.filesMissing[kind], { kind });
        }
        for (const job of queueJobStates) result.observe(queueJobs, state.queueJobs[job], { state: job });
        result.observe(queueOldestAge, state.queueOldestAgeSeconds);
        result.observe(ttlLag, state.ttlLagSeconds);
        result.observe(ttlLastSuccess, state.ttlLastSuccessTimestampSeconds);
        result.observe(ttlEnabled, state.ttlEnabled ? 1 : 0);
        result.observe(ttlInterval, state.ttlIntervalSeconds);
      });
    },
    [
      datasets,
      storage,
      queueJobs,
      queueOldestAge,
      ttlLag,
      ttlLastSuccess,
      ttlEnabled,
      ttlInterval,
      filesMissing,
      readable,
    ],
  );
}

/**
 * Shows what belongs to this process: worker slots, file system, connections, the training time-out. Each reading
 * fails alone and is then absent.
 * @returns what ends it
 */
export function registerProcessGauges({
  workerSlots,
  trainingTimeoutSeconds,
  filesystem,
  connections,
}: ProcessReaders): () => void {
  const slots = observedGauge("trainingWorkerSlots");
  const timeout = observedGauge("trainingTimeout");
  const available = observedGauge("storageFilesystemAvailable");
  const size = observedGauge("storageFilesystemSize");
  const connectionCount = observedGauge("databaseConnections");
  const connectionMax = observedGauge("databaseConnectionsMax");
  const connectionPending = observedGauge("databaseConnectionsPending");
  return observeEachRound(
    async (result) => {
      guarded(() => result.observe(timeout, trainingTimeoutSeconds));
      guarded(() => {
        const now = workerSlots();
        if (now === undefined) return;
        result.observe(slots, now.busy, { state: "busy" });
        result.observe(slots, now.idle, { state: "idle" });
      });
      guarded(() => {
        const now = connections();
        result.observe(connectionCount, now.idle, { "db.client.connection.state": "idle" });
        result.observe(connectionCount, now.used, { "db.client.connection.state": "used" });
        result.observe(connectionMax, now.max);
        result.observe(connectionPending, now.pending);
      });
      try {
        // A network file system can hang for ever; the scrape must not.
        const now = await within(timeoutMs, filesystem());
        if (now === undefined) return;
        result.observe(available, now.availableBytes);
        result.observe(size, now.sizeBytes);
      } catch (error) {
        diag.warn("The file system could not be read for /metrics", error);
      }
    },
    [slots, timeout, available, size, connectionCount, connectionMax, connectionPending],
  );
}
