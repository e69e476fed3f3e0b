import type { SetQuality } from "./verdict.ts";

/** What our models were measured to be on a few sets: the mean of light and of heavy, by name of the set. */
export type Held = Readonly<Record<string, Readonly<Record<string, number>>>>;

const modes = ["light", "heavy"];
/** Another version of a package, or another way of drawing rows, may change a single set by so much. */
const tolerance = 0.02;
/** What all of them lose together is no chance. */
const meanTolerance = 0.005;

/** Where our models have become worse than they were, in words. */
export function worseThan(held: Held, qualities: readonly SetQuality[]): string[] {
  return modes.flatMap((mode) => {
    const lost = qualities.map(({ set, means }) => ({
      name: set.name,
      loss: (held[set.name]?.[mode] ?? Number.NEGATIVE_INFINITY) - (means[mode] ?? Number.NEGATIVE_INFINITY),
    }));
    const mean = lost.reduce((sum, { loss }) => sum + loss, 0) / lost.length;
    return [
      ...lost
        .filter(({ loss }) => loss > tolerance)
        .map(({ name, loss }) => `${name}: ${mode} is worse by ${told(loss)}`),
      ...(mean > meanTolerance ? [`${mode} is worse by ${told(mean)} on the mean of all sets`] : []),
    ];
  });
}

/** What is to be held from now on. */
export function heldOf(qualities: readonly SetQuality[]): Held {
  const rounded = (means: SetQuality["means"]) => modes.map((mode) => [mode, Number(means[mode]?.toFixed(4))]);
  return Object.fromEntries(qualities.map(({ set, means }) => [set.name, Object.fromEntries(rounded(means))]));
}

const told = (loss: number): string => (Number.isFinite(loss) ? loss.toFixed(3) : "all, it gave no answer");
