const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const blank = 0x20;
const quote = 0x22;
/** Ctrl-Z, with which DOS ended a text. */
const endOfText = 0x1a;
/** Held back at once; a line that begins with more is none of blanks. */
const mostBlanks = 4_096;
const betweenCells = new Set([...",;\t|\n"].map((sign) => sign.charCodeAt(0)));

/**
 * The same text with LF at each line's end, and nothing where a line held blanks alone or a Ctrl-Z ended the file. No line is
 * added or taken away, and what stands in quotes stays.
 * @param onChange called once, where anything is changed
 */
export async function* tidyLines(chunks: AsyncIterable<Buffer>, onChange: () => void): AsyncGenerator<Buffer> {
  let isQuoted = false;
  let previous = lineFeed;
  let blanks = 0;
  let isLineBlank = true;
  let beginsCell = true;
  let hasEndOfText = false;
  let isChanged = false;
  const change = (): void => {
    if (!isChanged) onChange();
    isChanged = true;
  };
  for await (const chunk of chunks) {
    // What was held back comes before it.
    const tidy = Buffer.allocUnsafe(chunk.length + blanks + 1);
    let length = 0;
    const put = (byte: number): void => {
      if (hasEndOfText) tidy[length++] = endOfText;
      hasEndOfText = false;
      for (; blanks > 0; blanks -= 1) tidy[length++] = blank;
      tidy[length++] = byte;
    };
    for (const byte of chunk) {
      const isSecondOfPair = byte === lineFeed && previous === carriageReturn && !isQuoted;
      const before = previous === carriageReturn ? lineFeed : previous;
      previous = byte;
      if (isSecondOfPair) continue;
      // One blank may stand before a quote.
      const mayOpen = beginsCell || before === quote;
      beginsCell = betweenCells.has(byte) || byte === carriageReturn || (byte === blank && betweenCells.has(before));
      if (isQuoted) {
        if (byte === quote) isQuoted = false;
        put(byte);
      } else if (byte === lineFeed || byte === carriageReturn) {
        if (byte === carriageReturn || blanks > 0) change();
        if (isLineBlank) blanks = 0;
        isLineBlank = true;
        put(lineFeed);
      } else if (byte === blank && isLineBlank && blanks < mostBlanks) blanks += 1;
      else if (byte === endOfText && isLineBlank && !hasEndOfText) hasEndOfText = true;
      else {
        // A doubled quote closes and opens again.
        isQuoted = byte === quote && mayOpen;
        isLineBlank = false;
        put(byte);
      }
    }
    yield tidy.subarray(0, length);
  }
  if (hasEndOfText || blanks > 0) change();
}
