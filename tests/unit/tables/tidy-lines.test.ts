import fc from "fast-check";
import { expect, test } from "vitest";
import { tidyLines } from "../../../src/tables/tidy-lines.ts";

async function tidy(text: string, cuts: readonly number[] = []): Promise<{ text: string; isChanged: boolean }> {
  const bytes = Buffer.from(text);
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length].map((place) => Math.min(place, bytes.length));
  const chunks = async function* () {
    for (const [index, from] of places.slice(0, -1).entries()) yield bytes.subarray(from, places[index + 1]);
  };
  let isChanged = false;
  const tidied: Buffer[] = [];
  for await (const piece of tidyLines(chunks(), () => (isChanged = true))) tidied.push(piece);
  return { text: Buffer.concat(tidied).toString(), isChanged };
}

test.each([
  ["line ends of three kinds", "a,b\r\n1,2\n3,4\r5,6\n", "a,b\n1,2\n3,4\n5,6\n"],
  ["line ends within quotes", 'a,b\r\n"1\r\n\r2",3\n', 'a,b\n"1\r\n\r2",3\n'],
  ["line ends within quotes behind a blank", 'a; b\r\n1; "2\r\n   \r\n3"\r\n', 'a; b\n1; "2\r\n   \r\n3"\n'],
  ["a doubled quote", 'a\r\n"1""\r\n",2\r\n', 'a\n"1""\r\n",2\n'],
  ["a quote within a cell", 'a\r\n5" pipe\r\n6" pipe\r\n', 'a\n5" pipe\n6" pipe\n'],
  ["lines of blanks", "a,b\n   \n1,2\n  ", "a,b\n\n1,2\n"],
  ["blanks at a line's beginning", "  a,b\r\n 1,2\n", "  a,b\n 1,2\n"],
  ["a Ctrl-Z at the end", "a,b\n1,2\n\u001a", "a,b\n1,2\n"],
  ["a Ctrl-Z and a line end", "a,b\r\n1,2\r\n\u001a\r\n", "a,b\n1,2\n\u001a\n"],
])("%s", async (_what, text, tidied) => {
  expect(await tidy(text)).toEqual({ text: tidied, isChanged: true });
});

test("what is tidy already is not changed, and not said to be", async () => {
  const text = 'a, b ,"c\r\n"\n1,2,3\n';
  expect(await tidy(text)).toEqual({ text, isChanged: false });
});

test("a text is the same however it is cut", async () => {
  const text = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r", " ", "\u001a"), maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(40), { maxLength: 5 }), async (written, cuts) => {
      expect(await tidy(written, cuts)).toEqual(await tidy(written));
    }),
    { numRuns: 500 },
  );
});
