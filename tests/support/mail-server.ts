import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";

/** A mail as it came. */
export interface Mail {
  readonly to: readonly string[];
  readonly subject: string;
  /** Headers and body, undecoded. */
  readonly source: string;
}

/** Takes mails by SMTP (RFC 5321, the least that a sender needs: no TLS, no login) and keeps them. */
export interface MailServer {
  /** host:port */
  readonly address: string;
  [Symbol.asyncDispose](): Promise<void>;
}

function converse(socket: Socket, deliver: (mail: Mail) => void): void {
  let pending = "";
  let to: string[] = [];
  let isData = false;
  const answer = (line: string): void => {
    socket.write(`${line}\r\n`);
  };

  function command(line: string): void {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === "RCPT") to.push(/<(.*)>/.exec(line)?.[1] ?? "");
    if (verb === "DATA") isData = true;
    if (verb === "RSET" || verb === "MAIL") to = [];
    if (verb === "QUIT") {
      socket.end("221 bye\r\n");
      return;
    }
    answer(verb === "DATA" ? "354 go on" : "250 ok");
  }

  socket.setEncoding("utf8");
  // Whoever breaks off has told us all that he wanted to.
  socket.on("error", () => socket.destroy());
  socket.on("data", (text: string) => {
    pending += text;
    for (;;) {
      const mark = isData ? "\r\n.\r\n" : "\r\n";
      const end = pending.indexOf(mark);
      if (end < 0) return;
      const part = pending.slice(0, end);
      pending = pending.slice(end + mark.length);
      if (isData) {
        isData = false;
        const subject = /^Subject: (.*(?:\r\n[ \t].*)*)/im.exec(part)?.[1] ?? "";
        deliver({ to, subject: subject.replaceAll(/\r\n\s+/g, " "), source: part });
        answer("250 taken");
      } else {
        command(part);
      }
    }
  });
  answer("220 test");
}

/** Starts it on a free port of loopback. */
export async function startMailServer(deliver: (mail: Mail) => void): Promise<MailServer> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    converse(socket, deliver);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, "close");
    },
  };
}
