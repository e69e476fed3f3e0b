import type { RunningService } from "../support/service.ts";
import { tenAtATime } from "../support/ten-at-a-time.ts";
import { isFinal, sha256 } from "./client.ts";
import type { Promises } from "./promises.ts";

/** Asks a service that has nothing to do any more for everything that was acknowledged. */
export async function checkPromises(service: RunningService, promises: Promises): Promise<void> {
  const { datasets, runs, models, broken } = promises;
  const isAnswerOf = (what: string, status: number, removal: string): boolean => {
    if (status === 404 && removal === "none") broken.push(`${what} is lost`);
    if (status !== 404 && removal === "acknowledged") broken.push(`${what} is back, answered with ${status}`);
    if (status !== 404 && status !== 200) broken.push(`${what} was answered with ${status}`);
    return status === 200;
  };
  await tenAtATime(runs, async ([id, { cancelling, end }]) => {
    const { status, json } = await service.call("GET", `/training-runs/${id}`);
    if (status !== 200) return void broken.push(`run ${id} is lost, answered with ${status}`);
    if (!isFinal(json.status)) broken.push(`run ${id} never ends: ${json.status}`);
    if (end !== undefined && end !== json.status) broken.push(`run ${id} was ${end} and is ${json.status}`);
    if (cancelling === "acknowledged" && json.status !== "cancelled")
      broken.push(`run ${id} was cancelled and is ${json.status}`);
    if (json.status === "failed" && json.error.code !== "TRAINING_CRASHED")
      broken.push(`run ${id} failed: ${json.error.code}`);
    if (json.artifactId !== null && json.artifactRemovedAt === null && !models.has(json.artifactId))
      models.set(json.artifactId, { removal: "none", prediction: undefined });
  });
  await tenAtATime(datasets, async ([id, dataset]) => {
    const { status, text } = await service.call("GET", `/datasets/${id}/content`);
    if (isAnswerOf(`dataset ${id}`, status, dataset.removal) && sha256(text) !== dataset.sha256)
      broken.push(`dataset ${id} is another`);
  });
  await tenAtATime(models, async ([id, { removal }]) => {
    const { json, status } = await service.call("GET", `/artifacts/${id}`);
    if (!isAnswerOf(`model ${id}`, status, removal)) return;
    const { text } = await service.call("GET", `/artifacts/${id}/content`);
    if (sha256(text) !== json.sha256) broken.push(`model ${id} is another`);
  });
}
