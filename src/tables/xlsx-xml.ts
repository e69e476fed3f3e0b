import { SaxesParser } from "saxes";
import { DomainError } from "../errors.ts";
import { damaged, type XlsxPackage } from "./xlsx-package.ts";

/** Between two tags: the longest text of a cell, of 32,767 characters, has 230,000 with each of them written as `_x000D_`. */
const maxTokenLength = 262_144;
/** The root of a sheet has some 20, for its namespaces. 20,000 on each element held the event loop for 0.1 s. */
const maxAttributes = 100;
/** The parser holds the names of open elements: a part of a workbook has about ten. */
const maxDepth = 100;

/** How much of a part is read: a few MiB can be packed into a file of some KiB. */
export interface XmlLimits {
  /** When unpacked. */
  readonly maxBytes: number;
  /** To read a million takes half a second to a whole one. */
  readonly maxElements: number;
}

/** Of a part that says how others are to be read: those of workbooks with thousands of names and styles have a few MiB. */
export const smallPart: XmlLimits = { maxBytes: 16 * 1024 * 1024, maxElements: 1_000_000 };

/** What is heard of a part's elements, by their names without prefix: a writer may choose that. */
export interface XmlListener {
  readonly open: (name: string, attributes: Readonly<Record<string, string>>) => void;
  /** In one piece between two tags, but for CDATA. */
  readonly text?: (text: string) => void;
  readonly close?: (name: string) => void;
  /** Asked after every piece; nothing more is parsed meanwhile. */
  readonly settle?: () => Promise<void> | undefined;
}

const localName = (name: string): string => name.slice(name.indexOf(":") + 1);

const tooLarge = (part: string, limit: string): DomainError =>
  new DomainError(
    "DATASET_TOO_LARGE",
    `«${part.slice(0, 80)}» in the Excel file has more than ${limit}. Delete empty rows and columns with a format, or save the sheet as CSV.`,
  );

function refuseOtherEncodings(encoding: string | undefined): void {
  if (encoding === undefined || /^utf-?8$/i.test(encoding)) return;
  const name = encoding.slice(0, 40);
  throw new DomainError("NOT_CSV", `The Excel file is written in ${name}, not in UTF-8. Open it in Excel and save it.`);
}

/**
 * Parses the XML of a part as it is unpacked; what the parser holds is bounded, whatever the XML is.
 * @throws DomainError NOT_CSV for what is no XML, or has a DOCTYPE (ECMA-376 part 2, «XML usage»: refused, so that there is
 * no entity but the five of XML); DATASET_TOO_LARGE; what `listener` throws, and the reason of the package's signal
 */
export async function parseXml(
  xlsx: XlsxPackage,
  part: string,
  { maxBytes, maxElements }: XmlLimits,
  listener: XmlListener,
): Promise<void> {
  if (xlsx.sizeOf(part) > maxBytes) throw tooLarge(part, `${maxBytes} bytes when unpacked`);
  const parser = new SaxesParser({ xmlns: false, position: false });
  let elementCount = 0;
  let depth = 0;
  let sinceTag = 0;
  let attributeCount = 0;
  parser.on("error", (error) => {
    throw damaged("it has XML that is none", error);
  });
  parser.on("doctype", () => {
    throw damaged("its XML has a DOCTYPE, which no workbook has");
  });
  // With an eighth kind of event all is three times as slow: V8 keeps the parser's fields in a dictionary then. So `xmldecl`
  // is none of them.
  parser.on("attribute", () => {
    attributeCount += 1;
    if (attributeCount > maxAttributes) throw damaged("its XML has an element with too many attributes");
  });
  parser.on("opentag", ({ name, attributes }) => {
    elementCount += 1;
    if (elementCount === 1) refuseOtherEncodings(parser.xmlDecl.encoding);
    if (elementCount > maxElements) throw tooLarge(part, `${maxElements} elements`);
    depth += 1;
    sinceTag = 0;
    attributeCount = 0;
    if (depth > maxDepth) throw damaged("its XML is nested too deep");
    listener.open(localName(name), attributes);
  });
  parser.on("closetag", ({ name }) => {
    depth -= 1;
    sinceTag = 0;
    listener.close?.(localName(name));
  });
  if (listener.text !== undefined) {
    parser.on("text", listener.text);
    parser.on("cdata", listener.text);
  }
  for await (const piece of xlsx.read(part)) {
    sinceTag += piece.length;
    if (sinceTag > maxTokenLength) throw damaged("it has a text or a tag longer than 256 KiB");
    parser.write(piece);
    await listener.settle?.();
  }
  parser.close();
}
