import { stat } from "node:fs/promises";

/** What a check is at: fetching a kept file, waiting for an engine, making a plain CSV, reading that, keeping the file. */
export const checkPhases = ["fetching", "waiting", "copying", "reading", "keeping"] as const;
type CheckPhase = (typeof checkPhases)[number];

/** How far a check is. */
interface ProgressOfCheck {
  readonly phase: CheckPhase;
  /** Since the check began. */
  readonly elapsedSeconds: number;
  /** While copying: bytes of the plain CSV so far. */
  readonly copiedBytes?: number;
  /** While reading: which time the file is read, from 1. How often it must be depends on what is found. */
  readonly pass?: number;
  /** While reading: how much of it this pass has read, 0 to 100; absent where that is not known. */
  readonly percentage?: number;
}

/** Where a check says what it is at, and where somebody else looks. */
export interface CheckProgress {
  begin(phase: "fetching" | "waiting" | "keeping"): void;
  /** @param path of the copy that is being written */
  copying(path: string): void;
  /** @param percentageOf the pass that begins, 0 to 100; undefined where it is not known */
  reading(percentageOf: () => number | undefined): void;
  now(): Promise<ProgressOfCheck>;
}

/** @param onBegin called once, when the check begins */
export function createCheckProgress(onBegin: () => void): CheckProgress {
  let beganMs: number | undefined;
  let phase: CheckPhase = "waiting";
  let pass = 0;
  let look: () => Promise<Partial<ProgressOfCheck>> | Partial<ProgressOfCheck> = () => ({});

  function enter(next: CheckPhase, lookAtIt: typeof look): void {
    phase = next;
    look = lookAtIt;
    if (beganMs !== undefined) return;
    beganMs = performance.now();
    onBegin();
  }

  return {
    begin: (next) => enter(next, () => ({})),
    copying: (path) =>
      enter("copying", async () => {
        // Not there yet, or no copy is needed.
        const size = await stat(path).then(
          (file) => file.size,
          () => 0,
        );
        return { copiedBytes: size };
      }),
    reading(percentageOf) {
      pass += 1;
      const ofPass = pass;
      enter("reading", () => {
        const percentage = percentageOf();
        return { pass: ofPass, ...(percentage !== undefined && { percentage: Number(percentage.toFixed(1)) }) };
      });
    },
    async now() {
      const elapsedSeconds = beganMs === undefined ? 0 : (performance.now() - beganMs) / 1000;
      return { phase, elapsedSeconds: Number(elapsedSeconds.toFixed(1)), ...(await look()) };
    },
  };
}
