import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { closeServer, ListenFault, listen } from "../../../src/http/listen.ts";

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
  // Of one interface, which it does not name; and a machine without IPv6 has none at all.
  expect(await faultOf("fe80::1", 0)).toMatchObject({
    name: "ListenFault",
    message: expect.stringMatching(
      /^SERVICE_HOST: fe80::1 is no address of this machine \((EINVAL|EADDRNOTAVAIL|EAFNOSUPPORT)\): correct it\.$/,
    ),
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

test("a connection whose answer ends while the server stops does not hold it up for its whole patience", async () => {
  const server = createServer((_, response) => {
    response.write("a"); // Its head says keep-alive: nobody knew yet.
    server.once("finish the answer", () => response.end("b"));
  });
  servers.add(server);
  const port = await listen(server, { host: "127.0.0.1", port: 0, setBy: "SERVICE_PORT" });
  const client = connect(port, "127.0.0.1").setEncoding("latin1");
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  let answer = "";
  client.on("data", (text) => (answer += text));
  await once(client, "data");
  const startedMs = performance.now();
  const closed = closeServer(server, 30);
  server.emit("finish the answer");
  await closed;
  if (!client.closed) await once(client, "close");
  expect(performance.now() - startedMs).toBeLessThan(5_000);
  expect(answer).toMatch(/\r\na\r\n1\r\nb\r\n0\r\n\r\n$/);
});
