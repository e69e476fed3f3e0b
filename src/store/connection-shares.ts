/** The roles of a process, as SERVICE_ROLE names them. */
type Role = "all" | "api" | "worker";

/** What one process may have open to PostgreSQL, and for what. */
export interface ConnectionShares {
  /** The pool of our own statements. */
  readonly pool: number;
  /** The pool of the queue's. */
  readonly queue: number;
}

/** The queue's for each role; the worker's, and that of the event streams while somebody follows one. */
const listeners = { all: 3, api: 2, worker: 2 } as const satisfies Record<Role, number>;
const mostOfQueue = { all: 4, api: 2, worker: 4 } as const satisfies Record<Role, number>;

/** Fewest connections of a process: the listeners, and two for each pool. */
export const fewestConnections = 7;

/** Where DATABASE__MAX_CONNECTIONS is empty: a worker's own statements are few. */
export const usualConnections = { all: 17, api: 14, worker: 10 } as const satisfies Record<Role, number>;

/** Shares out what a process of that role may have. */
export function shareConnections(role: Role, most: number = usualConnections[role]): ConnectionShares {
  const rest = most - listeners[role];
  const queue = Math.min(mostOfQueue[role], Math.floor(rest / 2));
  return { pool: rest - queue, queue };
}
