import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to an HTTP server on which what is sent stops in the middle, and stays there. */
export interface StoppingWay extends AsyncDisposable {
  readonly url: string;
}

/** Lets so many bytes through to the server of that address, over all connections; answers pass as they are. */
export async function wayThatStopsAfter(bytes: number, address: string): Promise<StoppingWay> {
  const { hostname, port } = new URL(address);
  const sockets = new Set<Socket>();
  let left = bytes;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    far.pipe(near);
    near.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) near.pause();
      else far.write(chunk);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
