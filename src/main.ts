/** The composition root: the only file that wires. Started in order, stopped in reverse. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { endOfAnswer } from "../otel/api/request-end.ts";
import { attachRouteAccessor, routeTemplateOf, sentBytesOf } from "../otel/api/route-template.ts";
import { telemetryHandle } from "../otel/api/telemetry.ts";
import { readTelemetrySettings } from "../otel/settings/telemetry-settings.ts";
import { startPredictor } from "./artifacts/predictor.ts";
import { artifactRoutes } from "./artifacts/routes.ts";
import { systemClock } from "./clock.ts";
import { createCsvEngines } from "./datasets/engines/csv-engines.ts";
import { rememberFirstStart } from "./datasets/kept/dataset-repository.ts";
import { reconcileProfiles } from "./datasets/profile/reconcile-profiles.ts";
import { workOnProfile } from "./datasets/profile/work-on-profile.ts";
import { sweepFiles } from "./datasets/removal/sweep-files.ts";
import { runTtlCycle } from "./datasets/removal/ttl-cycle.ts";
import { datasetRoutes } from "./datasets/routes.ts";
import { readDeploymentState } from "./deployment-state.ts";
import { breakOff, failStart, stopInOrder } from "./end-process.ts";
import { hearEndWish } from "./end-wish.ts";
import { createApp } from "./http/app.ts";
import { watchClientErrors } from "./http/client-errors.ts";
import { readConsole } from "./http/console-pages.ts";
import { answersEnded, arrivalLimits, closeServer, listen } from "./http/listen.ts";
import { metricsAddress } from "./http/metrics-address.ts";
import { createMetricsServer, mountMetrics } from "./http/metrics-endpoint.ts";
import { apiPrefix } from "./http/route.ts";
import { createLog, type Logger } from "./log.ts";
import { followScrapes } from "./monitoring/last-scrape.ts";
import { declareRoutes } from "./monitoring/metrics.ts";
import { allowScrapeTime, registerProcessGauges, registerStateGauges } from "./monitoring/state-gauges.ts";
import { startQueue } from "./queue/job-queue.ts";
import { type Round, startReconciliation } from "./reconciliation.ts";
import { type Config, readConfig, tellUnreadNames } from "./settings/config.ts";
import { settingsOrExit } from "./settings/settings-or-exit.ts";
import { type StartProgress, tellProgress } from "./start-progress.ts";
import { claimFiles } from "./storage/claim-files.ts";
import { finishRemovals } from "./storage/finish-removal.ts";
import { openStorage } from "./storage/open-storage.ts";
import { endedWithin } from "./store/bounded-pool.ts";
import { openStore, type Store } from "./store/database.ts";
import { readPostgresConnection } from "./store/postgres-connection.ts";
import { waitForRoom } from "./store/wait-for-room.ts";
import { reconcileRuns } from "./training/reconcile-runs.ts";
import { trainingRoutes } from "./training/routes.ts";
import { startTrainingWorker, type TrainingWorkerParts } from "./training/training-worker.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};
const orphanAgeMs = 3_600_000;
// A younger one may be in hand: who removes a file counts it.
const removalAgeMs = 10_000;
const checkTimeoutMs = 2_000;
/** As a scraper says it: half of it may the reading take, and the rest is for sending it (otel/sdk.ts). */
const lastReadingSeconds = "4";

/** A service that takes requests; `stop()` ends everything in reverse. */
interface Service {
  readonly url: string;
  /** Undefined when metrics are switched off. */
  readonly metricsUrl: string | undefined;
  readonly hasConsole: boolean;
  stop(): Promise<void>;
}

/** What crashes and outages leave half done, finished by every process that works. */
function roundsOf(parts: TrainingWorkerParts & { readonly db: Store["db"] }): Round[] {
  const { clock } = parts;
  return [
    { of: "runs", everySeconds: 5, run: () => reconcileRuns(parts) },
    { of: "profiles", everySeconds: 5, run: () => reconcileProfiles(parts) },
    {
      of: "removals",
      everySeconds: 30,
      run: () => finishRemovals(parts, new Date(clock.nowMs() - removalAgeMs)),
    },
  ];
}

