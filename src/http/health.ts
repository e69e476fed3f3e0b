import type { Express } from "express";
import type { Logger } from "../log.ts";
import { methodNotAllowed } from "./method-not-allowed.ts";

/** Something the service needs, asked whether it answers. */
export interface ReadinessCheck {
  readonly name: "database" | "queue" | "storage";
  /** Throws when it does not answer. */
  check(): Promise<void>;
}

/** Whether the process takes work: false before its start is whole and from the first signal to stop. */
export interface Readiness {
  isReady(): boolean;
  /** From the first wish that it ends. */
  isStopping(): boolean;
  readonly checks: readonly ReadinessCheck[];
}

const longestCheckMs = 3_000;
/** Should its text be another one each time. */
const mostReasonsOfAnOutage = 10;

/**
 * Says why something does not answer, once for each change and each reason: probes come every few seconds, and what ends a
 * connection is not always what keeps the next one from being made.
 */
function logChanges(log: Logger): (reasons: Readonly<Record<string, string>>) => void {
  let known = "";
  const said = new Set<string>();
  return (reasons) => {
    const failing = Object.keys(reasons).join(", ");
    const texts = Object.values(reasons);
    const isNew = said.size < mostReasonsOfAnOutage && texts.some((text) => !said.has(text));
    if (failing === known && !isNew) return;
    known = failing;
    for (const text of texts) said.add(text);
    if (failing !== "") return log.warn({ reasons }, "not ready: what the service needs does not answer");
    said.clear();
    log.info("ready again");
  };
}

/** A check that hangs has failed: whoever asks wants an answer. */
async function checked({ check }: ReadinessCheck): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`No answer within ${longestCheckMs} ms.`)), longestCheckMs);
  try {
    await Promise.race([check(), promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function notAnswering(
  readiness: Readiness,
  onResult: (reasons: Readonly<Record<string, string>>) => void,
): Promise<string[]> {
  const results = await Promise.allSettled(readiness.checks.map(checked));
  const reasons: Record<string, string> = {};
  for (const [index, { name }] of readiness.checks.entries()) {
    const result = results[index];
    if (result?.status === "rejected")
      reasons[name] = result.reason instanceof Error ? result.reason.message : String(result.reason);
  }
  const names = Object.keys(reasons);
  // While it stops, what is closed already is no news.
  if (!readiness.isReady()) return [...names, "process"];
  onResult(reasons);
  return names;
}

/** Mounts /api/health, /api/health/live and /api/health/ready; no key is asked for. */
export function mountHealth(
  app: Express,
  readiness: Readiness,
  about: { version: string; role: string },
  log: Logger,
): void {
  const onResult = logChanges(log);
  app.get("/api/health/live", (_request, response) => void response.json({ status: "ok" }));
  app.get("/api/health/ready", async (_request, response) => {
    const failing = await notAnswering(readiness, onResult);
    response
      .status(failing.length === 0 ? 200 : 503)
      .json({ status: failing.length === 0 ? "ready" : "not ready", failing });
  });
  app.get("/api/health", async (_request, response) => {
    const failing = await notAnswering(readiness, onResult);
    response.status(failing.length === 0 ? 200 : 503).json({
      status: failing.length === 0 ? "ok" : "degraded",
      ...about,
      uptimeSeconds: Math.round(process.uptime()),
      failing,
    });
  });
  // One by one: the metrics name a request by its route's first path.
  for (const path of ["/api/health", "/api/health/live", "/api/health/ready"]) app.all(path, methodNotAllowed(["get"]));
}
