/** A change of the code that changes nothing that anybody could see. */
export interface EquivalentMutant {
  readonly file: string;
  /** The line, without its indent. */
  readonly line: string;
  readonly replacement: string;
  readonly reason: string;
}

export const equivalent: readonly EquivalentMutant[] = [
  {
    file: "src/training/run-lifecycle.ts",
    line: 'const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";',
    replacement: '"Stryker was here!"',
    reason: "Any text will do that is the code of nothing.",
  },
];
