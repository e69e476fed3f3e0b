import type { Toxic } from "./toxiproxy-process.ts";

type Part = "database" | "queue" | "storage";

/** What the network does on one of the two ways, and what must be seen of it. */
export interface NetworkFault {
  readonly name: string;
  readonly way: "database" | "storage";
  readonly toxics: readonly Toxic[];
  /** Alerts whose expressions must become true; others may. */
  readonly alerts: readonly string[];
  /** What /api/health/ready names, all of it and nothing else. */
  readonly failing: readonly Part[];
  /** What it may name beside them. */
  readonly mayFail?: readonly Part[];
  /** Status and code of the calls meanwhile. */
  readonly outcomes: RegExp;
  /** No call takes longer on a machine with nothing else to do. The settings of the test give the database 3 s a statement, the bucket 2 s a call. */
  readonly longestSeconds: number;
  /** It lasts at least that long: healing it would end what hangs. */
  readonly leastSeconds?: number;
}

const cut: readonly Toxic[] = [
  { type: "timeout", stream: "upstream", attributes: { timeout: 0 } },
  { type: "timeout", stream: "downstream", attributes: { timeout: 0 } },
];
const reset: readonly Toxic[] = [{ type: "reset_peer", attributes: { timeout: 0 } }];
const late: readonly Toxic[] = [{ type: "latency", attributes: { latency: 700, jitter: 100 } }];
/** Kilobytes a second of each connection. */
const trickling = (rate: number): readonly Toxic[] => [
  { type: "bandwidth", attributes: { rate } },
  { type: "slicer", attributes: { average_size: 64, size_variation: 32, delay: 100 } },
];

/** What a client may hear while the database is away. */
export const databaseAway = /^(2\d\d|503 DATABASE_UNAVAILABLE)$/;
const storageAway = /^(2\d\d|503 STORAGE_UNAVAILABLE|broken off)$/;

/** What is seen of a way that nothing passes, however that comes. */
const withoutDatabase = {
  way: "database",
  alerts: ["HttpAvailabilityBudgetBurn", "StateUnreadable"],
  failing: ["database", "queue"],
  outcomes: databaseAway,
} as const satisfies Partial<NetworkFault>;
const withoutStorage = {
  way: "storage",
  alerts: ["HttpAvailabilityBudgetBurn", "DatasetUploadsFailing"],
  failing: ["storage"],
  outcomes: storageAway,
} as const satisfies Partial<NetworkFault>;

export const networkFaults: readonly NetworkFault[] = [
  {
    name: "the database answers late",
    way: "database",
    toxics: late,
    alerts: ["HttpLatencyBudgetBurn"],
    failing: [],
    // A new connection takes three round trips, and the check has two seconds.
    mayFail: ["database", "queue"],
    outcomes: /^2\d\d$/,
    longestSeconds: 15,
  },
  {
    name: "the way to the database is cut, and nobody says so",
    ...withoutDatabase,
    toxics: cut,
    // Five for a connection, or four for a statement; neither follows the other.
    longestSeconds: 8,
    leastSeconds: 12,
  },
  {
    name: "connections to the database are reset",
    ...withoutDatabase,
    toxics: reset,
    longestSeconds: 10,
  },
  {
    name: "the database's answers trickle",
    way: "database",
    toxics: trickling(2),
    alerts: ["HttpLatencyBudgetBurn"],
    failing: [],
    mayFail: ["database", "queue"],
    outcomes: databaseAway,
    longestSeconds: 15,
  },
  {
    name: "the bucket answers late",
    way: "storage",
    toxics: late,
    alerts: ["HttpLatencyBudgetBurn"],
    failing: [],
    outcomes: /^2\d\d$/,
    longestSeconds: 10,
  },
  {
    name: "the way to the bucket is cut, and nobody says so",
    ...withoutStorage,
    toxics: cut,
    longestSeconds: 8,
    leastSeconds: 10,
  },
  {
    name: "connections to the bucket are reset",
    ...withoutStorage,
    toxics: reset,
    longestSeconds: 10,
  },
  {
    name: "the bucket's answers trickle",
    way: "storage",
    toxics: trickling(15),
    alerts: ["HttpLatencyBudgetBurn"],
    failing: [],
    outcomes: storageAway,
    longestSeconds: 10,
  },
];
