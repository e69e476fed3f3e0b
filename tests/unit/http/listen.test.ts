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
  // Its whole patience would be longer than the test may take.
  const closed = closeServer(server, 3_600);
  server.emit("finish the answer");
  await closed;
  if (!client.closed) await once(client, "close");
  expect(answer).toMatch(/\r\na\r\n1\r\nb\r\n0\r\n\r\n$/);
});

/** A client that has asked and takes nothing of the answer until it is told to. */
async function slowClient(port: number): Promise<{ takeAll(): Promise<number> }> {
  const client = connect(port, "127.0.0.1").pause();
  await once(client, "connect");
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  return {
    async takeAll() {
      let bytes = 0;
      client.on("data", (chunk: Buffer) => (bytes += chunk.length)).resume();
      client.on("error", () => {});
      if (!client.closed) await once(client, "close");
      return bytes;
    },
  };
}

test("an answer that is written but not yet taken by its client is not thrown away by a stop", async () => {
  // More than the system keeps of a connection for both sides.
  const body = Buffer.alloc(32 * 1024 * 1024, "a");
  const answered = Promise.withResolvers<void>();
  const server = createServer((_, response) => {
    response.end(body);
    answered.resolve();
  });
  servers.add(server);
  const port = await listen(server, { host: "127.0.0.1", port: 0, setBy: "SERVICE_PORT" });
  const client = await slowClient(port);
  await answered.promise;
  const closed = closeServer(server, 60);
  expect(await client.takeAll()).toBeGreaterThan(body.length);
  await closed;
});

test("a connection that asks nothing does not hold up a stop; one that is answered gets its time, and no more", async () => {
  const server = createServer(() => {});
  servers.add(server);
  const port = await listen(server, { host: "127.0.0.1", port: 0, setBy: "SERVICE_PORT" });
  const silent = connect(port, "127.0.0.1").on("error", () => {});
  await once(silent, "connect");
  // Taken by the server, too: it has no other connections.
  while ((await connectionsOf(server)) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  let isStopped = false;
  const closed = closeServer(server, 600).then(() => (isStopped = true));
  await closed;
  expect(isStopped).toBe(true);

  const unanswered = createServer(() => {});
  servers.add(unanswered);
  const asked = once(unanswered, "request");
  const client = connect(await listen(unanswered, { host: "127.0.0.1", port: 0, setBy: "SERVICE_PORT" }), "127.0.0.1");
  client.on("error", () => {});
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await asked;
  await closeServer(unanswered, 0.05);
});

const connectionsOf = (server: ReturnType<typeof createServer>): Promise<number> =>
  new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );
