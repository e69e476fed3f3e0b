import { once } from "node:events";
import type { Server, ServerResponse } from "node:http";
import { requestsCutOff } from "../monitoring/metrics.ts";

/** Where to listen, and the settings that port and host are from. */
export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly setBy: "SERVICE_PORT" | "METRICS_PORT" | "OTEL_EXPORTER_PROMETHEUS_PORT";
  readonly hostSetBy?: "SERVICE_HOST" | "OTEL_EXPORTER_PROMETHEUS_HOST";
}

/** Nobody can listen there, in one line that names the setting to correct. */
export class ListenFault extends Error {
  constructor(line: string, cause: unknown) {
    super(line, { cause });
    this.name = "ListenFault";
  }
}

function explained(error: unknown, { host, port, setBy, hostSetBy = "SERVICE_HOST" }: ListenAddress): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const noAddress = `${hostSetBy}: ${host} is no address of this machine (${code}): correct it.`;
  const lines: Readonly<Record<string, string>> = {
    EADDRINUSE: `${setBy}: port ${port} of ${host} is taken (${code}): stop who listens there, or choose another.`,
    EACCES: `${setBy}: port ${port} may not be listened on (${code}): choose one from 1024 on.`,
    EADDRNOTAVAIL: noAddress,
    EAFNOSUPPORT: noAddress,
    EINVAL: noAddress,
    ENOTFOUND: `${hostSetBy}: ${host} does not resolve (${code}): correct it, or the name service.`,
    EAI_AGAIN: `${hostSetBy}: ${host} does not resolve (${code}): correct it, or the name service.`,
  };
  const line = lines[code];
  return line === undefined ? error : new ListenFault(line, error);
}

/** Connections that wait until the process takes them; Node's 511 make a burst wait for seconds, or fail (ADR 0019). */
const backlog = 4_096;

/** Of an idle connection: longer than a proxy's, which would else send on one that is just being closed (ADR 0019). */
const keepAliveMs = 75_000;

/** How long a request may take to arrive, and how often Node looks: its own 30 s would make 20 s up to 50. */
export const arrivalLimits = { requestTimeout: 300_000, headersTimeout: 20_000, connectionsCheckingInterval: 1_000 };

/** Answers that are not wholly with the operating system yet. */
const answersOf = new WeakMap<Server, Set<ServerResponse>>();

function followAnswers(server: Server): void {
  const inHand = new Set<ServerResponse>();
  answersOf.set(server, inHand);
  server.prependListener("request", (_request, answer) => {
    inHand.add(answer);
    // Four of ours wait for its end, and seven of Node's when it is sent from a stream: no leak, which Node would warn of from 11 on.
    answer.setMaxListeners(16);
    answer.once("close", () => inHand.delete(answer));
  });
}

/** Listens there, with room for bursts and patience with idle connections. @returns the port. @throws ListenFault */
export async function listen(server: Server, to: ListenAddress): Promise<number> {
  server.keepAliveTimeout = keepAliveMs;
  followAnswers(server);
  try {
    server.listen({ port: to.port, host: to.host, backlog });
    await once(server, "listening");
  } catch (error) {
    throw explained(error, to);
  }
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : to.port;
}

/** Lets the answers in hand go out. @returns whether all did; those that come later are not waited for */
export async function answersEnded(server: Server, graceSeconds: number): Promise<boolean> {
  const inHand = [...(answersOf.get(server) ?? [])];
  const timeUp = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => timeUp.resolve(false), graceSeconds * 1000);
  // Closed, not ended: what a slow client has yet to take waits in the socket, and server.close() would throw it away.
  const all = Promise.all(inHand.map((answer) => answer.closed || once(answer, "close"))).then(() => true);
  const hasEnded = await Promise.race([all, timeUp.promise]);
  clearTimeout(timer);
  return hasEnded;
}

/** Ends the server: answers in hand get the grace, what is still open then is broken off, and what asks nothing goes at once. */
export async function closeServer(server: Server, graceSeconds: number): Promise<void> {
  // Those that came while we waited are short ones: the server refuses work by then.
  const hasEnded =
    (await answersEnded(server, graceSeconds)) && (await answersEnded(server, Math.min(1, graceSeconds)));
  if (!hasEnded) requestsCutOff(server);
  const closed = once(server, "close");
  server.close();
  // Also connections that have not asked yet: they would be waited for as long as their headers may take.
  server.closeAllConnections();
  await closed;
}
