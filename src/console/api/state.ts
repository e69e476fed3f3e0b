import { useQuery } from "@tanstack/react-query";
import { api, bodyOf } from "./client.ts";
import { faultOf } from "./fault.ts";
import { rootAddress } from "./root-address.ts";

const lookedAgainMs = 5_000;

/** What the service says of itself; see docs/info.md, «Health». It stands in no document of the API. */
export interface Health {
  readonly status: "ok" | "degraded";
  readonly version: string;
  readonly role: string;
  readonly uptimeSeconds: number;
  /** What it needs and gets no answer from. */
  readonly failing: readonly ("database" | "queue" | "storage" | "process")[];
}

async function fetchHealth(signal: AbortSignal): Promise<Health> {
  const response = await fetch(new URL("api/health", rootAddress), { signal });
  const body: unknown = await response.json().catch(() => undefined);
  // 503 is an answer, too, where it is the service's own.
  if (typeof body === "object" && body !== null && "failing" in body) return body as Health;
  throw faultOf(response.status, body);
}

/** How the service is, looked at again and again. */
export function useHealth() {
  return useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => fetchHealth(signal),
    refetchInterval: lookedAgainMs,
    // That it does not answer is what somebody came to see.
    retry: false,
  });
}

/** How many runs went how, by task. */
export function useSummary() {
  return useQuery({
    queryKey: ["summary"],
    queryFn: async ({ signal }) => (await bodyOf(api.GET("/api/ml/v1/metrics/summary", { signal }))).items,
    refetchInterval: lookedAgainMs,
  });
}
