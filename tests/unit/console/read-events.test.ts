import { expect, test } from "vitest";
import { createEventReader } from "../../../src/console/api/read-events.ts";

test("events are read whole, wherever their text is cut, and comments are none", () => {
  const text = ': still here\n\nid: 3\nevent: progress\ndata: {"a":": \\n"}\n\nevent: answer\ndata: {}\n\nevent: half';
  const expected = [
    { event: "progress", id: "3", data: '{"a":": \\n"}' },
    { event: "answer", id: undefined, data: "{}" },
  ];
  for (let cut = 0; cut <= text.length; cut += 1) {
    const read = createEventReader();
    expect([...read(text.slice(0, cut)), ...read(text.slice(cut))]).toEqual(expected);
  }
});
