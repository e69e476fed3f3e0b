import { SaxesParser } from "saxes";
import { DomainError } from "../errors.ts";
import { damaged } from "./xlsx-package.ts";

/** Between two tags: the longest text of a cell, of 32,767 characters, has 230,000 with each of them written as `_x000D_`. */
const maxTokenLength = 1_048_576;
/** The parser holds the names of open elements: a part of a workbook has about ten. */
const maxDepth = 100;

/** What is heard of a part's elements, by their names without prefix: a writer may choose that. */
export interface XmlListener {
  readonly open: (name: string, attributes: Readonly<Record<string, string>>) => void;
  /** In one piece between two tags, but for CDATA. */
  readonly text?: (text: string) => void;
  readonly close?: (name: string) => void;
  /** Asked after every piece; nothing more is parsed meanwhile. */
  readonly settle?: () => Promise<void> | undefined;
  /** When true the rest is read, so that it is known to be whole, but not parsed. */
  readonly isDone?: () => boolean;
}

const localName = (name: string): string => name.slice(name.indexOf(":") + 1);

/**
 * Parses XML as it comes; what the parser holds is bounded, whatever the XML is.
 * @throws DomainError NOT_CSV for what is no XML, or has a DOCTYPE (ECMA-376 part 2, 6.1.4: refused, so that there is
 * no entity but the five of XML), what `listener` throws, and what the pieces end with
 */
export async function parseXml(pieces: AsyncIterable<string>, listener: XmlListener): Promise<void> {
  const parser = new SaxesParser({ xmlns: false, position: false });
  let depth = 0;
  let sinceTag = 0;
  parser.on("error", (error) => {
    throw damaged("it has XML that is none", error);
  });
  parser.on("doctype", () => {
    throw damaged("its XML has a DOCTYPE, which no workbook has");
  });
  parser.on("xmldecl", ({ encoding }) => {
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding))
      throw new DomainError(
        "NOT_CSV",
        `The Excel file is written in ${encoding.slice(0, 40)}, not in UTF-8. Save it again.`,
      );
  });
  parser.on("opentag", ({ name, attributes }) => {
    depth += 1;
    sinceTag = 0;
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
  for await (const piece of pieces) {
    if (listener.isDone?.() === true) continue;
    sinceTag += piece.length;
    if (sinceTag > maxTokenLength) throw damaged("it has a text or a tag longer than 1 MiB");
    parser.write(piece);
    await listener.settle?.();
  }
  if (listener.isDone?.() !== true) parser.close();
}
