import { once } from "node:events";
import type { MessagePort } from "node:worker_threads";
import { DomainError, type ErrorCode, type FieldFault } from "../errors.ts";
import { giveWay } from "../give-way.ts";
import type { LocalFile } from "../storage/file-storage.ts";
import { makePrediction, type PredictionAnswer, type PredictionTask } from "./make-prediction.ts";
import { createModelCache } from "./model-cache.ts";
import { toOnnx } from "./onnx/to-onnx.ts";

/** What the thread gets: rows to predict, or nothing but a model to make an ONNX file of. `modelPort` belongs into the transfer list. */
export type ThreadTask = (PredictionTask | Pick<PredictionTask, "model">) & { readonly modelPort: MessagePort };

/** What the thread gets over the port when it has asked for the model; without a path the other side knows why. */
export interface ModelFile {
  readonly path?: string;
}

/** An error's class and code would not survive the way back. */
export type ThreadAnswer<Answer> = Answer | { readonly fault: ThreadFault };
interface ThreadFault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fields: readonly FieldFault[];
}

const models = createModelCache({ models: 8, bytes: 64 * 1024 * 1024 });

function openBy(port: MessagePort): () => Promise<LocalFile> {
  return async () => {
    const answer = once(port, "message") as Promise<[ModelFile]>;
    port.postMessage("wanted");
    const [{ path }] = await answer;
    if (path === undefined) throw new Error("The model's file can't be had.");
    return { path, [Symbol.asyncDispose]: async () => {} };
  };
}

giveWay();

/** Piscina's entry: the same work as on the event loop, with models of its own, and ONNX files. */
export default async function workInThread(
  task: ThreadTask,
): Promise<ThreadAnswer<PredictionAnswer | Uint8Array<ArrayBuffer>>> {
  const openModel = openBy(task.modelPort);
  try {
    if ("body" in task) return await makePrediction(task, models, openModel);
    return toOnnx(await models.read(task.model, openModel), task.model.id);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { fault: { code: error.code, message: error.message, fields: error.fields } };
  } finally {
    task.modelPort.close();
  }
}
