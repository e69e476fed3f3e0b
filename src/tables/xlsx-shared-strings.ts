import { DomainError } from "../errors.ts";
import { damaged, type XlsxPackage } from "./xlsx-package.ts";
import { richText } from "./xlsx-text.ts";
import { parseXml, type XmlLimits } from "./xlsx-xml.ts";

/** Bytes of all texts with where each begins. They must be held: a cell names its text by number, in any order. */
const maxHeldBytes = 64 * 1024 * 1024;
const bytesPerPlace = 4;
/** `<si/>`. */
const leastBytesOfText = 5;

/** The texts of a workbook, each once (ECMA-376 part 1, 18.4.9 `sst`). */
export interface SharedStrings {
  /** @throws DomainError NOT_CSV when there is none of this number, from 0 */
  readonly at: (index: number) => string;
}

/** Of a workbook that has none. */
export const noSharedStrings: SharedStrings = {
  at: () => {
    throw damaged("a cell has a text that is missing");
  },
};

const tooMany = (): DomainError =>
  new DomainError("DATASET_TOO_LARGE", "The texts of the workbook need more than 64 MiB. Save its sheet as CSV.");

/**
 * Reads the part of that name. The texts lie as UTF-8 in one buffer: as strings of JavaScript each would take 16 bytes
 * more, and hold the 64 KiB of XML that it was cut from.
 * @throws DomainError DATASET_TOO_LARGE, NOT_CSV
 */
export async function readSharedStrings(xlsx: XlsxPackage, name: string, limits: XmlLimits): Promise<SharedStrings> {
  const xmlBytes = Math.min(xlsx.sizeOf(name), limits.maxBytes);
  // No larger than the XML, which the zip holds to its word; and the system gives no memory before it is written to.
  const bytes = Buffer.alloc(Math.min(xmlBytes, maxHeldBytes));
  const ends = new Uint32Array(Math.min(Math.ceil(xmlBytes / leastBytesOfText), maxHeldBytes / bytesPerPlace));
  let count = 0;
  let used = 0;
  const current = richText();
  await parseXml(xlsx, name, limits, {
    open: current.open,
    text: current.text,
    close(element) {
      current.close(element);
      if (element !== "si") return;
      const text = current.take();
      const length = Buffer.byteLength(text);
      if (used + length > bytes.length || used + length + (count + 1) * bytesPerPlace > maxHeldBytes) throw tooMany();
      bytes.write(text, used);
      used += length;
      ends[count] = used;
      count += 1;
    },
  });
  return {
    at(index) {
      if (!(Number.isInteger(index) && index >= 0 && index < count)) throw damaged("a cell has a text that is missing");
      return bytes.toString("utf8", index === 0 ? 0 : ends[index - 1], ends[index]);
    },
  };
}
