import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { arrivalLimits, closeServer, listen } from "../../../src/http/listen.ts";

test("headers that do not end are given up after the 20 s that are promised, not when Node happens to look", async () => {
  const server = createServer(arrivalLimits, () => {});
  const port = await listen(server, { host: "127.0.0.1", port: 0, setBy: "SERVICE_PORT" });
  const client = connect(port, "127.0.0.1").setEncoding("latin1");
  client.write("GET / HTTP/1.1\r\nHost: x\r\n");
  // Both on one event loop: a machine that stands still holds up the one as well as the other.
  const longer = Promise.withResolvers<string>();
  const timer = setTimeout(() => longer.resolve("nothing within 27 s"), 27_000);
  const said = await Promise.race([once(client, "data").then(([text]) => String(text)), longer.promise]);
  clearTimeout(timer);
  client.destroy();
  await closeServer(server, 1);
  expect(said).toMatch(/^HTTP\/1\.1 408 /);
});
