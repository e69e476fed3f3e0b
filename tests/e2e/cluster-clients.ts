import { createHash, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { RunningService } from "../support/service.ts";

/** What the service said yes to. */
export interface Acknowledged {
  /** By id of the dataset. */
  readonly datasets: Map<string, { readonly owner: string; readonly sha256: string }>;
  /** By id of the run. */
  readonly runs: Map<string, { readonly owner: string; readonly datasetId: string }>;
}

/** How the clients fared. */
export interface Fate {
  /** Calls whose answer was lost, by a kill or because the client went away. */
  lost: number;
  /** Refusals that ask for a later try, by status and code. */
  readonly refused: Map<string, number>;
  /** Ids of what was sent again although it had been acknowledged, and must be the same. */
  repeated: number;
}

/** One owner's program: it sends until it is told that the service has it. */
export interface Client {
  readonly owner: string;
  /** @returns the dataset's id */
  upload(csv: Buffer, name: string): Promise<string>;
  /** @returns the run's id */
  train(datasetId: string, more: Record<string, unknown>): Promise<string>;
  cancel(runId: string): Promise<void>;
  get(path: string): Promise<Response>;
}

const patienceMs = 90_000;
const lostOnPurpose = 0.1;
const sentAgain = 0.2;

export const sha256 = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex");

interface ClientParts {
  readonly owner: string;
  readonly key: string;
  /** The processes that take calls now, as a load balancer would know them. */
  readonly apis: () => readonly RunningService[];
  readonly next: () => number;
  readonly acknowledged: Acknowledged;
  readonly fate: Fate;
}

/** Every call goes to any api process; a tenth of the answers is not waited for. */
export function createClient({ owner, key, apis, next, acknowledged, fate }: ClientParts): Client {
  const anyUrl = (): string => {
    const known = apis();
    if (known.length === 0) throw new Error("no api process lives");
    return known[Math.floor(next() * known.length)]!.url;
  };
  const send = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${anyUrl()}/api/ml/v1${path}`, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${key}` },
    });

  /** The id that a call is acknowledged with, however often it must be sent. */
  async function persist(make: () => [path: string, init: RequestInit]): Promise<string> {
    const endMs = performance.now() + patienceMs;
    for (;;) {
      const [path, init] = make();
      const leaves = next() < lostOnPurpose;
      try {
        const signal = AbortSignal.timeout(leaves ? Math.ceil(next() * 60) : patienceMs);
        const response = await send(path, { ...init, signal });
        const body = (await response.json()) as { id?: string; code?: string; detail?: string };
        if (response.ok && body.id !== undefined) return body.id;
        const reason = `${response.status} ${body.code}`;
        if (response.status !== 429 && response.status !== 503) throw new RefusedError(`${reason}: ${body.detail}`);
        fate.refused.set(reason, (fate.refused.get(reason) ?? 0) + 1);
      } catch (error) {
        if (error instanceof RefusedError) throw error;
        fate.lost += 1;
        if (performance.now() > endMs) throw new Error(`${owner}: nobody acknowledged ${path}`, { cause: error });
      }
      await delay(50 + next() * 200);
    }
  }

  async function persistTwice(make: () => [path: string, init: RequestInit]): Promise<string> {
    const id = await persist(make);
    if (next() < sentAgain) {
      fate.repeated += 1;
      const again = await persist(make);
      if (again !== id) throw new Error(`${owner}: the same call gave ${id} and then ${again}`);
    }
    return id;
  }

  return {
    owner,
    async upload(csv, name) {
      const id = await persistTwice(() => {
        const body = new FormData();
        body.append("file", new Blob([new Uint8Array(csv)]), "data.csv");
        body.append("name", name);
        return ["/datasets/upload", { method: "POST", body }];
      });
      acknowledged.datasets.set(id, { owner, sha256: sha256(csv) });
      return id;
    },
    async train(datasetId, more) {
      const headers = { "content-type": "application/json", "idempotency-key": randomUUID() };
      const body = JSON.stringify({ datasetId, ...more });
      const id = await persistTwice(() => ["/training-runs", { method: "POST", headers, body }]);
      acknowledged.runs.set(id, { owner, datasetId });
      return id;
    },
    async cancel(runId) {
      const { status } = await send(`/training-runs/${runId}/cancel`, { method: "POST" });
      if (status !== 202) throw new Error(`cancelling ${runId} was answered with ${status}`);
    },
    get: (path) => send(path),
  };
}

/** A refusal for good. */
class RefusedError extends Error {}
