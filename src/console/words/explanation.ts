import type { Prediction } from "../api/answers.ts";

/** What a column adds to an answer: above 0 it speaks for the output, below against it. */
export interface Contribution {
  readonly name: string;
  readonly value: number;
  /** Of the largest one, in size. */
  readonly length: number;
}

/** Why a model says what it says. */
export interface Explanation {
  /** The target, or the class that is spoken for. */
  readonly output: string;
  readonly contributions: readonly Contribution[];
}

/**
 * Why a row is said to be what it is, those that add most first: of more than two classes for the one that is said. Undefined
 * where nothing is told, or nothing adds anything.
 */
export function explanationOf({ prediction, explanation = [] }: Prediction): Explanation | undefined {
  const told = explanation.find(({ output }) => output === prediction) ?? explanation[0];
  if (told === undefined) return undefined;
  const added = Object.entries(told.contributions).filter(([, value]) => value !== 0);
  const largest = Math.max(...added.map(([, value]) => Math.abs(value)));
  if (added.length === 0) return undefined;
  const contributions = added
    .map(([name, value]) => ({ name, value, length: Math.abs(value) / largest }))
    .sort((one, other) => other.length - one.length);
  return { output: told.output, contributions };
}
