type Random = () => number;

const below = (random: Random, end: number): number => Math.floor(random() * end);

/** Some bytes of it, from anywhere. */
function pieceOf(random: Random, bytes: Buffer): Buffer {
  const from = below(random, bytes.length + 1);
  return bytes.subarray(from, from + below(random, Math.min(bytes.length - from, 400) + 1));
}

const at = (bytes: Buffer, place: number, ...more: Buffer[]): Buffer =>
  Buffer.concat([bytes.subarray(0, place), ...more, bytes.subarray(place)]);

const signs = [",", ";", "\t", "|", '"', "\n", "\r", "\r\n", "\0", "\u001a", "\uFEFF", "'", "#", "[", "{", "}", "\xff"];

const mutations: Record<string, (random: Random, bytes: Buffer, other: Buffer) => Buffer> = {
  flipped(random, bytes) {
    const flipped = Buffer.from(bytes);
    for (let left = 1 + below(random, 3); left > 0 && bytes.length > 0; left -= 1)
      flipped[below(random, bytes.length)]! ^= 1 << below(random, 8);
    return flipped;
  },
  cut: (random, bytes) => bytes.subarray(0, below(random, bytes.length)),
  beheaded: (random, bytes) => bytes.subarray(below(random, bytes.length)),
  doubled: (random, bytes) => at(bytes, below(random, bytes.length), pieceOf(random, bytes)),
  spliced: (random, bytes, other) =>
    Buffer.concat([bytes.subarray(0, below(random, bytes.length)), other.subarray(below(random, other.length))]),
  "with NULs": (random, bytes) => at(bytes, below(random, bytes.length), Buffer.alloc(1 + below(random, 20))),
  "with signs": (random, bytes) => {
    let more = bytes;
    for (let left = 1 + below(random, 2); left > 0; left -= 1)
      more = at(more, below(random, more.length), Buffer.from(signs[below(random, signs.length)]!, "latin1"));
    return more;
  },
  "with a byte everywhere": (random, bytes) => {
    const [from, to] = [bytes[below(random, bytes.length)], below(random, 256)];
    return Buffer.from(bytes.map((byte) => (byte === from ? to : byte)));
  },
  random: (random) => Buffer.from(Array.from({ length: below(random, 2_000) }, () => below(random, 256))),
};

/** Something that was a file, and what was done to it. */
export function mutant(random: Random, bytes: Buffer, other: Buffer): { readonly how: string; readonly bytes: Buffer } {
  const names = Object.keys(mutations);
  const how = names[below(random, names.length)]!;
  return { how, bytes: mutations[how]!(random, bytes, other) };
}
