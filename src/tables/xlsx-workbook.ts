import { posix } from "node:path";
import { DomainError } from "../errors.ts";
import type { DateSystem } from "./xlsx-dates.ts";
import type { XlsxPackage } from "./xlsx-package.ts";
import { parseXml, smallPart } from "./xlsx-xml.ts";

/** A sheet with cells, and the part that has them. */
export interface Sheet {
  readonly name: string;
  readonly part: string;
  readonly isHidden: boolean;
}

/** What a workbook is made of (ECMA-376 part 1, 12.3.23 and 18.2). */
export interface Workbook {
  /** In the order of their tabs, without those that are a chart. One at least. */
  readonly sheets: readonly Sheet[];
  readonly dateSystem: DateSystem;
  /** Names of its parts, where it has them. */
  readonly sharedStrings: string | undefined;
  readonly styles: string | undefined;
}

interface Relation {
  /** The last word of its type: that of the strict form of the standard begins with another address. */
  readonly type: string;
  readonly part: string;
}

/** Parts that show what a zip is, when it is no workbook. */
const otherKinds: readonly (readonly [string, string])[] = [
  ["xl/workbook.bin", "a binary workbook (.xlsb)"],
  ["word/document.xml", "a Word document"],
  ["ppt/presentation.xml", "a PowerPoint presentation"],
  ["index/document.iwa", "a file of Apple Numbers, Pages or Keynote"],
  ["mimetype", "an OpenDocument file (.ods and others)"],
];

/** What `part` points to (ECMA-376 part 2, 6.5): the file of that stands beside it, in a folder of its own. */
async function relationsOf(xlsx: XlsxPackage, part: string): Promise<Map<string, Relation>> {
  const relations = new Map<string, Relation>();
  const folder = posix.dirname(part);
  await parseXml(xlsx, posix.join(folder, "_rels", `${posix.basename(part)}.rels`), smallPart, {
    open(element, { Id: id, Type: type, Target: target, TargetMode: mode }) {
      if (element !== "Relationship" || id === undefined || type === undefined || target === undefined) return;
      if (mode === "External") return;
      relations.set(id, {
        type: type.slice(type.lastIndexOf("/") + 1),
        part: posix.resolve("/", folder, target).slice(1),
      });
    },
  });
  return relations;
}

const partOf = (relations: ReadonlyMap<string, Relation>, type: string): string | undefined =>
  [...relations.values()].find((relation) => relation.type === type)?.part;

async function workbookPartOf(xlsx: XlsxPackage): Promise<string> {
  const other = otherKinds.find(([part]) => xlsx.has(part));
  if (other !== undefined)
    throw new DomainError("NOT_CSV", `This is ${other[1]}. Save the table as .xlsx or CSV, and send that.`);
  const part = xlsx.has("_rels/.rels") ? partOf(await relationsOf(xlsx, ""), "officeDocument") : undefined;
  if (part === undefined)
    throw new DomainError("NOT_CSV", "This is a zip archive without a workbook. Send the table as .xlsx or CSV.");
  return part;
}

/**
 * Finds the sheets and parts of a workbook.
 * @throws DomainError DATASET_TOO_LARGE; NOT_CSV, with the name of what it is when it is none
 */
export async function readWorkbook(xlsx: XlsxPackage): Promise<Workbook> {
  const part = await workbookPartOf(xlsx);
  const relations = await relationsOf(xlsx, part);
  const sheets: Sheet[] = [];
  let dateSystem: DateSystem = "since1900";
  await parseXml(xlsx, part, smallPart, {
    open(element, attributes) {
      if (element === "workbookPr" && /^(?:1|true|on)$/.test(attributes.date1904 ?? "")) dateSystem = "since1904";
      if (element !== "sheet" || attributes.name === undefined) return;
      // `r:id`, by whatever prefix; `sheetId` is another one.
      const [, id] = Object.entries(attributes).find(([name]) => name.endsWith(":id")) ?? [];
      const relation = relations.get(id ?? "");
      if (relation?.type !== "worksheet") return;
      sheets.push({
        name: attributes.name,
        part: relation.part,
        isHidden: (attributes.state ?? "visible") !== "visible",
      });
    },
  });
  if (sheets.length === 0) throw new DomainError("NOT_CSV", "The workbook has no sheet with cells.");
  return { sheets, dateSystem, sharedStrings: partOf(relations, "sharedStrings"), styles: partOf(relations, "styles") };
}
