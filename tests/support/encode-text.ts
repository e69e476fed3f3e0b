/** A text in a code page of one byte a letter, as the Encoding Standard has it; a letter that it lacks is a fault. */
export function encodeText(text: string, encoding: string): Buffer {
  const decoder = new TextDecoder(encoding);
  const byteOf = new Map(Array.from({ length: 256 }, (_, byte) => [decoder.decode(Uint8Array.of(byte)), byte]));
  return Buffer.from(
    Array.from(text, (letter) => {
      const byte = byteOf.get(letter);
      if (byte === undefined) throw new Error(`${encoding} has no ${letter}.`);
      return byte;
    }),
  );
}
