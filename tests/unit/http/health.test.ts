import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { expect, test } from "vitest";
import { mountHealth } from "../../../src/http/health.ts";
import type { Logger } from "../../../src/log.ts";

test("each reason of an outage is said once, also one that comes behind another's back", async () => {
  const said: string[] = [];
  const log = {
    warn: ({ reasons }: { reasons: Record<string, string> }) => void said.push(Object.values(reasons).join()),
    info: (message: string) => void said.push(message),
  } as unknown as Logger;
  let reason: string | undefined;
  const check = async (): Promise<void> => {
    if (reason !== undefined) throw new Error(reason);
  };
  const app = express();
  mountHealth(
    app,
    { isReady: () => true, isStopping: () => false, checks: [{ name: "database", check }] },
    { version: "0", role: "all" },
    log,
  );
  const server = createServer(app).listen(0, "127.0.0.1");
  try {
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/health/ready`;
    for (reason of [
      "ended",
      "ended",
      "no connection left",
      "ended",
      "no connection left",
      undefined,
      undefined,
      "ended",
    ])
      expect((await fetch(url)).status).toBe(reason === undefined ? 200 : 503);
    expect(said).toEqual(["ended", "no connection left", "ready again", "ended"]);
    // A text that is another one each time does not fill the log.
    for (let count = 0; count < 50; count += 1) {
      reason = `number ${count}`;
      await fetch(url);
    }
    expect(said.length).toBeLessThan(20);
  } finally {
    server.close();
  }
});
