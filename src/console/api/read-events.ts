/** One of server-sent events. */
export interface SentEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

/**
 * Reads server-sent events from text that comes in pieces (HTML standard, 9.2.6; the service ends lines by LF alone).
 * @returns takes the next piece, and gives the events that it completes
 */
export function createEventReader(): (piece: string) => SentEvent[] {
  let unread = "";
  return (piece) => {
    const blocks = (unread + piece).split("\n\n");
    unread = blocks.pop() ?? "";
    return blocks.map(readBlock).filter((event) => event !== undefined);
  };
}

function readBlock(block: string): SentEvent | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split("\n")) {
    const [, name = "", value = ""] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    // A comment, as those that keep the connection open, begins with the colon.
    if (name !== "") fields.set(name, value);
  }
  const data = fields.get("data");
  return data === undefined ? undefined : { event: fields.get("event") ?? "message", id: fields.get("id"), data };
}
