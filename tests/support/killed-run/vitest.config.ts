import { defineConfig } from "vitest/config";

/** A run of `run-to-kill.ts` alone, for tests/integration/killed-run.test.ts to kill. */
export default defineConfig({
  test: {
    root: new URL("../../..", import.meta.url).pathname,
    include: ["tests/support/killed-run/run-to-kill.ts"],
    globalSetup: ["tests/support/end-with-the-run.ts", "tests/support/migrated-database.ts"],
    testTimeout: 600_000,
  },
});
