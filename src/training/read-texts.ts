import type { DuckDBVarCharVector } from "@duckdb/node-api";
import type { TextCoder } from "../models/text-codes.ts";

/** Of a text in DuckDB's vectors: its length, and the text itself where it has room in the 12 bytes behind it. */
const cellBytes = 16;
const longestInPlace = 12;
const firstSlots = 1024;

/**
 * Reads vectors of texts into codes. A text that stands in its cell is known by its bytes, and made a string once: to make one
 * of each cell was most of what loading a table took.
 */
export class TextReader {
  readonly #coder: TextCoder;
  /** An open table of texts that stand in their cells: four words of each cell, and its code, 0 where the slot is free. */
  #words = new Int32Array(4 * firstSlots);
  #codes = new Uint32Array(firstSlots);
  #held = 0;

  constructor(coder: TextCoder) {
    this.#coder = coder;
  }

  read(vector: DuckDBVarCharVector, rowCount: number): void {
    // biome-ignore-start lint/complexity/useLiteralKeys: TypeScript lets only this one through
    const { buffer, byteOffset } = vector["dataView"];
    const validity = vector["validity"];
    // biome-ignore-end lint/complexity/useLiteralKeys: as above
    const words = new Int32Array(buffer, byteOffset, (rowCount * cellBytes) / 4);
    for (let row = 0; row < rowCount; row++) {
      if (!validity.itemValid(row)) this.#coder.push(this.#coder.codeOf(null));
      else if (words[4 * row]! > longestInPlace) this.#coder.push(this.#coder.codeOf(vector.getItem(row)));
      else this.#coder.push(this.#codeOfWords(words, 4 * row, vector, row));
    }
  }

  #codeOfWords(words: Int32Array, at: number, vector: DuckDBVarCharVector, row: number): number {
    const slot = this.#slotOf(words, at);
    const known = this.#codes[slot]!;
    if (known !== 0) return known;
    const code = this.#coder.codeOf(vector.getItem(row));
    this.#words.set(words.subarray(at, at + 4), 4 * slot);
    this.#codes[slot] = code;
    this.#held += 1;
    if (2 * this.#held > this.#codes.length) this.#grow();
    return code;
  }

  /** Where such a text stands, or is to stand. */
  #slotOf(words: Int32Array, at: number): number {
    const mask = this.#codes.length - 1;
    const [a, b, c, d] = [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!];
    let mixed = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
    mixed = Math.imul(mixed ^ (mixed >>> 15) ^ d, 0x27d4eb2f);
    let slot = (mixed ^ (mixed >>> 13)) & mask;
    for (; this.#codes[slot] !== 0; slot = (slot + 1) & mask) {
      const held = 4 * slot;
      const isSame =
        this.#words[held] === a &&
        this.#words[held + 1] === b &&
        this.#words[held + 2] === c &&
        this.#words[held + 3] === d;
      if (isSame) break;
    }
    return slot;
  }

  #grow(): void {
    const [words, codes] = [this.#words, this.#codes];
    this.#words = new Int32Array(2 * words.length);
    this.#codes = new Uint32Array(2 * codes.length);
    for (const [slot, code] of codes.entries()) {
      if (code === 0) continue;
      const to = this.#slotOf(words, 4 * slot);
      this.#words.set(words.subarray(4 * slot, 4 * slot + 4), 4 * to);
      this.#codes[to] = code;
    }
  }
}
