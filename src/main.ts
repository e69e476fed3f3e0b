/** The composition root: the only file that wires. Started in order, stopped in reverse. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { endOf } from "../otel/request-end.ts";
import { attachRouteAccessor, routeTemplateOf, sentBytesOf } from "../otel/route-template.ts";
import { telemetryHandle } from "../otel/telemetry.ts";
import { readTelemetrySettings } from "../otel/telemetry-settings.ts";
import { artifactTotals } from "./artifacts/artifact-repository.ts";
import { artifactRoutes } from "./artifacts/routes.ts";
import { systemClock } from "./clock.ts";
import { type Config, readConfig, tellUnreadNames } from "./config.ts";
import { openCsvEngine } from "./datasets/csv-engine.ts";
import { datasetTotals, readTtlState, rememberFirstStart } from "./datasets/dataset-repository.ts";
import { profileDataset } from "./datasets/profile-dataset.ts";
import { datasetRoutes } from "./datasets/routes.ts";
import { sweepFiles } from "./datasets/sweep-files.ts";
import { runTtlCycle } from "./datasets/ttl-cycle.ts";
import { explainFault } from "./explain-fault.ts";
import { createApp } from "./http/app.ts";
import { closeServer, listen } from "./http/listen.ts";
import { apiPrefix } from "./http/route.ts";
import { createLog, type Logger } from "./log.ts";
import { declareRoutes } from "./monitoring/metrics.ts";
import { createMetricsServer, mountMetrics, watchClientErrors } from "./monitoring/setup.ts";
import { type DeploymentState, registerProcessGauges, registerStateGauges } from "./monitoring/state-gauges.ts";
import { type JobQueue, JobReturnedError, startQueue } from "./queue/job-queue.ts";
import { settingsOrExit } from "./settings-or-exit.ts";
import { claimFiles } from "./storage/claim-files.ts";
import { openStorage } from "./storage/open-storage.ts";
import { openStore, type Store } from "./store/database.ts";
import { readPostgresConnection } from "./store/postgres-connection.ts";
import { waitForRoom } from "./store/wait-for-room.ts";
import { trainingRoutes } from "./training/routes.ts";
import { startTrainingWorker } from "./training/training-worker.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};
const orphanAgeMs = 3_600_000;
const checkTimeoutMs = 2_000;

/** A service that takes requests; `stop()` ends everything in reverse. */
interface Service {
  readonly url: string;
  /** Undefined when metrics are switched off. */
  readonly metricsUrl: string | undefined;
  stop(): Promise<void>;
}

async function readDeploymentState(store: Store, queue: JobQueue, config: Config): Promise<DeploymentState> {
  const [datasets, artifacts, jobs, ttl] = await Promise.all([
    datasetTotals(store.db),
    artifactTotals(store.db),
    queue.counts("training"),
    readTtlState(store.db, config, systemClock),
  ]);
  return {
    datasets: datasets.count,
    storageBytes: { dataset: datasets.sizeBytes, artifact: artifacts.sizeBytes },
    queueJobs: { queued: jobs.queued, active: jobs.active, retry: jobs.retry, failed: jobs.failed },
    queueOldestAgeSeconds: jobs.oldestAgeSeconds,
    ttlLagSeconds: ttl.lagSeconds,
    ttlLastSuccessTimestampSeconds: ttl.lastSuccessTimestampSeconds,
    ttlEnabled: config.datasetTtlDays > 0,
    ttlIntervalSeconds: config.ttlIntervalSeconds,
    filesMissing: { dataset: datasets.filesMissing, artifact: artifacts.filesMissing },
  };
}

