import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A port that is free now, for a program that can't tell which one it took. It lies below those that the system gives to
 * connections and to whoever does not mind (32768 and more on Linux): nobody gets it by chance until it is used, or while
 * a test has stopped who used it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch {
      continue; // Somebody has it.
    }
    server.close();
    await once(server, "close");
    return port;
  }
}
