/** A control character has six there, a letter up to three; a surrogate alone is one of the former. */
const bytesOf = (text: string): number => Buffer.byteLength(JSON.stringify(text)) + 1;

/** What texts have as JSON, each with its comma. */
export const jsonBytesOf = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + bytesOf(text), 0);

/** What each may have of `most`, so that who wants little gets it whole and all others the same. */
export function fairShare(wanted: readonly number[], most: number): number {
  let left = most;
  for (const [at, size] of wanted.toSorted((one, other) => one - other).entries()) {
    const share = Math.floor(left / (wanted.length - at));
    if (size > share) return share;
    left -= size;
  }
  return most;
}

/** The first of them that have so many bytes of JSON together. */
export function firstWithin(texts: readonly string[], share: number): string[] {
  let bytes = 0;
  return texts.filter((text) => {
    bytes += bytesOf(text);
    return bytes <= share;
  });
}
