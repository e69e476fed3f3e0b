import type { Express } from "express";
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
  readonly checks: readonly ReadinessCheck[];
}

async function notAnswering(readiness: Readiness): Promise<string[]> {
  const results = await Promise.allSettled(readiness.checks.map((part) => part.check()));
  const names = readiness.checks
    .filter((_, index) => results[index]?.status === "rejected")
    .map((part) => part.name as string);
  return readiness.isReady() ? names : [...names, "process"];
}

/** Mounts /api/health, /api/health/live and /api/health/ready; no key is asked for. */
export function mountHealth(app: Express, readiness: Readiness, about: { version: string; role: string }): void {
  app.get("/api/health/live", (_request, response) => void response.json({ status: "ok" }));
  app.get("/api/health/ready", async (_request, response) => {
    const failing = await notAnswering(readiness);
    response
      .status(failing.length === 0 ? 200 : 503)
      .json({ status: failing.length === 0 ? "ready" : "not ready", failing });
  });
  app.get("/api/health", async (_request, response) => {
    const failing = await notAnswering(readiness);
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
