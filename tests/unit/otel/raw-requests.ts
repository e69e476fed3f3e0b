import { once } from "node:events";
import { request as httpRequest, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect } from "vitest";

/** Sends bytes as they are and reads until the server is silent or closes. */
export async function sendRaw(port: number, text: string, answers: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const closed = once(socket, "close");
  let received = "";
  socket.on("data", (chunk) => {
    received += String(chunk);
  });
  socket.on("error", () => {});
  socket.write(text);
  await expect.poll(() => received.split("HTTP/1.1 ").length - 1).toBeGreaterThanOrEqual(answers);
  socket.end();
  await closed;
  return received;
}

/** Two requests on one connection, the second only once the first is answered. */
export async function sendInTurn(port: number, first: string, second: string): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  const closed = once(socket, "close");
  socket.on("error", () => {});
  socket.write(first);
  await once(socket, "data");
  socket.resume().end(second);
  await closed;
}

/** Goes away when the first of its pipelined requests is answered: one is in hand then, and one has to wait. */
export async function breakOffPipelined(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const paths = ["/api/items/1", "/api/endless", "/api/items/2"];
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""));
  let received = "";
  for await (const chunk of socket) {
    received += String(chunk);
    if (received.includes(": hello")) break; // which destroys the socket
  }
}

let lastMark = 0;

/** Goes away in the middle, once the server has the request: what never reached it can't be counted. */
export async function breakOff(server: Server, route: string, method: string): Promise<void> {
  lastMark += 1;
  const path = `${route}?mark=${lastMark}`;
  const arrived = new Promise<void>((resolve) => {
    const onRequest = (incoming: { url?: string }): void => {
      if (incoming.url !== path) return;
      server.off("request", onRequest);
      resolve();
    };
    // Before Express: a mounted router cuts its part off the url.
    server.prependListener("request", onRequest);
  });
  const headers = method === "POST" ? { "content-length": 5000 } : {};
  const request = httpRequest({
    port: (server.address() as AddressInfo).port,
    host: "127.0.0.1",
    path,
    method,
    headers,
  });
  request.on("error", () => {});
  if (method === "POST") request.write("x".repeat(100));
  else request.end();
  await arrived;
  request.destroy();
}

/** Sends the parts on one connection, each once the service has said `after` the one before; what it said at the end. */
export async function converse(port: number, ...parts: { send: string; after?: RegExp }[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let said = "";
  socket.on("data", (chunk) => {
    said += chunk;
  });
  for (const { send, after } of parts) {
    if (after !== undefined) await expect.poll(() => said).toMatch(after);
    socket.write(send);
  }
  await once(socket, "close");
  return said;
}
