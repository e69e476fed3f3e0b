import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { listenOnPostgres } from "../../../src/store/listen-on-postgres.ts";

test("who can't listen is told so, and nothing goes on trying behind his back", async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const to = { client: { connectionString: `postgres://anyone@127.0.0.1:${port}/any` }, timeoutMs: 1_000 };
  try {
    await expect(listenOnPostgres(to, "any", () => {})).rejects.toThrow();
    // Longer than the pause before another try.
    await delay(1_500);
    expect(connections).toBe(1);
  } finally {
    server.close();
  }
});

test("who gets no answer is told so, and does not wait for ever", async () => {
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const to = { client: { connectionString: `postgres://anyone@127.0.0.1:${port}/any` }, timeoutMs: 1_000 };
  try {
    await expect(listenOnPostgres(to, "any", () => {})).rejects.toThrow();
  } finally {
    server.close();
  }
});
