import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { analyse } from "chardet";
import { DomainError } from "../errors.ts";

/**
 * The code pages that are told by the letters themselves, under the names that chardet has for them. Of 158 small tables in
 * these (Cyrillic, Greek, Chinese, and twelve languages of Latin letters, some with a sign or two) 134 are told by the rules
 * below, 93 by chardet on the whole file among all that it knows; the others are read as windows-1252, and shown (November 2026).
 */
const told = new Map([
  ["windows-1250", "windows-1250"],
  ["windows-1251", "windows-1251"],
  ["windows-1252", "windows-1252"],
  ["windows-1253", "windows-1253"],
  ["windows-1254", "windows-1254"],
  ["ISO-8859-1", "windows-1252"],
  ["ISO-8859-2", "windows-1250"],
  ["ISO-8859-7", "windows-1253"],
  ["ISO-8859-9", "windows-1254"],
  ["KOI8-R", "koi8-r"],
  ["GB18030", "gb18030"],
]);
/** Where nothing tells, as for a lone letter: what Excel writes in western Europe and America. */
const likeliest = "windows-1252";

/** Within these the first letter beyond ASCII is looked for: a batch of an upload. */
const searchedBytes = 524_288;
/** From there on: 256 KiB held the event loop for 50 to 150 ms. */
const sampleBytes = 16_384;
/** Of the bytes beyond ASCII in Chinese. */
const mostlyPairs = 0.8;
/** Of the letters in words of another alphabet. */
const mostlyForeign = 0.5;
/** Confidence, for a Latin code page before the likeliest one: of a few accents many are as likely. */
const clearlyMore = 2;
/** With more letters in UTF-8 than half of those that are none, a file is UTF-8 in part: no code page has so many by chance. */
const damagedRatio = 0.5;

/** How many letters beyond ASCII are UTF-8, and how many bytes are not. */
function lettersIn(bytes: Buffer): { readonly utf8: number; readonly other: number } {
  let utf8 = 0;
  let other = 0;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at]!;
    const length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    const isLetter = length > 1 && isUtf8(bytes.subarray(at, at + length)) && at + length <= bytes.length;
    if (isLetter) utf8 += 1;
    else if (length > 1) other += 1;
    at += isLetter ? length : 1;
  }
  return { utf8, other };
}

/** The encoding of a text that is not UTF-8, by the letters in its lines. @throws DomainError WRONG_ENCODING for UTF-8 that is damaged */
export function guessEncoding(bytes: Buffer): string {
  const { utf8, other } = lettersIn(bytes);
  if (utf8 > other * damagedRatio)
    throw new DomainError(
      "WRONG_ENCODING",
      "The text is UTF-8, but for some bytes that are no letters. Save it as UTF-8 again, or name its encoding.",
    );
  // Words of ASCII say nothing, and would outvote the few letters that there are; so would a word that comes often.
  const words = [...new Set(bytes.toString("latin1").match(/[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*/g))];
  const letters = words.join("");
  const high = letters.replace(/[^\x80-\xff]/g, "").length;
  const pairs = letters.match(/[\x81-\xfe][\xa1-\xfe]/g)?.length ?? 0;
  const confidence = new Map<string, number>();
  for (const guess of analyse(Buffer.from(words.join(" "), "latin1"))) {
    const name = told.get(guess.name);
    // `°C` looks like a letter of it, too.
    const isPossible = name !== "gb18030" || 2 * pairs > mostlyPairs * high;
    if (name !== undefined && isPossible) confidence.set(name, Math.max(confidence.get(name) ?? 0, guess.confidence));
  }
  const [best = likeliest] = [...confidence.keys()].sort((a, b) => confidence.get(b)! - confidence.get(a)!);
  const isLatin = best === "windows-1250" || best === "windows-1254";
  const isClear = isLatin
    ? confidence.get(best)! > clearlyMore * (confidence.get(likeliest) ?? 0)
    : high >= mostlyForeign * letters.length;
  return isClear ? best : likeliest;
}

/**
 * The encoding of a file that is not UTF-8.
 * @param utf8Bytes at its beginning are UTF-8
 * @throws DomainError WRONG_ENCODING for UTF-8 that is damaged
 */
export async function guessEncodingOf(path: string, utf8Bytes: number): Promise<string> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(searchedBytes), 0, searchedBytes, utf8Bytes);
  return guessEncodingIn(buffer.subarray(0, bytesRead));
}

/** The same of a text in memory, by the lines about its first letter beyond ASCII. */
export function guessEncodingIn(bytes: Buffer): string {
  const letter = bytes.findIndex((byte) => byte >= 0x80);
  const line = bytes.lastIndexOf("\n", letter) + 1;
  const from = Math.max(line, letter - sampleBytes / 2);
  return guessEncoding(bytes.subarray(from, from + sampleBytes));
}

/** Reads a file for its letters alone. @throws DomainError WRONG_ENCODING naming the line that can't be read */
export async function readThrough(path: string, encoding: string): Promise<void> {
  for await (const _ of decoded(createReadStream(path), encoding));
}

/** Its name in the Encoding Standard. @throws DomainError FIELD_INVALID for one that is not known there */
export function encodingNamed(label: string): string {
  try {
    return new TextDecoder(label).encoding;
  } catch (error) {
    throw new DomainError(
      "FIELD_INVALID",
      `\`encoding\` has no «${label.slice(0, 40)}». Known are utf-8, utf-16le, utf-16be, windows-1250 to windows-1258, koi8-r, ibm866, shift_jis, gb18030 and the others of the Encoding Standard.`,
      { cause: error },
    );
  }
}

/** Decodes piece by piece. @throws DomainError WRONG_ENCODING naming the line that can't be read */
export async function* decoded(chunks: AsyncIterable<Buffer>, encoding: string): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  let line = 1;
  try {
    for await (const chunk of chunks) {
      const text = decoder.decode(chunk, { stream: true });
      yield text;
      for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) line += 1;
    }
    yield decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new DomainError(
      "WRONG_ENCODING",
      `The file is not ${decoder.encoding}, at line ${line} or soon behind it. Save it as UTF-8, or name its \`encoding\`.`,
      { cause: error },
    );
  }
}
