import { freePort } from "../support/free-port.ts";
import { eventually, OwnProcess } from "./processes.ts";

const binary = process.env.TOXIPROXY_BIN ?? "toxiproxy-server";

/** What toxiproxy does to bytes; the names are its own. */
export interface Toxic {
  readonly type: "latency" | "timeout" | "reset_peer" | "bandwidth" | "slicer";
  readonly stream?: "upstream" | "downstream";
  readonly attributes: Readonly<Record<string, number>>;
}

/** A way to a server that can be spoilt. */
export interface SpoiltWay {
  /** host:port */
  readonly address: string;
  /** On connections that are there and on those that come. */
  spoil(...toxics: readonly Toxic[]): Promise<void>;
  heal(): Promise<void>;
}

export interface ToxiproxyProcess extends AsyncDisposable {
  /** A new way to that host:port. */
  way(name: string, upstream: string): Promise<SpoiltWay>;
}

/** Starts toxiproxy on a free port. */
export async function startToxiproxy(): Promise<ToxiproxyProcess> {
  const port = await freePort();
  const process = new OwnProcess(binary, ["-host", "127.0.0.1", "-port", String(port)]);
  async function ask<Data>(method: string, path: string, body?: object): Promise<Data> {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`toxiproxy ${method} ${path}: ${answer.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as Data;
  }
  try {
    await eventually("toxiproxy", 30, async () => (await ask<object>("GET", "/proxies")) && true);
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw new Error(`${error}\n${process.output}`);
  }
  return {
    async way(name, upstream) {
      const { listen } = await ask<{ listen: string }>("POST", "/proxies", { name, listen: "127.0.0.1:0", upstream });
      const present: string[] = [];
      return {
        address: listen,
        async spoil(...toxics) {
          for (const { type, stream = "downstream", attributes } of toxics) {
            const toxic = `${type}-${stream}`;
            await ask("POST", `/proxies/${name}/toxics`, { name: toxic, type, stream, toxicity: 1, attributes });
            present.push(toxic);
          }
        },
        async heal() {
          for (const toxic of present.splice(0)) await ask("DELETE", `/proxies/${name}/toxics/${toxic}`);
        },
      };
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
