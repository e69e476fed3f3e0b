import { once } from "node:events";
import type { Server } from "node:http";
import { requestsCutOff } from "../monitoring/metrics.ts";

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
  const noAddress = `SERVICE_HOST: ${host} is no address of this machine (${code}): correct it.`;
  const lines: Readonly<Record<string, string>> = {
    EADDRINUSE: `${setBy}: port ${port} of ${host} is taken (${code}): stop who listens there, or choose another.`,
    EACCES: `${setBy}: port ${port} may not be listened on (${code}): choose one from 1024 on.`,
    EADDRNOTAVAIL: noAddress,
    EAFNOSUPPORT: noAddress,
    EINVAL: noAddress,
    ENOTFOUND: `SERVICE_HOST: ${host} does not resolve (${code}): correct it, or the name service.`,
    EAI_AGAIN: `SERVICE_HOST: ${host} does not resolve (${code}): correct it, or the name service.`,
  };
  const line = lines[code];
  return line === undefined ? error : new ListenFault(line, error);
}

/** Connections that wait until the process takes them; Node's 511 make a burst wait for seconds, or fail (ADR 0019). */
const backlog = 4_096;

/** Of an idle connection: longer than a proxy's, which would else send on one that is just being closed (ADR 0019). */
const keepAliveMs = 75_000;

/** Listens there, with room for bursts and patience with idle connections. @returns the port. @throws ListenFault */
export async function listen(server: Server, to: ListenAddress): Promise<number> {
  server.keepAliveTimeout = keepAliveMs;
  try {
    server.listen({ port: to.port, host: to.host, backlog });
    await once(server, "listening");
  } catch (error) {
    throw explained(error, to);
  }
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : to.port;
}

/** Stops listening and lets requests in hand finish; what is still open after the grace is broken off. */
export async function closeServer(server: Server, graceSeconds: number): Promise<void> {
  // An answer that ends now leaves a connection that would be waited for as long as it may be idle; 0 would be for ever.
  server.keepAliveTimeout = 1;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    requestsCutOff(server);
    server.closeAllConnections();
  }, graceSeconds * 1000);
  await closed;
  clearTimeout(timer);
}
