import { createServer } from "node:http";
import { afterEach, expect, test } from "vitest";
import { ListenFault, listen } from "../../../src/http/listen.ts";

const servers = new Set<ReturnType<typeof createServer>>();
afterEach(() => {
  for (const server of servers) server.close();
  servers.clear();
});

const listenOn = (host: string, port: number): Promise<number> => {
  const server = createServer();
  servers.add(server);
  return listen(server, { host, port, setBy: "METRICS_PORT" });
};
const faultOf = (host: string, port: number): Promise<unknown> => listenOn(host, port).catch((error) => error);

test("a free port is found, and one that is taken is named with its setting", async () => {
  const port = await listenOn("127.0.0.1", 0);
  expect(port).toBeGreaterThan(0);
  const fault = await faultOf("127.0.0.1", port);
  expect(fault).toBeInstanceOf(ListenFault);
  expect((fault as ListenFault).message).toBe(
    `METRICS_PORT: port ${port} of 127.0.0.1 is taken (EADDRINUSE): stop who listens there, or choose another.`,
  );
});

test("a host that is none of this machine's is named with its setting", async () => {
  // An address for documentation, which nobody has (RFC 5737).
  expect(await faultOf("192.0.2.1", 0)).toMatchObject({
    name: "ListenFault",
    message: "SERVICE_HOST: 192.0.2.1 is no address of this machine (EADDRNOTAVAIL): correct it.",
  });
  expect(await faultOf("no-such-host.invalid", 0)).toMatchObject({
    name: "ListenFault",
    message: expect.stringMatching(
      /^SERVICE_HOST: no-such-host\.invalid does not resolve \((ENOTFOUND|EAI_AGAIN)\): correct it, or the name service\.$/,
    ),
  });
});

test("any other fault passes as it is", async () => {
  const server = createServer();
  servers.add(server);
  await listen(server, { host: "127.0.0.1", port: 0, setBy: "SERVICE_PORT" });
  await expect(listen(server, { host: "127.0.0.1", port: 0, setBy: "SERVICE_PORT" })).rejects.toMatchObject({
    code: "ERR_SERVER_ALREADY_LISTEN",
  });
});
