import { DomainError } from "../errors.ts";

/** Characters that a cell may have in Excel («Excel specifications and limits»). */
export const maxCellLength = 32_767;

const escaped = /_x([0-9A-Fa-f]{4})_/g;

/** Text with what XML can't hold in its place: `_x000D_` is a carriage return (ECMA-376 part 1, 22.9.2.19 ST_Xstring). */
export const unescaped = (text: string): string =>
  text.includes("_x")
    ? text.replace(escaped, (_, hexadecimal: string) => String.fromCharCode(Number.parseInt(hexadecimal, 16)))
    : text;

/**
 * Text of a cell of one piece or of several, each with a look of its own (ECMA-376 part 1, 18.4.8 `si`, 18.3.1.53 `is`):
 * the `t` elements in them are joined, but for those of `rPh`, which say how it is pronounced.
 */
export interface RichText {
  readonly open: (name: string) => void;
  readonly text: (text: string) => void;
  readonly close: (name: string) => void;
  /** What was joined; the next text begins. */
  readonly take: () => string;
}

/** @throws DomainError NOT_CSV when a text is longer than a cell may be, from `text` */
export function richText(): RichText {
  let joined = "";
  let isText = false;
  let isPronunciation = false;
  return {
    open(name) {
      if (name === "rPh") isPronunciation = true;
      else if (name === "t") isText = !isPronunciation;
    },
    text(text) {
      if (!isText) return;
      joined += unescaped(text);
      if (joined.length > maxCellLength) throw tooLong();
    },
    close(name) {
      if (name === "rPh") isPronunciation = false;
      else if (name === "t") isText = false;
    },
    take() {
      const whole = joined;
      joined = "";
      return whole;
    },
  };
}

/** The fault for a text that Excel would not take either. */
export const tooLong = (): DomainError =>
  new DomainError("NOT_CSV", "A cell has more than 32,767 characters, the most that Excel takes. Shorten it.");
