import type { Writable } from "node:stream";
import type { Request, Response } from "express";
import { z } from "zod";

/** Headers of server-sent events (HTML standard, 9.2); nobody on the way may hold them back. */
export const eventHeaders = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-cache, no-transform",
  "X-Accel-Buffering": "no",
} as const;

const progressMs = 1_000;

/** One event; JSON has no line breaks. */
export interface ServerEvent {
  readonly event: "status" | "progress" | "answer";
  /** What a client comes again with, as Last-Event-ID. */
  readonly id?: number | undefined;
  readonly json: Buffer | string;
}

/** Writes an event as the server-sent events standard has it. */
export function writeEvent(to: Writable, { event, id, json }: ServerEvent): void {
  to.cork();
  to.write(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: `);
  to.write(json);
  to.write("\n\n");
  to.uncork();
}

/** An answer of a call whose answer may come as the last of events. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Its JSON. */
  readonly body: object;
}

const begun = new WeakMap<Response, () => void>();

/** Whether this answer is told by events, which have begun. */
export const hasEvents = (response: Response): boolean => begun.has(response);

/** Whether the caller would rather have events than one answer: `Accept` names them, and JSON not before them. */
export const wantsEvents = (request: Request): boolean =>
  // `text/*` alone is of who takes any text, and waits for one answer.
  /(?:^|,)\s*text\/event-stream\s*(?:[;,]|$)/i.test(request.get("Accept") ?? "") &&
  request.accepts(["application/json", eventHeaders["Content-Type"]]) !== "application/json";

/**
 * Answers 202 at once, and tells how far the work is: now and each second, until `endByAnswer`.
 * @param look how far it is; its JSON is the event's
 */
export function beginEvents(response: Response, look: () => Promise<object>): void {
  let isOver = false;
  const tell = async (): Promise<void> => {
    const json = JSON.stringify(await look());
    // Who reads slowly gets fewer.
    if (!isOver && !response.writableNeedDrain) writeEvent(response, { event: "progress", json });
  };
  const telling = setInterval(() => void tell(), progressMs);
  const end = (): void => {
    isOver = true;
    clearInterval(telling);
  };
  begun.set(response, end);
  response.once("close", end);
  response.writeHead(202, eventHeaders);
  void tell();
}

/** The answer, as the last of the events where they have begun, else by itself. */
export function sendAnswer(response: Response, { status, headers = {}, body }: Answer): void {
  const endTelling = begun.get(response);
  if (endTelling === undefined) {
    response.status(status).set(headers).json(body);
    return;
  }
  endTelling();
  writeEvent(response, { event: "answer", json: JSON.stringify({ status, headers, body }) });
  response.end();
}

/** How a call describes that its answer may come by events. */
export function eventsDescription(progress: z.ZodType) {
  return {
    description:
      "Where `Accept` asks for `text/event-stream`: events `progress`, each second from the moment that the whole file is there, and at last one `answer` with the status, headers and body that the call would have been answered with otherwise, a problem too.",
    contentType: eventHeaders["Content-Type"],
    // Of each event, as tools read it before OpenAPI 3.2.
    schema: z.object({
      event: z.enum(["progress", "answer"]),
      data: z.union([
        progress,
        z.object({ status: z.int(), headers: z.record(z.string(), z.string()), body: z.looseObject({}) }),
      ]),
    }),
  };
}
