import { join } from "node:path";
import react from "@vitejs/plugin-react";
import type { InlineConfig } from "vite";

/** How the console is built; addresses in it are relative, since a proxy may serve it below a prefix. */
export function consoleConfig(outDir: string): InlineConfig {
  return {
    root: import.meta.dirname,
    base: "./",
    configFile: false,
    publicDir: false,
    envDir: false,
    logLevel: "warn",
    cacheDir: join(outDir, "../vite"),
    plugins: [react()],
    build: {
      outDir,
      emptyOutDir: true,
      target: "es2022",
      // The policy of the pages lets in no data: address.
      assetsInlineLimit: 0,
      // Browsers of the target have it themselves, and the polyfill is one more script.
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      // In kB as it stands; compressed it is a quarter, which tests/e2e/console-files.test.ts holds to its limit.
      chunkSizeWarningLimit: 900,
    },
  };
}
