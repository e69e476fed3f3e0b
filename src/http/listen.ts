import { once } from "node:events";
import type { Server } from "node:http";

/** Where to listen, and the setting that the port is from. */
interface ListenAddress {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly setBy: "SERVICE_PORT" | "METRICS_PORT";
}

/** Nobody can listen there, in one line that names the setting to correct. */
export class ListenFault extends Error {
  constructor(line: string, cause: unknown) {
    super(line, { cause });
    this.name = "ListenFault";
  }
}

function explained(error: unknown, { host, port, setBy }: ListenAddress): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const lines: Readonly<Record<string, string>> = {
    EADDRINUSE: `${setBy}: port ${port} of ${host} is taken (${code}): stop who listens there, or choose another.`,
    EACCES: `${setBy}: port ${port} may not be listened on (${code}): choose one from 1024 on.`,
    EADDRNOTAVAIL: `SERVICE_HOST: ${host} is no address of this machine (${code}): correct it.`,
    ENOTFOUND: `SERVICE_HOST: ${host} does not resolve (${code}): correct it, or the name service.`,
    EAI_AGAIN: `SERVICE_HOST: ${host} does not resolve (${code}): correct it, or the name service.`,
  };
  const line = lines[code];
  return line === undefined ? error : new ListenFault(line, error);
}

/** Listens there. @returns the port. @throws ListenFault */
export async function listen(server: Server, to: ListenAddress): Promise<number> {
  try {
    server.listen(to.port, to.host);
    await once(server, "listening");
  } catch (error) {
    throw explained(error, to);
  }
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : to.port;
}
