import { defineConfig } from "vitest/config";

/** The tests of one group, as run.ts names them. */
export default defineConfig({
  test: { include: (process.env.MUTANT_TESTS ?? "").split(" "), testTimeout: 600_000 },
});
