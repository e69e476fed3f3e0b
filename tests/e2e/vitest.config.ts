import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/e2e/**/*.test.ts"],
    // For what hangs, not for what is slow: a busy machine takes ten times as long.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Each file starts real processes; two at once would disturb each other's times.
    fileParallelism: false,
    // Where a file has tests side by side.
    maxConcurrency: 3,
  },
});
