import pg from "pg";
import { backoffMs } from "../backoff.ts";
import { answeredWithin, endedWithin } from "./bounded-pool.ts";

const connectTimeoutMs = 5_000;
const firstRetryMs = 500;
const longestRetryMs = 15_000;
const lookMs = 10_000;
const longestEndMs = 1_000;

/**
 * Listens on a connection of its own, which comes back after a fault: a notification is only heard by who listens. One
 * that died without a word would stay silent for ever, so it is asked now and then.
 * @returns what ends it
 * @throws what the first connection says; nothing is tried again then
 */
export async function listenOnPostgres(
  settings: { readonly client: pg.ClientConfig; readonly timeoutMs: number },
  channel: string,
  onPayload: (payload: string) => void,
): Promise<() => Promise<void>> {
  const { timeoutMs } = settings;
  let isStopped = false;
  let failures = 0;
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;

  function later(work: () => Promise<void>, milliseconds: number): void {
    clearTimeout(timer);
    if (!isStopped) timer = setTimeout(() => void work(), milliseconds);
  }

  function tryAgain(): void {
    later(reconnect, backoffMs(failures, firstRetryMs, longestRetryMs));
    failures += 1;
  }

  async function connect(): Promise<void> {
    const next = new pg.Client({
      ...settings.client,
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      application_name: "mlops-backend-listen",
    });
    next.on("error", () => {}); // Its end follows.
    next.on("notification", (message) => onPayload(message.payload ?? ""));
    try {
      await next.connect();
      await answeredWithin(next.query(`listen ${channel}`), timeoutMs, () => void next.end());
    } catch (error) {
      next.end().catch(() => {}); // It may have ended already.
      throw error;
    }
    client = next;
    failures = 0;
    next.on("end", () => {
      if (client === next) tryAgain();
    });
    later(look, lookMs);
    if (isStopped) await next.end();
  }

  async function reconnect(): Promise<void> {
    await connect().catch(tryAgain);
  }

  async function look(): Promise<void> {
    const asked = client;
    if (asked === undefined) return;
    try {
      await answeredWithin(asked.query("select 1"), timeoutMs, () => void asked.end());
      if (client === asked) later(look, lookMs);
    } catch {
      // Whichever comes first, this or its end: one timer.
      if (client === asked) tryAgain();
    }
  }

  await connect();
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    if (client !== undefined) await endedWithin(client.end(), longestEndMs);
  };
}
