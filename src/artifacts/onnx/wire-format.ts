// Protobuf's wire format (https://protobuf.dev/programming-guides/encoding/), as far as an ONNX file needs it. Why it is not a
// library: docs/adr/0040-whole-models-as-onnx.md.

/**
 * A field with its tag, in pieces, or several of them: fields of a message are just one behind the other. They are put together
 * once, at last: the largest ones are in messages within messages.
 */
export type Fields = readonly Uint8Array[];

const kinds = { varint: 0, length: 2 } as const;

function sizeOfVarint(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

function writeVarint(into: Uint8Array, at: number, value: number): number {
  let place = at;
  let rest = value;
  // By division: shifts end at 32 bits.
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) into[place++] = (rest % 0x80) | 0x80;
  into[place++] = rest;
  return place;
}

function varints(values: ArrayLike<number>): Uint8Array {
  let size = 0;
  for (let at = 0; at < values.length; at++) size += sizeOfVarint(values[at]!);
  const bytes = new Uint8Array(size);
  let place = 0;
  for (let at = 0; at < values.length; at++) place = writeVarint(bytes, place, values[at]!);
  return bytes;
}

const tag = (number: number, kind: keyof typeof kinds): number => number * 8 + kinds[kind];

const sizeOf = (fields: Fields): number => fields.reduce((sum, { length }) => sum + length, 0);

/** All of them, one behind the other. */
export function joined(fields: Fields): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeOf(fields));
  let at = 0;
  for (const piece of fields) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** @param value a whole number from 0 to 2^53 */
export const integerField = (number: number, value: number): Fields => [varints([tag(number, "varint"), value])];

export const bytesField = (number: number, bytes: Uint8Array): Fields => messageField(number, [bytes]);

/** As UTF-8. */
export const textField = (number: number, text: string): Fields => bytesField(number, Buffer.from(text));

/** A message within another. */
export const messageField = (number: number, fields: Fields): Fields => [
  varints([tag(number, "length"), sizeOf(fields)]),
  ...fields,
];

/** A repeated field of a few texts: for each code the text at that place. */
export function textsField(number: number, texts: readonly string[], codes: Uint8Array): Fields {
  const made = texts.map((text) => joined(textField(number, text)));
  let size = 0;
  for (const code of codes) size += made[code]!.length;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const code of codes) {
    bytes.set(made[code]!, at);
    at += made[code]!.length;
  }
  return [bytes];
}

/** A repeated field of whole numbers from 0 to 2^53. */
export const integersField = (number: number, values: ArrayLike<number>): Fields => bytesField(number, varints(values));

/** A repeated field of 32-bit floats. */
export const floatsField = (number: number, values: ArrayLike<number>): Fields =>
  bytesField(number, littleEndian(values, 4));

/** Floats of so many bytes each, as ONNX has them. */
export function littleEndian(values: ArrayLike<number>, bytesEach: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(values.length * bytesEach);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < values.length; at++) {
    if (bytesEach === 4) view.setFloat32(at * 4, values[at]!, true);
    else view.setFloat64(at * 8, values[at]!, true);
  }
  return bytes;
}
