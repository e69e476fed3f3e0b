import { crc32, deflateRawSync } from "node:zlib";

/** A file in a zip, and what the zip says of it that is not so. */
export interface ZipEntry {
  readonly name: string;
  readonly content: string | Buffer;
  /** Stored as it is, without compression. */
  readonly isStored?: boolean;
  readonly claims?: {
    readonly sizeBytes?: number;
    readonly crc32?: number;
    readonly flags?: number;
    readonly method?: number;
  };
}

/** A zip archive (PKWARE's APPNOTE.TXT, 4.3). */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, content, isStored = false, claims = {} } of entries) {
    const bytes = Buffer.from(content as string);
    const packed = isStored ? bytes : deflateRawSync(bytes, { level: 1 });
    const encodedName = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(claims.flags ?? 0x0800, 2);
    common.writeUInt16LE(claims.method ?? (isStored ? 0 : 8), 4);
    common.writeUInt32LE(claims.crc32 ?? crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(claims.sizeBytes ?? bytes.length, 18);
    common.writeUInt16LE(encodedName.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    const file = [Buffer.from("PK\u0003\u0004"), common, encodedName, packed];
    directory.push(Buffer.from("PK\u0001\u0002"), Buffer.from([20, 0]), common, place, encodedName);
    files.push(...file);
    at += file.reduce((sum, part) => sum + part.length, 0);
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(
    directory.reduce((sum, part) => sum + part.length, 0),
    8,
  );
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...files, ...directory, Buffer.from("PK\u0005\u0006"), end]);
}

/** A sheet of a workbook that is written for a test. */
export interface WrittenSheet {
  readonly name: string;
  /** What stands between `<sheetData>` and its end, or the whole part where it begins with `<?xml`. */
  readonly rows: string | Buffer;
  readonly state?: "hidden" | "veryHidden";
  readonly kind?: "worksheet" | "chartsheet";
}

/** A workbook that is written for a test. */
export interface WrittenWorkbook {
  readonly sheets: readonly WrittenSheet[];
  /** The `si` elements, or the whole part where it begins with `<?xml`. */
  readonly strings?: string | Buffer;
  /** Codes of the number formats: those of the cells' styles 1, 2, …; a number is that of a built-in one. */
  readonly formats?: readonly (string | number)[];
  readonly workbookProperties?: string;
  /** Parts beside those, or instead of them. */
  readonly parts?: readonly ZipEntry[];
}

/** Text as it stands in XML of a workbook: what XML can't hold, and what looks like the escape for it, is escaped. */
export const xmlText = (text: string): string =>
  text
    .replaceAll(/_(?=x[0-9A-Fa-f]{4}_)/g, "_x005F_")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 holds none of them.
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/g, (character) => {
      return `_x${character.charCodeAt(0).toString(16).padStart(4, "0")}_`;
    })
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");

const xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const relations = (items: readonly (readonly [id: string, type: string, target: string])[]): string =>
  `${xml}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${items
    .map(([id, type, target]) => `<Relationship Id="${id}" Type="${office}/${type}" Target="${target}"/>`)
    .join("")}</Relationships>`;

/** A part: what stands within its root, unless that is all of it. */
function partOf(content: string | Buffer, before: string, after: string): Buffer {
  const bytes = Buffer.from(content as string);
  if (bytes.subarray(0, 5).toString() === "<?xml") return bytes;
  return Buffer.concat([Buffer.from(xml + before), bytes, Buffer.from(after)]);
}

function stylesOf(formats: readonly (string | number)[]): string {
  const own = formats.flatMap((format, index) =>
    typeof format === "string" ? [`<numFmt numFmtId="${164 + index}" formatCode="${xmlText(format)}"/>`] : [],
  );
  const styles = formats.map(
    (format, index) => `<xf numFmtId="${typeof format === "string" ? 164 + index : format}"/>`,
  );
  return `${xml}<styleSheet ${main}><numFmts>${own.join("")}</numFmts>
    <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>${styles.join("")}</cellXfs></styleSheet>`;
}

/** The files of a workbook, as Excel lays them out. */
export function entriesOf({
  sheets,
  strings,
  formats,
  workbookProperties = "",
  parts = [],
}: WrittenWorkbook): ZipEntry[] {
  const entries: ZipEntry[] = [
    { name: "[Content_Types].xml", content: `${xml}<Types/>` },
    { name: "_rels/.rels", content: relations([["rId1", "officeDocument", "xl/workbook.xml"]]) },
    {
      name: "xl/workbook.xml",
      content: `${xml}<workbook ${main} xmlns:r="${office}"><workbookPr ${workbookProperties}/><sheets>${sheets
        .map(({ name, state }, index) => {
          const hidden = state === undefined ? "" : ` state="${state}"`;
          return `<sheet name="${xmlText(name)}" sheetId="${index + 7}"${hidden} r:id="rId${index}"/>`;
        })
        .join("")}</sheets></workbook>`,
    },
    {
      name: "xl/_rels/workbook.xml.rels",
      content: relations([
        ...sheets.map(({ kind = "worksheet" }, index) => [`rId${index}`, kind, `sheets/${index}.xml`] as const),
        ...(strings === undefined ? [] : ([["rIdS", "sharedStrings", "/xl/sharedStrings.xml"]] as const)),
        ...(formats === undefined ? [] : ([["rIdF", "styles", "styles.xml"]] as const)),
      ]),
    },
    ...sheets.map(({ rows }, index) => ({
      name: `xl/sheets/${index}.xml`,
      content: partOf(rows, `<worksheet ${main}><dimension ref="A1"/><sheetData>`, "</sheetData></worksheet>"),
    })),
  ];
  if (strings !== undefined)
    entries.push({ name: "xl/sharedStrings.xml", content: partOf(strings, `<sst ${main}>`, "</sst>") });
  if (formats !== undefined) entries.push({ name: "xl/styles.xml", content: stylesOf(formats) });
  const replaced = new Set(parts.map(({ name }) => name));
  return [...entries.filter(({ name }) => !replaced.has(name)), ...parts];
}

/** An .xlsx file. */
export const workbookOf = (workbook: WrittenWorkbook): Buffer => zipOf(entriesOf(workbook));