async function start(config: Config, log: Logger, { step, ...progress }: StartProgress): Promise<Service> {
  await using starting = new AsyncDisposableStack();
  const telemetry = telemetryHandle();
  const clock = systemClock;
  // One deadline for requests and trainings together: the process must be gone within the grace and a little more.
  let stopDeadlineMs = Number.POSITIVE_INFINITY;
  let hasStarted = false;
  let isStopping = false;
  const graceLeftSeconds = (): number =>
    Math.max(0, Math.min(stopDeadlineMs - performance.now(), config.shutdownGraceSeconds * 1000)) / 1000;

  const store = await step("opening the database", () => openStore(config, { step, ...progress }));
  starting.defer(() => store.stop());

  const storage = await step("opening the storage of files", () => openStorage(config));
  starting.defer(() => storage.stop());
  await step("asking whose the files are", () => claimFiles(store.db, storage));
  // On the embedded database nobody else lives: every temporary file is left over.
  const temporaryOlderThanMs = store.engine.kind === "pglite" ? 0 : orphanAgeMs;
  const sweeping = { db: store.db, storage, clock, log };
  await step("sweeping files", () => sweepFiles(sweeping, { temporaryOlderThanMs }));

  await rememberFirstStart(store.db, clock.nowMs());
  const csvEngines = createCsvEngines(storage.localFolder);
  starting.defer(() => csvEngines.stop());

  const { trainingTimeoutSeconds, databaseTimeoutSeconds } = config;
  const queueOptions = { log, clock, trainingTimeoutSeconds, databaseTimeoutSeconds };
  const queue = await step("opening the queue", () => startQueue(store, queueOptions));
  starting.defer(() => queue.stop());
  // Read once more by what telemetry sends at its end, where the database may be cut off.
  const gauges = starting.use(new AsyncDisposableStack());
  starting.defer(async () => {
    allowScrapeTime(lastReadingSeconds);
    // A start that fails ends here too, and is yet to be told.
    if (hasStarted) await telemetry?.shutdown();
  });

  const parts = { store, db: store.db, storage, queue, csvEngines, config, clock, log };
  const works = config.role !== "api";
  if (works) starting.defer(await startReconciliation(roundsOf(parts), log));
  const worker = works ? await startTrainingWorker(parts) : undefined;
  // Of its own, since it ends before /metrics does.
  const work = starting.use(new AsyncDisposableStack());
  if (worker !== undefined) {
    work.defer(() => worker.stop(graceLeftSeconds()));
    const profiles = await queue.work("dataset-profile", { concurrency: 1 }, ({ data, signal }) =>
      workOnProfile(parts, String(data.datasetId), signal),
    );
    work.defer(async () => {
      const ended = profiles();
      await endedWithin(ended, graceLeftSeconds() * 1000);
      await csvEngines.profiles.stop();
      await ended;
    });
    const cycles = await queue.work("dataset-ttl", { concurrency: 1 }, async () => {
      await runTtlCycle(parts);
      return "done";
    });
    work.defer(cycles);
    const sweeps = await queue.work("maintenance", { concurrency: 1 }, async () => {
      await sweepFiles(parts, { temporaryOlderThanMs: orphanAgeMs });
      return "done";
    });
    work.defer(sweeps);
    if (config.datasetTtlDays > 0) queue.scheduleEvery("dataset-ttl", config.ttlIntervalSeconds);
  }

  const stopping = new AbortController();
  // Stopped after the server: what is under way may end.
  const predictor = startPredictor(parts);
  starting.defer(() => predictor.stop());
  const routes =
    config.role === "worker"
      ? []
      : [
          ...datasetRoutes(parts),
          ...trainingRoutes({ ...parts, stopping: stopping.signal }),
          ...artifactRoutes({ ...parts, predictor }),
        ];
  declareRoutes([
    ...new Set(routes.map(({ path }) => `${apiPrefix}${path}`)),
    "/",
    "/api/health",
    "/api/health/live",
    "/api/health/ready",
    "/api/docs",
    "/api/openapi.json",
  ]);

  gauges.defer(registerStateGauges(() => readDeploymentState(store, queue, config)));
  gauges.defer(
    registerProcessGauges({
      workerSlots: () => worker?.slots(),
      trainingTimeoutSeconds: config.trainingTimeoutSeconds,
      filesystem: () => storage.space(),
      connections: () => store.connections(),
    }),
  );

  // The first exposition compiles what writes it, which holds up others for 20 ms: now nobody is here yet.
  if (telemetry?.state === "on") {
    await telemetry.render(undefined).catch((error: unknown) => log.warn({ err: error }, "/metrics fails"));
  }

  const ofMetrics = metricsAddress(config, telemetrySettings.metrics?.address);
  const scrapes = followScrapes();
  const endpoint = { path: telemetrySettings.metricsPath, bearerToken: config.metricsBearerToken, telemetry, scrapes };
  const pages =
    config.consoleEnabled && routes.length > 0
      ? readConsole((err) => log.warn({ err }, "the console can't be read"))
      : undefined;
  let isReady = false;
  const app = createApp({
    config,
    log,
    routes,
    version,
    console: pages,
    readiness: {
      isReady: () => isReady,
      isStopping: () => isStopping,
      checks: [
        { name: "database", check: () => store.check(checkTimeoutMs) },
        { name: "queue", check: () => queue.check() },
        { name: "storage", check: () => storage.check() },
      ],
    },
    requestFacts: {
      routeOf: routeTemplateOf,
      sentBytesOf,
      endOf: (request, response) => endOfAnswer(request, response, server),
    },
    mountTelemetry: (application) => {
      attachRouteAccessor(application);
      if (ofMetrics === undefined) mountMetrics(application, endpoint);
    },
  });
  const server = createServer(arrivalLimits, app);
  watchClientErrors(server);
  telemetry?.attachServer?.(server);
  const port = await listen(server, { host: config.host, port: config.port, setBy: "SERVICE_PORT" });
  starting.defer(() => closeServer(server, graceLeftSeconds()));

  let metricsPort = port;
  const metricsServer = ofMetrics && createMetricsServer(endpoint);
  if (ofMetrics !== undefined && metricsServer !== undefined) {
    metricsPort = await listen(metricsServer, ofMetrics);
    starting.defer(() => closeServer(metricsServer, 1));
  }
  starting.defer(async () => {
    isReady = false;
    isStopping = true;
    stopDeadlineMs = performance.now() + config.shutdownGraceSeconds * 1000;
    stopping.abort();
    // Both servers listen on, so that what happens within the grace is scraped; the API refuses work (ADR 0023).
    await Promise.all([answersEnded(server, graceLeftSeconds()), work.disposeAsync()]);
    const expected = scrapes.expected(performance.now());
    if (expected.scrapers === 0) return;
    const waitSeconds = Math.min((expected.dueMs - performance.now()) / 1000, graceLeftSeconds());
    if (waitSeconds > 0)
      log.info({ scrapers: expected.scrapers, waitSeconds: Math.ceil(waitSeconds) }, "waiting for one more scrape");
    const missed = await scrapes.untilReadAgain(stopDeadlineMs);
    if (missed > 0)
      log.warn({ scrapers: missed }, "the last values of the metrics were not read by all: no time is left");
  });
  isReady = true;
  hasStarted = true;

  const running = starting.move();
  const inUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host);
  const metricsUrl =
    telemetry?.state === "disabled"
      ? undefined
      : `http://${inUrl(ofMetrics?.host ?? config.host)}:${metricsPort}${telemetrySettings.metricsPath}`;
  return {
    url: `http://${inUrl(config.host)}:${port}`,
    metricsUrl,
    hasConsole: pages !== undefined,
    stop: () => running.disposeAsync(),
  };
}

