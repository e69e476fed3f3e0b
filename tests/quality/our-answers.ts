import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startService } from "../e2e/processes.ts";
import type { QualitySet } from "./python-side.ts";

/** The kinds of models that are trained. */
export const modes = ["light", "heavy"] as const;
export type Mode = (typeof modes)[number];

/** What to send in `parameters` of a run, by mode; nothing, where defaults are measured. */
export type Parameters = Readonly<Partial<Record<Mode, object>>>;

/** Who follows how far it is, and may end it. */
export interface Following {
  readonly signal: AbortSignal;
  /** Told of each split, with the seconds that it took. */
  readonly onDone: (set: string, seed: number, seconds: number) => void;
}

interface Run {
  readonly status: string;
  readonly artifactId: string | null;
  readonly error: unknown;
}
interface Prediction {
  readonly prediction: string | number;
  readonly probabilities?: Readonly<Record<string, number>>;
}
type Call = <Answer>(method: string, path: string, body?: RequestInit["body"], type?: string) => Promise<Answer>;

/**
 * Trains on each split of each table and predicts the rows that were kept apart, through the API of a service of its own, as
 * a user would: which rows of those that are sent the models learn from is the service's decision.
 * @param tables where the splits are; the answers are written beside them, as `light.csv` and `heavy.csv`
 * @returns what did not end in answers, in words
 * @throws the signal's reason, with the service ended
 */
export async function writeOurAnswers(
  tables: string,
  sets: readonly QualitySet[],
  parameters: Parameters,
  { signal, onDone }: Following,
): Promise<string[]> {
  const faults: string[] = [];
  const dataDir = await mkdtemp(join(tmpdir(), "mlops-quality-"));
  try {
    const { service, url } = await startService(dataDir);
    await using _ = service;
    const call = callerOf(`${url}/api/ml/v1`);
    for (const set of sets) {
      for (const seed of set.seeds) {
        signal.throwIfAborted();
        const began = performance.now();
        const folder = join(tables, set.name, String(seed));
        faults.push(...(await answerSplit(call, folder, set, parameters).catch((error) => [`${set.name}: ${error}`])));
        onDone(set.name, seed, (performance.now() - began) / 1000);
      }
    }
    return faults;
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Uploads once, trains in both modes, and writes what each says of the rows that were kept apart. */
async function answerSplit(call: Call, folder: string, set: QualitySet, parameters: Parameters): Promise<string[]> {
  const form = new FormData();
  form.set("file", new Blob([await readFile(join(folder, "train.csv"))], { type: "text/csv" }), `${set.name}.csv`);
  form.set("target", set.target);
  // What is a class is known to the user and not to be guessed from digits.
  if (set.metric !== "R²") form.set("types", JSON.stringify({ [set.target]: "text" }));
  const { id: datasetId } = await call<{ id: string }>("POST", "/datasets/upload", form);
  const runs = await Promise.all(
    modes.map(async (mode) => {
      const request = JSON.stringify({ datasetId, mode, parameters: parameters[mode] });
      return { mode, id: (await call<{ id: string }>("POST", "/training-runs", request, "application/json")).id };
    }),
  );
  const faults: string[] = [];
  for (const { mode, id } of runs) {
    const run = await ended(call, id);
    if (run.artifactId === null) faults.push(`${set.name}: ${mode} ${run.status}, ${JSON.stringify(run.error)}`);
    else await writeAnswers(call, run.artifactId, folder, mode, set.positive);
  }
  return faults;
}

async function ended(call: Call, id: string): Promise<Run> {
  for (;;) {
    const run = await call<Run>("GET", `/training-runs/${id}`);
    if (!["queued", "running"].includes(run.status)) return run;
    await delay(100);
  }
}

/** A column `answer`: the chance of the class that is asked for, else what is predicted. */
async function writeAnswers(call: Call, artifact: string, folder: string, mode: Mode, positive: string | null) {
  const lines = ["answer"];
  for (let part = 0; existsSync(join(folder, `ask-${part}.csv`)); part += 1) {
    const rows = await readFile(join(folder, `ask-${part}.csv`));
    const path = `/artifacts/${artifact}/predictions`;
    const { predictions } = await call<{ predictions: Prediction[] }>("POST", path, rows, "text/csv");
    for (const { prediction, probabilities } of predictions) {
      const answer = positive === null ? prediction : probabilities![positive]!;
      lines.push(`"${String(answer).replaceAll('"', '""')}"`);
    }
  }
  await writeFile(join(folder, `${mode}.csv`), `${lines.join("\n")}\n`);
}

function callerOf(api: string): Call {
  return async <Answer>(method: string, path: string, body?: RequestInit["body"], type?: string) => {
    const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
    const response = await fetch(`${api}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Answer;
  };
}