async function start(config: Config, log: Logger): Promise<Service> {
  await using starting = new AsyncDisposableStack();
  const telemetry = telemetryHandle();
  const telemetrySettings = readTelemetrySettings(process.env).settings;
  const clock = systemClock;
  // One deadline for requests and trainings together: the process must be gone within the grace and a little more.
  let stopDeadlineMs = Number.POSITIVE_INFINITY;
  let hasStarted = false;
  const graceLeftSeconds = (): number =>
    Math.max(0, Math.min(stopDeadlineMs - performance.now(), config.shutdownGraceSeconds * 1000)) / 1000;

  const store = await openStore(config);
  starting.defer(() => store.stop());

  const storage = await openStorage(config);
  starting.defer(() => storage.stop());
  await claimFiles(store.db, storage);
  // On the embedded database nobody else lives: every temporary file is left over.
  const temporaryOlderThanMs = store.engine.kind === "pglite" ? 0 : orphanAgeMs;
  await sweepFiles({ db: store.db, storage, clock, log }, { temporaryOlderThanMs });

  await rememberFirstStart(store.db, clock.nowMs());
  const csvEngine = await openCsvEngine(storage.localFolder);
  starting.defer(async () => csvEngine.close());

  const { trainingTimeoutSeconds, databaseTimeoutSeconds } = config;
  const queue = await startQueue(store, { log, clock, trainingTimeoutSeconds, databaseTimeoutSeconds });
  starting.defer(() => queue.stop());
  starting.defer(async () => {
    // A start that fails ends here too, and is yet to be told.
    if (hasStarted) await telemetry?.shutdown();
  });

  const parts = { store, db: store.db, storage, queue, csvEngine, config, clock, log };
  const works = config.role !== "api";
  const worker = works ? await startTrainingWorker(parts) : undefined;
  if (worker !== undefined) {
    starting.defer(() => worker.stop(graceLeftSeconds()));
    const profiles = await queue.work("dataset-profile", { concurrency: 1 }, async ({ data }) => {
      try {
        await profileDataset(parts, String(data.datasetId));
      } catch (error) {
        log.warn({ err: error, datasetId: data.datasetId }, "a dataset's profile could not be made");
        throw new JobReturnedError("The profile could not be made.", { cause: error });
      }
      return "done";
    });
    starting.defer(profiles);
    const cycles = await queue.work("dataset-ttl", { concurrency: 1 }, async () => {
      await runTtlCycle(parts);
      return "done";
    });
    starting.defer(cycles);
    const sweeps = await queue.work("maintenance", { concurrency: 1 }, async () => {
      await sweepFiles(parts, { temporaryOlderThanMs: orphanAgeMs });
      return "done";
    });
    starting.defer(sweeps);
    if (config.datasetTtlDays > 0) queue.scheduleEvery("dataset-ttl", config.ttlIntervalSeconds);
  }

  const stopping = new AbortController();
  const routes =
    config.role === "worker"
      ? []
      : [...datasetRoutes(parts), ...trainingRoutes({ ...parts, stopping: stopping.signal }), ...artifactRoutes(parts)];
  declareRoutes([
    ...new Set(routes.map(({ path }) => `${apiPrefix}${path}`)),
    "/",
    "/api/health",
    "/api/health/live",
    "/api/health/ready",
    "/api/docs",
    "/api/openapi.json",
  ]);

  starting.defer(async () => registerStop());
  const stopStateGauges = registerStateGauges(() => readDeploymentState(store, queue, config));
  const stopProcessGauges = registerProcessGauges({
    workerSlots: () => worker?.slots(),
    trainingTimeoutSeconds: config.trainingTimeoutSeconds,
    filesystem: () => storage.space(),
    connections: () => store.connections(),
  });
  const registerStop = (): void => {
    stopStateGauges();
    stopProcessGauges();
  };

  // The first exposition compiles what writes it, which holds up others for 20 ms: now nobody is here yet.
  if (telemetry?.state === "on") {
    await telemetry.render(undefined).catch((error: unknown) => log.warn({ err: error }, "/metrics fails"));
  }

  const endpoint = { path: telemetrySettings.metricsPath, bearerToken: config.metricsBearerToken, telemetry };
  let isReady = false;
  const app = createApp({
    config,
    log,
    routes,
    version,
    readiness: {
      isReady: () => isReady,
      checks: [
        { name: "database", check: () => store.check(checkTimeoutMs) },
        { name: "queue", check: () => queue.check() },
        { name: "storage", check: () => storage.check() },
      ],
    },
    requestFacts: { routeOf: routeTemplateOf, sentBytesOf, endOf: (request) => endOf(request, server) },
    mountTelemetry: (application) => {
      attachRouteAccessor(application);
      if (config.metricsPort === undefined) mountMetrics(application, endpoint);
    },
  });
  const server = createServer({ requestTimeout: 300_000, headersTimeout: 20_000 }, app);
  watchClientErrors(server);
  telemetry?.attachServer?.(server);
  const port = await listen(server, { host: config.host, port: config.port, setBy: "SERVICE_PORT" });
  starting.defer(() => closeServer(server, graceLeftSeconds()));
  starting.defer(async () => stopping.abort());

  const metricsServer = config.metricsPort === undefined ? undefined : createMetricsServer(endpoint);
  let metricsPort = port;
  if (metricsServer !== undefined) {
    const address = { host: config.host, port: config.metricsPort ?? 0, setBy: "METRICS_PORT" } as const;
    metricsPort = await listen(metricsServer, address);
    starting.defer(() => closeServer(metricsServer, 1));
  }
  starting.defer(async () => {
    isReady = false;
    stopDeadlineMs = performance.now() + config.shutdownGraceSeconds * 1000;
  });
  isReady = true;
  hasStarted = true;

  const running = starting.move();
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  const metricsUrl =
    telemetry?.state === "disabled" ? undefined : `http://${host}:${metricsPort}${telemetrySettings.metricsPath}`;
  return { url: `http://${host}:${port}`, metricsUrl, stop: () => running.disposeAsync() };
}

const config = settingsOrExit(() => readConfig(process.env));
const log = createLog(config.logLevel, { exportLine: telemetryHandle()?.exportLog });
tellUnreadNames(log, process.env);
if (telemetryHandle() === undefined) {
  log.warn("started without `--import ./otel/register`: nothing is measured and /metrics answers 503");
}
try {
  if (config.databaseUrl !== "" && readPostgresConnection(config).connection.isUnchecked)
    log.warn(
      "DATABASE__SSL_MODE=require encrypts to whoever answers: verify-full with DATABASE__SSL_ROOT_CERT checks who it is",
    );
  const service = await waitForRoom(config, log, () => start(config, log));
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    // A second signal ends at once: whoever sends it does not want to wait.
    if (isStopping) process.exit(1);
    isStopping = true;
    log.info({ signal }, "stopping");
    service.stop().then(
      () => {
        log.info("stopped");
        process.exit(0);
      },
      (error: unknown) => {
        log.error({ err: error }, "stopping failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  log.info({ url: service.url, metricsUrl: service.metricsUrl, version, role: config.role }, "ready");
  if (service.metricsUrl === undefined)
    log.info("PROMETHEUS__ENABLED or OTEL_SDK_DISABLED switches metrics off: nothing is measured and /metrics is 404");
  if (process.stdout.isTTY)
    process.stdout.write(
      `mlops-backend ${version}: ${service.url}/api/docs and ${service.metricsUrl ?? "no metrics"}\n`,
    );
} catch (error) {
  const reason = explainFault(error, config);
  if (reason !== undefined) process.stderr.write(`${reason}\n`);
  log.fatal(reason === undefined ? { err: error } : { reason }, "start failed");
  try {
    // A few seconds at most.
    await telemetryHandle()?.shutdown();
  } finally {
    process.exit(1);
  }
}