/** Metrics may go elsewhere. */
function whyNoMetricsUrl(): string {
  return telemetrySettings.metrics === undefined
    ? "OTEL_METRICS_EXPORTER, PROMETHEUS__ENABLED or OTEL_SDK_DISABLED switches metrics off: nothing is measured and /metrics is 404"
    : "OTEL_METRICS_EXPORTER is without prometheus, or PROMETHEUS__ENABLED is false: metrics are sent, and /metrics is 404";
}

function sayReady(service: Service): void {
  if (config.consoleEnabled && config.role !== "worker" && !service.hasConsole)
    log.info("the console is not built, and / leads to the page of the API: `npm run console:build` makes it");
  log.info({ url: service.url, metricsUrl: service.metricsUrl, version, role: config.role }, "ready");
  if (service.metricsUrl === undefined) log.info(whyNoMetricsUrl());
  if (process.stdout.isTTY)
    process.stdout.write(
      `mlops-backend ${version}: ${service.url}${service.hasConsole ? "/" : "/api/docs"} and ${service.metricsUrl ?? "no metrics"}\n`,
    );
}

const config = settingsOrExit(() => readConfig(process.env));
const telemetrySettings = readTelemetrySettings(process.env).settings;
const end = hearEndWish(() => log);
const log = createLog(config.logLevel, { exportLine: telemetryHandle()?.exportLog, onLost: end.logIsLost });
const life = { config, end, log, telemetry: telemetryHandle() };
tellUnreadNames(log, process.env, telemetrySettings);
if (telemetryHandle() === undefined) {
  log.warn("started without `--import ./otel/register`: nothing is measured and /metrics answers 503");
}
if (config.databaseUrl !== "" && readPostgresConnection(config).connection.isUnchecked)
  log.warn(
    "DATABASE__SSL_MODE=require encrypts to whoever answers: verify-full with DATABASE__SSL_ROOT_CERT checks who it is",
  );
const wished = once(end.signal, "abort");
const starting = waitForRoom(config, log, end.signal, () => start(config, log, tellProgress(log, end.signal)));
const began = await Promise.race([starting, wished]).catch((error: unknown) => ({ error }));
if (end.signal.aborted) process.exit(await breakOff(life, starting));
if ("error" in began) process.exit(await failStart(life, began.error));
const service = await starting;
sayReady(service);
await wished;
process.exit(await stopInOrder(life, service));
