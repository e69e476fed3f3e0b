/** Numbers that stand for texts: as few bytes a cell as there are different texts. */
export type CodeArray = Uint8Array | Uint16Array | Uint32Array;

/** Texts of a column, each different one held once: cell `row` is `values[codes[row]]`; the first value is null, a missing cell. */
export interface CodedTexts {
  readonly codes: CodeArray;
  readonly values: readonly (string | null)[];
}

/** The code of a missing cell. */
export const missingCode = 0;

/** Takes texts in, row by row. */
export class TextCoder {
  #codes: CodeArray;
  #count = 0;
  readonly #values: (string | null)[] = [null];
  readonly #codeOf = new Map<string, number>();

  /** @param expectedRows how many are to come: there is room for them, and it grows where there are more */
  constructor(expectedRows: number) {
    this.#codes = new Uint8Array(expectedRows);
  }

  /** The code of a text, which is given one where it is new. */
  codeOf(text: string | null): number {
    if (text === null) return missingCode;
    const known = this.#codeOf.get(text);
    if (known !== undefined) return known;
    const code = this.#values.push(text) - 1;
    this.#codeOf.set(text, code);
    if (code === 0x1_00) this.#codes = copyInto(new Uint16Array(this.#codes.length), this.#codes);
    if (code === 0x1_00_00) this.#codes = copyInto(new Uint32Array(this.#codes.length), this.#codes);
    return code;
  }

  /** Adds a row. @param code of its text */
  push(code: number): void {
    if (this.#count === this.#codes.length) this.#codes = grown(this.#codes);
    this.#codes[this.#count++] = code;
  }

  /** All rows that were added. */
  finish(): CodedTexts {
    return { codes: this.#codes.subarray(0, this.#count), values: this.#values };
  }
}

function copyInto<Codes extends CodeArray>(roomy: Codes, codes: CodeArray): Codes {
  roomy.set(codes);
  return roomy;
}

function grown(codes: CodeArray): CodeArray {
  const length = Math.max(1024, 2 * codes.length);
  if (codes instanceof Uint8Array) return copyInto(new Uint8Array(length), codes);
  return copyInto(codes instanceof Uint16Array ? new Uint16Array(length) : new Uint32Array(length), codes);
}

/** A list of texts, coded. */
export function codeTexts(texts: readonly (string | null)[]): CodedTexts {
  const coder = new TextCoder(texts.length);
  for (const text of texts) coder.push(coder.codeOf(text));
  return coder.finish();
}
