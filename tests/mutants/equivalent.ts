/** A change of the code that changes nothing that anybody could see. */
export interface EquivalentMutant {
  readonly file: string;
  /** The line, without its indent. */
  readonly line: string;
  readonly replacement: string;
  readonly reason: string;
}

export const equivalent: readonly EquivalentMutant[] = [];
