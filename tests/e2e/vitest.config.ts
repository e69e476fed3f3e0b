import { join } from "node:path";
import { defineConfig } from "vitest/config";

/**
 * Files whose proof is one of times: rules and pauses that are shortened sixtyfold, or bounds on how long a call may take.
 * What else runs would be in their figures, so each of them has the machine to itself, after the others.
 */
const alone = ["alerts", "cluster", "network-faults", "rule-mutation", "truth-at-start", "two-of-each"].map(
  (name) => `tests/e2e/${name}.test.ts`,
);

export default defineConfig({
  test: {
    globalSetup: [join(import.meta.dirname, "../support/end-with-the-run.ts")],
    // For what hangs, not for what is slow: a busy machine takes ten times as long.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Where a file has tests side by side.
    maxConcurrency: 3,
    // Each file has ports, folders and servers of its own: two at a time share nothing but the machine.
    projects: [
      {
        extends: true,
        test: {
          name: "two at a time",
          include: ["tests/e2e/**/*.test.ts"],
          exclude: alone,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
