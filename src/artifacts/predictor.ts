import { writeFile } from "node:fs/promises";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { Piscina } from "piscina";
import { DomainError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Config } from "../settings/config.ts";
import type { FileStorage, KeptFile, LocalFile } from "../storage/file-storage.ts";
import { createFairPlaces, type FairPlaces } from "./fair-places.ts";
import { makePrediction, type PredictionAnswer, type PredictionTask } from "./make-prediction.ts";
import { createModelCache } from "./model-cache.ts";
import { laneOf, rowsAtMost } from "./prediction-cost.ts";
import type { ModelFile, ThreadAnswer, ThreadTask } from "./prediction-thread.ts";
import { maxPredictionRows } from "./read-prediction-rows.ts";

/** A prediction that somebody has asked for. */
export interface PredictionRequest extends PredictionTask {
  readonly owner: string;
  readonly model: KeptFile;
  readonly mode: "light" | "heavy";
  /** Of the model; none for a number. */
  readonly classes: readonly string[];
  /** That the model learnt from. */
  readonly columns: readonly string[];
}

/** A model that somebody wants as an ONNX file. */
export interface ExportRequest extends Pick<PredictionRequest, "owner" | "model"> {
  /** Where the file goes. */
  readonly path: string;
}

/** Makes predictions, small ones at once and large ones in threads, and what else is made of whole models. */
export interface Predictor {
  /**
   * @param signal aborted when nobody waits for the answer any more; its reason is thrown
   * @throws DomainError for what is wrong with the body, TOO_MANY_PREDICTIONS, PREDICTION_TOO_LARGE, EXPLANATION_UNAVAILABLE
   */
  predict(request: PredictionRequest, signal: AbortSignal): Promise<PredictionAnswer>;
  /**
   * Writes the model as an ONNX file, made in a thread: it takes a place as a large prediction does. Half a file may stay.
   * @param signal as of a prediction
   * @throws DomainError TOO_MANY_PREDICTIONS, EXPORT_UNAVAILABLE
   */
  exportOnnx(request: ExportRequest, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

// One for predictions that end soon, whatever the others take.
const shortThreads = 1;
// Starting one takes a tenth of a second of CPU, an idle one some memory.
const idleTimeoutMs = 300_000;
// V8's heap of one thread: models are plain objects, twice as large as their file, which is in it as text too.
const threadLimits = { maxOldGenerationSizeMb: 1024 };
// Beyond this no heap of that size holds it.
const largestModelBytes = 256 * 1024 * 1024;
// What the event loop keeps of models is small: larger ones are read by threads.
const loopModels = { models: 32, bytes: 16 * 1024 * 1024 };

/** What work is called, and how it is refused where it is too much. */
interface Refusal {
  readonly work: string;
  tooLarge(why: string, cause?: unknown): DomainError;
}

const ofPrediction: Refusal = {
  work: "The prediction",
  tooLarge: (why, cause) =>
    new DomainError(
      "PREDICTION_TOO_LARGE",
      `${why} Send fewer rows at once, or download the model and predict with XGBoost.`,
      { cause },
    ),
};

const ofExport: Refusal = {
  work: "The export",
  tooLarge: (why, cause) =>
    new DomainError(
      "EXPORT_UNAVAILABLE",
      `${why} Take the model as XGBoost has it (\`format=xgboost\`), or train one of fewer rounds or less depth.`,
      { cause },
    ),
};

function requireHeld({ sizeBytes }: KeptFile, { tooLarge }: Refusal): void {
  if (sizeBytes > largestModelBytes)
    throw tooLarge(`The model has ${sizeBytes} bytes, and what takes a whole one takes up to ${largestModelBytes}.`);
}

/** No prediction is made before somebody asks: threads start then, and end when nobody asks any more. */
export function startPredictor({
  storage,
  config,
  log,
}: {
  readonly storage: FileStorage;
  readonly config: Config;
  readonly log: Logger;
}): Predictor {
  const pool = new Piscina({
    filename: new URL("./prediction-thread.ts", import.meta.url).href,
    minThreads: 0,
    maxThreads: shortThreads + config.predictionThreads,
    idleTimeout: idleTimeoutMs,
    // Threads inherit --import otherwise, and each would start an SDK of its own.
    execArgv: [],
    resourceLimits: threadLimits,
  });
  // Without a listener a fault of an idle thread would end the process; the pool replaces the thread.
  pool.on("error", (error) => log.warn({ err: error }, "predictions: a thread ended"));

  const isShared = new Set(config.apiKeys.map(({ owner }) => owner)).size > 1;
  const inHand = config.maxConcurrentPredictions;
  const places: Record<"short" | "long", FairPlaces> = {
    short: createFairPlaces({ atWork: shortThreads, inHand, isShared }),
    long: createFairPlaces({ atWork: config.predictionThreads, inHand, isShared }),
  };
  const models = createModelCache(loopModels);

  function predictInThread(request: PredictionRequest, signal: AbortSignal): Promise<PredictionAnswer> {
    const { task, body, isStrict, isExplained, model } = request;
    const bytes = ofItsOwn(body.bytes);
    const about = { task, isStrict, isExplained, body: { ...body, bytes } };
    return inThread(about, model, { signal, transferList: [bytes.buffer], refusal: ofPrediction });
  }

  async function inThread<Answer extends object>(
    work: Omit<PredictionTask, "model"> | object,
    { id, sizeBytes, sha256 }: KeptFile,
    { signal, transferList, refusal }: { signal: AbortSignal; transferList: ArrayBuffer[]; refusal: Refusal },
  ): Promise<Answer> {
    await using files = serveModel(() => storage.localFile("artifact", { id, sizeBytes, sha256 }, signal));
    const task: ThreadTask = { ...work, model: { id, sizeBytes }, modelPort: files.port };
    const seconds = config.predictionTimeoutSeconds;
    const timeout = AbortSignal.timeout(seconds * 1000);
    try {
      const answer: ThreadAnswer<Answer> = await pool.run(task, {
        signal: AbortSignal.any([signal, timeout]),
        transferList: [...transferList, files.port],
      });
      if ("fault" in answer) throw new DomainError(answer.fault.code, answer.fault.message, answer.fault);
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      if (timeout.aborted) throw refusal.tooLarge(`${refusal.work} took longer than ${seconds} s.`, error);
      if (isOutOfMemory(error)) throw refusal.tooLarge(`${refusal.work} needs more memory than it has.`, error);
      throw files.fault() ?? error;
    }
  }

  return {
    async predict(request, signal) {
      const { model, body } = request;
      const lane = laneOf({
        format: body.format,
        bodyBytes: body.bytes.length,
        rows: rowsAtMost(body.format, body.bytes, maxPredictionRows),
        mode: request.mode,
        modelBytes: model.sizeBytes,
        isModelRead: models.has(model.id),
        classes: request.classes,
        explainedColumns: request.isExplained ? request.columns : undefined,
      });
      if (lane === "loop") return makePrediction(request, models, () => storage.localFile("artifact", model, signal));
      requireHeld(model, ofPrediction);
      using _place = await places[lane].take(request.owner, signal);
      return await predictInThread(request, signal);
    },
    async exportOnnx({ owner, model, path }, signal) {
      requireHeld(model, ofExport);
      using _place = await places.long.take(owner, signal);
      const how = { signal, transferList: [], refusal: ofExport };
      await writeFile(path, await inThread<Uint8Array<ArrayBuffer>>({}, model, how), { signal });
    },
    stop: () => pool.destroy(),
  };
}

/** Bytes that can be handed over: those that share their memory with others are copied. */
function ofItsOwn(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
}

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";

/** Answers a thread that asks for the model's file, and holds the file until the prediction is over. */
function serveModel(open: () => Promise<LocalFile>): AsyncDisposable & { port: MessagePort; fault(): unknown } {
  const { port1, port2 } = new MessageChannel();
  let opened: Promise<LocalFile | undefined> | undefined;
  let fault: unknown;
  port1.on("message", () => {
    opened = open().then(
      (file) => {
        port1.postMessage({ path: file.path } satisfies ModelFile);
        return file;
      },
      (error: unknown) => {
        fault = error;
        port1.postMessage({} satisfies ModelFile);
        return undefined;
      },
    );
  });
  return {
    port: port2,
    fault: () => fault,
    async [Symbol.asyncDispose]() {
      port1.close();
      await (await opened)?.[Symbol.asyncDispose]();
    },
  };
}
