import { createHash, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Answer, RunningService } from "../support/service.ts";
import { smallCsv } from "../support/small-csv.ts";
import type { actions, Promises } from "./promises.ts";

export const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");
export const isFinal = (status: string): boolean => ["succeeded", "failed", "cancelled"].includes(status);
const rowsToPredict = { rows: [0.1, 0.5, 0.9].map((a) => ({ a, b: 1 - a * a, noise: 0.5 })) };

interface ClientParts {
  readonly promises: Promises;
  readonly next: () => number;
  /** Undefined while there is none. */
  readonly service: () => RunningService | undefined;
  readonly isOver: () => boolean;
}

/** Asks for one thing after the other, and keeps what was answered; what it finds broken it writes down. */
export async function beClient({ promises, next, service, isOver }: ClientParts): Promise<void> {
  const { datasets, runs, models, counts, broken, unanswered } = promises;
  const pick = <Value>(from: Map<string, Value>, isMeant: (value: Value) => boolean): [string, Value] | undefined => {
    const meant = [...from].filter(([, value]) => isMeant(value));
    return meant[Math.floor(next() * meant.length)];
  };
  const isThere = ({ removal }: { removal: string }): boolean => removal === "none";

  const does: Record<(typeof actions)[number], (on: RunningService) => Promise<Answer | undefined>> = {
    async upload(on) {
      const csv = smallCsv(next);
      const answer = await on.upload(csv, { name: randomUUID() });
      if (answer.status === 201) datasets.set(answer.json.id, { sha256: sha256(csv), removal: "none" });
      return answer;
    },
    async train(on) {
      const [datasetId, dataset] = pick(datasets, isThere) ?? [];
      if (dataset === undefined) return undefined;
      const more = next() < 0.7 ? { mode: "light" } : { mode: "heavy", parameters: { rounds: 20 + next() * 400 } };
      if ("parameters" in more && more.parameters) more.parameters.rounds = Math.floor(more.parameters.rounds);
      const answer = await on.call("POST", "/training-runs", { datasetId, ...more });
      if (answer.status === 202) runs.set(answer.json.id, { cancelling: "none", end: undefined });
      if (answer.status === 404 && isThere(dataset)) broken.push(`dataset ${datasetId} is lost, said a training`);
      return answer;
    },
    async cancel(on) {
      const [id, run] = pick(runs, ({ end, cancelling }) => end === undefined && cancelling === "none") ?? [];
      if (run === undefined) return undefined;
      run.cancelling = "asked";
      const answer = await on.call("POST", `/training-runs/${id}/cancel`);
      if (answer.status === 202) run.cancelling = "acknowledged";
      if (answer.status === 404) broken.push(`run ${id} is lost, said its cancelling`);
      return answer;
    },
    async look(on) {
      const [id, run] = pick(runs, () => true) ?? [];
      if (run === undefined) return undefined;
      const answer = await on.call("GET", `/training-runs/${id}`);
      if (answer.status === 404) broken.push(`run ${id} is lost`);
      if (answer.status !== 200 || !isFinal(answer.json.status)) return answer;
      const { status, artifactId, artifactRemovedAt } = answer.json;
      if (run.end !== undefined && run.end !== status) broken.push(`run ${id} was ${run.end} and is ${status}`);
      run.end = status;
      if (artifactId !== null && artifactRemovedAt === null && !models.has(artifactId))
        models.set(artifactId, { removal: "none", prediction: undefined });
      return answer;
    },
    async read(on) {
      const [id, dataset] = pick(datasets, isThere) ?? [];
      if (dataset === undefined) return undefined;
      const answer = await on.call("GET", `/datasets/${id}/content`);
      if (answer.status === 404 && isThere(dataset)) broken.push(`dataset ${id} is lost`);
      if (answer.status === 200 && sha256(answer.text) !== dataset.sha256) broken.push(`dataset ${id} is another`);
      return answer;
    },
    async predict(on) {
      const [id, model] = pick(models, isThere) ?? [];
      if (model === undefined) return undefined;
      const answer = await on.call("POST", `/artifacts/${id}/predictions`, rowsToPredict);
      if (answer.status === 404 && isThere(model)) broken.push(`model ${id} is lost`);
      if (answer.status !== 200) return answer;
      model.prediction ??= answer.text;
      if (model.prediction !== answer.text) broken.push(`model ${id} predicts something else than before`);
      return answer;
    },
    async removeDataset(on) {
      const [id, dataset] = pick(datasets, isThere) ?? [];
      if (dataset === undefined) return undefined;
      dataset.removal = "asked";
      const answer = await on.call("DELETE", `/datasets/${id}`);
      if (answer.status === 204) dataset.removal = "acknowledged";
      if (answer.status === 409) dataset.removal = "none"; // A run needs it.
      return answer;
    },
    async removeModel(on) {
      const [id, model] = pick(models, isThere) ?? [];
      if (model === undefined) return undefined;
      model.removal = "asked";
      const answer = await on.call("DELETE", `/artifacts/${id}`);
      if (answer.status === 204) model.removal = "acknowledged";
      return answer;
    },
  };

  while (!isOver()) {
    const on = service();
    if (on === undefined) {
      await delay(20);
      continue;
    }
    const action = chooseAction(next());
    const answer = await does[action](on).catch(() => {
      unanswered.lost += 1;
      return undefined;
    });
    if (answer === undefined) await delay(5);
    else if (answer.status < 300) counts[action] += 1;
    else if (answer.status === 429 || answer.status === 503) {
      unanswered.later += 1;
      await delay(50);
    } else if (answer.status >= 500) broken.push(`${action} was answered with ${answer.status} ${answer.text}`);
  }
}

/** More of what makes work than of what takes it away. */
function chooseAction(number: number): (typeof actions)[number] {
  const shares = { upload: 24, train: 24, cancel: 6, look: 18, read: 8, predict: 10, removeDataset: 6, removeModel: 4 };
  let left = number * 100;
  for (const [action, share] of Object.entries(shares)) {
    left -= share;
    if (left < 0) return action as (typeof actions)[number];
  }
  return "look";
}
