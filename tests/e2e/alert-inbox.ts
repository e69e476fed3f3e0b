import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startMailServer } from "../support/mail-server.ts";

/** A message about an alert, as a person gets it. */
export interface Arrival {
  readonly channel: "slack" | "email";
  readonly status: "firing" | "resolved";
  readonly alert: string;
  readonly severity: string;
  /** Of `performance.now()`. */
  readonly atMs: number;
  /** The whole message. */
  readonly text: string;
}

/** What stands for Slack, the mail server and the dead-man's switch. */
export interface AlertInbox {
  readonly arrivals: readonly Arrival[];
  readonly mailAddress: string;
  readonly slackUrl: string;
  readonly deadMansSwitchUrl: string;
  /** How often the dead-man's switch was called, and with which alerts. */
  readonly switchCalls: readonly string[][];
  [Symbol.asyncDispose](): Promise<void>;
}

/** What the title of a message says: see `backend.title` in messages.tmpl. */
function read(title: string): Pick<Arrival, "status" | "alert" | "severity"> {
  const [, status, alert = "", severity = ""] = /^\[(FIRING|RESOLVED)[^\]]*\] (\w+)(?: \((\w+)\))?/.exec(title) ?? [];
  if (status === undefined) throw new Error(`Not a title of an alert: ${title}`);
  return { status: status === "FIRING" ? "firing" : "resolved", alert, severity };
}

/** Opens it on free ports of loopback. */
export async function openAlertInbox(): Promise<AlertInbox> {
  await using opening = new AsyncDisposableStack();
  const arrivals: Arrival[] = [];
  const switchCalls: string[][] = [];
  const arrived = (channel: Arrival["channel"], title: string, text: string): void => {
    arrivals.push({ channel, ...read(title), atMs: performance.now(), text });
  };

  const mailServer = opening.use(
    // The words of a mail are cut into lines of 76 characters, `=` at their ends.
    await startMailServer(({ subject, source }) => arrived("email", subject, source.replaceAll("=\r\n", ""))),
  );
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as {
        attachments?: { title: string; text: string }[];
        alerts?: { labels: { alertname: string } }[];
      };
      for (const { title, text } of body.attachments ?? []) arrived("slack", title, text);
      if (request.url === "/switch") switchCalls.push((body.alerts ?? []).map(({ labels }) => labels.alertname));
      response.end("ok");
    });
  }).listen(0, "127.0.0.1");
  opening.defer(async () => {
    server.close().closeAllConnections();
    await once(server, "close");
  });
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const open = opening.move();
  return {
    arrivals,
    switchCalls,
    mailAddress: mailServer.address,
    slackUrl: `${url}/slack`,
    deadMansSwitchUrl: `${url}/switch`,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
