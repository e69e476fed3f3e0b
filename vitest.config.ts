import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: ["tests/support/end-with-the-run.ts", "tests/support/migrated-database.ts"],
    // For what hangs, not for what is slow: a busy machine takes ten times as long.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 300_000 } },
    maxWorkers: 2,
    // A file belongs to one of them by its folder, or by a name that says otherwise (docs/testing.md).
    projects: [
      {
        extends: true,
        test: {
          name: "quick",
          include: ["tests/unit/**/*.test.ts", "tests/integration/**/*.quick.test.ts"],
          exclude: ["**/*.long.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "long",
          include: ["tests/integration/**/*.test.ts", "tests/unit/**/*.long.test.ts"],
          exclude: ["**/*.quick.test.ts"],
        },
      },
    ],
  },
});
