import { getPriority, setPriority } from "node:os";

/** Leaves a third of the share that the event loop has where both want one core (sched(7), «The nice value»). */
const step = 5;
/** The kernel's last. */
const lowest = 19;

/**
 * Lets the event loop go first: for what computes for long, at its begin. On Linux it is about the thread that calls, and
 * those that it starts later (setpriority(2), «C library/kernel differences»). Elsewhere it would be about the whole
 * process, the event loop among it, so nothing is done. Measured in docs/adr/0022-large-predictions-leave-the-event-loop.md.
 */
export function giveWay(): void {
  if (process.platform !== "linux") return;
  try {
    setPriority(Math.min(getPriority() + step, lowest));
  } catch {
    // A sandbox may forbid it: the work is done all the same.
  }
}
