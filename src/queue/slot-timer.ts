import type { Clock } from "../clock.ts";

/** setTimeout turns longer delays into 1 ms. */
const longestDelayMs = 2_147_000_000;

/** Milliseconds until the next slot begins; slots are multiples of that length since the epoch, the same everywhere. */
export function millisecondsToNextSlot(nowMs: number, seconds: number): number {
  const lengthMs = seconds * 1000;
  return lengthMs - (nowMs % lengthMs);
}

/** Calls `onSlot` at once and then just after the begin of every slot, one call at a time. */
export function startSlotTimer({
  seconds,
  clock,
  onSlot,
  onError,
}: {
  readonly seconds: number;
  readonly clock: Clock;
  readonly onSlot: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}): { stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  const arm = (): void => {
    if (stopped) return;
    // 20 ms into the slot: the database's clock may be a little behind ours, and would see the slot before.
    const delayMs = millisecondsToNextSlot(clock.nowMs(), seconds) + 20;
    timer = delayMs > longestDelayMs ? setTimeout(arm, longestDelayMs) : setTimeout(fire, delayMs);
  };
  const fire = (): void => {
    running = onSlot().catch(onError).finally(arm);
  };
  fire();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
