import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serviceEnvironment, startService } from "../support/service.ts";

const root = new URL("../..", import.meta.url).pathname;

/** `npm start` in a terminal of its own, ended as soon as it is ready. */
function npmStart(
  how: "ctrl-c" | "term",
  place: { dataDir: string; databaseUrl: string },
): Promise<{ code: unknown; output: string }> {
  return new Promise((resolve) => {
    const command = [join(root, "tests/support/terminal.py"), how, '"msg":"ready"', "npm", "start"];
    const options = { cwd: root, env: serviceEnvironment(place, { SHUTDOWN_GRACE_SECONDS: "20" }) };
    execFile("python3", command, options, (error, stdout) => resolve({ code: error?.code ?? 0, output: stdout }));
  });
}

// The terminal tells all of the group, and npm passes on what it was told: the service hears it once or twice, as it happens.
test.each(["ctrl-c", "term"] as const)(
  "npm start in a terminal ends in order each time: %s, ten times",
  async (how) => {
    const service = await startService();
    await service.halt();
    try {
      for (let time = 0; time < 10; time += 1) {
        const { code, output } = await npmStart(how, service);
        expect({ time, code, output }).toMatchObject({ code: 0, output: expect.stringContaining('"msg":"stopped"') });
        expect(existsSync(join(service.dataDir, "owner.lock"))).toBe(false);
      }
    } finally {
      await service.stop();
    }
  },
);
