import { DomainError } from "../errors.ts";

/** How much of it there is. */
export interface PlaceLimits {
  /** Who is at work at once. */
  readonly atWork: number;
  /** Who is at work or waits; above it nobody gets in. */
  readonly inHand: number;
  /** Several owners share: then one has half of either at most. */
  readonly isShared: boolean;
}

/** Somebody who waits, or is at work. */
interface Guest {
  readonly owner: string;
}

const countOf = (guests: Iterable<Guest>, owner: string): number =>
  [...guests].reduce((count, guest) => count + (guest.owner === owner ? 1 : 0), 0);

const shareOf = (whole: number, { isShared }: PlaceLimits): number => (isShared ? Math.ceil(whole / 2) : whole);

/**
 * Who of the waiting goes to work next: of those whose owner may, the one whose owner went longest ago, so that nobody
 * waits for the whole row of another; in the order of their coming where that is equal.
 * @param lastTurns the number of each owner's last turn; absent: never
 */
export function nextToWork<Waiting extends Guest>(
  waiting: readonly Waiting[],
  working: ReadonlySet<Guest>,
  lastTurns: ReadonlyMap<string, number>,
  limits: PlaceLimits,
): Waiting | undefined {
  if (working.size >= limits.atWork) return undefined;
  const turnOf = ({ owner }: Guest): number => lastTurns.get(owner) ?? 0;
  return waiting
    .filter(({ owner }) => countOf(working, owner) < shareOf(limits.atWork, limits))
    .reduce<Waiting | undefined>((first, one) => (first && turnOf(first) <= turnOf(one) ? first : one), undefined);
}

/** A bounded row of those who wait for one of a few places. */
export interface FairPlaces {
  /**
   * Waits for a place; disposing of it gives it to the next.
   * @throws DomainError TOO_MANY_PREDICTIONS at once when the row is full; the signal's reason when that comes first
   */
  take(owner: string, signal: AbortSignal): Promise<Disposable>;
}

/** Empty places. */
export function createFairPlaces(limits: PlaceLimits): FairPlaces {
  const waiting: (Guest & { begin(): void })[] = [];
  const working = new Set<Guest>();
  const lastTurns = new Map<string, number>();
  let turn = 0;

  function admit(): void {
    for (;;) {
      const next = nextToWork(waiting, working, lastTurns, limits);
      if (next === undefined) return;
      waiting.splice(waiting.indexOf(next), 1);
      working.add(next);
      turn += 1;
      lastTurns.set(next.owner, turn);
      next.begin();
    }
  }

  return {
    async take(owner, signal) {
      signal.throwIfAborted();
      const own = countOf(working, owner) + countOf(waiting, owner);
      const all = working.size + waiting.length;
      if (all >= limits.inHand || own >= shareOf(limits.inHand, limits)) {
        throw new DomainError(
          "TOO_MANY_PREDICTIONS",
          `${all} large predictions are under way or wait, ${own} of them yours. Try again in a moment, or send fewer rows at once.`,
          { retryAfterSeconds: 1 },
        );
      }
      const place = Promise.withResolvers<void>();
      const guest = { owner, begin: place.resolve };
      const leave = (): void => {
        const at = waiting.indexOf(guest);
        if (at >= 0) waiting.splice(at, 1);
        working.delete(guest);
        admit();
      };
      const onAbort = (): void => {
        if (waiting.includes(guest)) leave();
        place.reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      waiting.push(guest);
      admit();
      try {
        await place.promise;
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
      return { [Symbol.dispose]: leave };
    },
  };
}
