import { createReadStream } from "node:fs";
import { readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DomainError } from "../../../src/errors.ts";
import { faultOf } from "../../support/fault-of.ts";
import { mebibyte, openXlsxConverter, type XlsxConverter } from "../../support/xlsx-converter.ts";
import { entriesOf, type WrittenWorkbook, workbookOf, type ZipEntry, zipOf } from "../../support/xlsx-file.ts";

let xlsx: XlsxConverter;
beforeAll(async () => {
  xlsx = await openXlsxConverter();
});
afterAll(() => xlsx.close());

test.each([
  ["an old or protected workbook", Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), "with a password"],
  ["a PDF", Buffer.from("%PDF-1.7 …"), "a PDF"],
  ["text", Buffer.from("a,b\n1,2\n"), "no Excel workbook"],
  ["nothing", Buffer.alloc(0), "no Excel workbook"],
  ["a binary workbook", zipOf([{ name: "xl/workbook.bin", content: "…" }]), "a binary workbook (.xlsb)"],
  ["a document", zipOf([{ name: "word/document.xml", content: "…" }]), "a Word document"],
  ["slides", zipOf([{ name: "ppt/presentation.xml", content: "…" }]), "a PowerPoint presentation"],
  ["LibreOffice's", zipOf([{ name: "mimetype", content: "…", isStored: true }]), "an OpenDocument file"],
  ["Apple's", zipOf([{ name: "Index/Document.iwa", content: "…" }]), "a file of Apple Numbers"],
  ["another zip", zipOf([{ name: "table.csv", content: "a,b\n" }]), "a zip archive without a workbook"],
  ["an empty zip", zipOf([]), "a zip archive without a workbook"],
])("what is no such workbook is told: %s", async (_, bytes, words) => {
  const fault = await faultOf(() => xlsx.convert(bytes));
  expect(fault.code).toBe("NOT_CSV");
  expect(fault.message).toContain(words);
});

const table: WrittenWorkbook = {
  sheets: [{ name: "Sheet1", rows: '<row><c t="s"><v>0</v></c><c s="1"><v>45322</v></c></row>' }],
  strings: "<si><t>a</t></si>",
  formats: [14],
};
const claiming = (name: string, claims: ZipEntry["claims"]): Buffer =>
  zipOf(entriesOf(table).map((entry) => (entry.name === name ? { ...entry, claims: claims! } : entry)));

test("stored parts, and those in other letters and with macros, are read as well", async () => {
  const entries = entriesOf(table).map((entry) => ({ ...entry, name: entry.name.toUpperCase(), isStored: true }));
  await xlsx.convert(zipOf([...entries, { name: "xl/vbaProject.bin", content: "…" }]));
  expect(await readFile(xlsx.csvPath, "utf8")).toBe("a,2024-01-31\n");
});

test.each([
  ["a part that is locked", claiming("xl/sheets/0.xml", { flags: 0x0801 }), "a password"],
  ["a part that is packed in another way", claiming("xl/sheets/0.xml", { method: 12 }), "packed in an unknown way"],
  ["a part that was changed", claiming("xl/sheets/0.xml", { crc32: 7 }), "can't be unpacked"],
  ["a part that is longer than said", claiming("xl/sheets/0.xml", { sizeBytes: 9 }), "can't be unpacked"],
  ["a part that is shorter than said", claiming("xl/sharedStrings.xml", { sizeBytes: 9_999 }), "can't be unpacked"],
  ["a name that leads outside", zipOf([...entriesOf(table), { name: "xl/../../x", content: "" }]), "list of files"],
  ["more than it can list", zipOf(Array.from({ length: 10_001 }, () => ({ name: "x", content: "" }))), "10000 files"],
  [
    "names without end",
    zipOf(Array.from({ length: 100 }, (_, index) => ({ name: `${index}`.repeat(30_000), content: "" }))),
    "too long",
  ],
])("a damaged zip is told: %s", async (_, bytes, words) => {
  const fault = await faultOf(() => xlsx.convert(bytes));
  expect(fault.code).toBe("NOT_CSV");
  expect(fault.message).toContain(words);
});

const inSheet = (rows: string): WrittenWorkbook => ({ ...table, sheets: [{ name: "Sheet1", rows }] });
test.each([
  ["a sheet that is missing", { ...table, parts: [{ name: "xl/sheets/0.xml", content: "" }] }, "XML that is none"],
  ["XML that does not end", inSheet("<?xml version='1.0'?><worksheet><sheetData><row>"), "XML that is none"],
  ["XML that is closed wrongly", inSheet("<row><c></row></c>"), "XML that is none"],
  ["a DOCTYPE", inSheet('<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "b">]><w/>'), "DOCTYPE"],
  ["an unknown entity", inSheet('<row><c t="str"><v>&a;</v></c></row>'), "XML that is none"],
  ["another encoding", inSheet('<?xml version="1.0" encoding="ISO-8859-1"?><worksheet/>'), "ISO-8859-1"],
  ["a text that is missing", inSheet('<row><c t="s"><v>1</v></c></row>'), "a text that is missing"],
  ["a text with a wrong number", inSheet('<row><c t="s"><v>x</v></c></row>'), "a text that is missing"],
  [
    "a workbook without its texts",
    { sheets: inSheet('<row><c t="s"><v>0</v></c></row>').sheets },
    "a text that is missing",
  ],
  ["a cell nowhere", inSheet('<row><c r="7"><v>1</v></c></row>'), "the place «7»"],
  ["a cell beyond the sheet", inSheet('<row><c r="XFE1"><v>1</v></c></row>'), "more than 16384 cells"],
  ["a workbook without sheets", { sheets: [] }, "no sheet with cells"],
] satisfies [string, WrittenWorkbook, string][])("a damaged workbook is told: %s", async (_, workbook, words) => {
  const fault = await faultOf(() => xlsx.convert(workbook));
  expect(fault.code).toBe("NOT_CSV");
  expect(fault.message).toContain(words);
});

test("bytes that are no UTF-8 are a damage", async () => {
  const rows = Buffer.concat([Buffer.from('<row><c t="str"><v>'), Buffer.from([0xe4]), Buffer.from("</v></c></row>")]);
  expect((await faultOf(() => xlsx.convert({ sheets: [{ name: "Sheet1", rows }] }))).message).toContain(
    "can't be unpacked",
  );
});

test("a workbook with any byte changed, or broken off anywhere, is read or refused with a code", async () => {
  const whole = workbookOf(table);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), async (at, byte, isCut) => {
      const bytes = Buffer.from(isCut ? whole.subarray(0, at) : whole);
      if (!isCut) bytes[at] = byte;
      const result = await xlsx.convert(bytes).catch((error: unknown) => {
        expect(error).toBeInstanceOf(DomainError);
        return undefined;
      });
      if (result !== undefined && result.sheet === "Sheet1") {
        expect(["a,2024-01-31\n", "a,45322\n"]).toContain(await readFile(xlsx.csvPath, "utf8"));
      }
    }),
    { numRuns: 400 },
  );
});

/** What is packed a thousand times smaller. */
const padding = (element: string, mebibytes: number): Buffer =>
  Buffer.alloc(Math.floor((mebibytes * mebibyte) / element.length) * element.length, element);
const wrapped = (before: string, middle: Buffer, after: string): Buffer =>
  Buffer.concat([Buffer.from(before), middle, Buffer.from(after)]);
const sheetOf = (rows: string | Buffer): WrittenWorkbook => ({ sheets: [{ name: "Sheet1", rows }] });
const withPart = (name: string, content: Buffer, isStored = false): WrittenWorkbook => ({
  ...table,
  parts: [{ name, content, isStored }],
});
/** Not packed, so that it is nothing more than large. */
const storedSheet = (rows: Buffer): WrittenWorkbook =>
  withPart("xl/sheets/0.xml", wrapped("<worksheet><sheetData>", rows, "</sheetData></worksheet>"), true);
const text = (count: number): string => `<si><t>${"x".repeat(count)}</t></si>`;
const runs = "<r><t>1234567890</t></r>".repeat(4_000);
const attributes = Array.from({ length: 101 }, (_, index) => `a${index}=""`).join(" ");

const longRow = (cell: string, count: number): string => `<row>${cell.repeat(count)}</row>`;
test.each([
  ["a part that is mostly the same", sheetOf(padding("<row/>", 17)), "says the same more than 100 times"],
  ["a large sheet", storedSheet(padding("<row/>", 65)), "more than 67108864 bytes when unpacked"],
  ["more rows than a sheet has", sheetOf(padding("<row/>", 8)), "more than 1048576 rows"],
  ["many cells without a value", sheetOf(padding(longRow("<c/>", 100), 16)), "more than 3048576 elements"],
  ["one cell", sheetOf(wrapped('<row><c t="str"><v>', padding("x", 4), "</v></c></row>")), "longer than 256 KiB"],
  ["one attribute", sheetOf(wrapped('<row><c r="', padding("A", 4), '"/></row>')), "longer than 256 KiB"],
  ["one tag of many attributes", sheetOf(`<row><c ${attributes}/></row>`), "too many attributes"],
  ["one comment", sheetOf(wrapped("<!--", padding("x", 4), "-->")), "longer than 256 KiB"],
  [
    "a cell of many pieces",
    sheetOf(`<row><c t="str"><v>${`<![CDATA[${"x".repeat(200)}]]>`.repeat(200)}</v></c></row>`),
    "32,767",
  ],
  ["an inline text of many runs", sheetOf(`<row><c t="inlineStr"><is>${runs}</is></c></row>`), "32,767"],
  ["a shared text of many runs", { ...table, strings: `<si>${runs}</si>` }, "32,767"],
  ["elements in each other", sheetOf(padding("<row>", 1)), "nested too deep"],
  [
    "one row of XML",
    storedSheet(wrapped("<row><c>", padding(`<f>${"x".repeat(1_000)}</f>`, 5), "</c></row>")),
    "4 MiB of XML",
  ],
  [
    "one row of text",
    sheetOf(longRow(`<c t="str"><v>${"x".repeat(30_000)}</v></c>`, 40)),
    "A row of the sheet is longer",
  ],
  [
    "many styles",
    withPart("xl/styles.xml", wrapped("<s><cellXfs>", padding("<xf/>", 1), "</cellXfs></s>")),
    "65536 styles",
  ],
  [
    "a large list of sheets",
    withPart("xl/workbook.xml", padding("<a/>", 17), true),
    "more than 16777216 bytes when unpacked",
  ],
] satisfies [string, WrittenWorkbook, string][])("a bomb ends in a fault: %s", async (_, workbook, words) => {
  expect((await faultOf(() => xlsx.convert(workbook))).message).toContain(words);
});

test.each([
  ["long ones", text(30_000), 65],
  ["short ones", text(100), 74],
])("texts are held up to 64 MiB with their places: %s", async (_, element, mebibytes) => {
  const bytes = workbookOf(
    withPart("xl/sharedStrings.xml", wrapped("<sst>", padding(element, mebibytes), "</sst>"), true),
  );
  // The CSV may be so large that the XML may be larger than what is held.
  expect(await faultOf(() => xlsx.convert(bytes, { maxBytes: 4 * mebibyte }))).toMatchObject({
    code: "DATASET_TOO_LARGE",
  });
});

test("one text in many cells is written up to what the CSV may have", async () => {
  const rows = padding('<row><c t="s"><v>0</v></c></row>', 4);
  const fault = await faultOf(() => xlsx.convert({ ...sheetOf(rows), strings: text(30_000) }));
  expect(fault.message).toBe("The CSV inside is larger than 1048576 bytes.");
  expect((await stat(xlsx.csvPath)).size).toBeLessThanOrEqual(mebibyte);
});

test("a bomb that says it is small is not unpacked further than it says", async () => {
  const entries = entriesOf(sheetOf(padding("<row/>", 60))).map((entry) =>
    entry.name === "xl/sheets/0.xml" ? { ...entry, claims: { sizeBytes: 70_000 } } : entry,
  );
  const fault = await faultOf(() => xlsx.convert(zipOf(entries)));
  expect(fault.message).toContain("can't be unpacked");
  expect((fault.cause as Error).message).toBe("More bytes than its directory says.");
});

/** Files of this test that the process holds open. */
async function openFiles(): Promise<string[]> {
  const links = await Promise.all(
    (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "closed meanwhile")),
  );
  return links.filter((link) => link.startsWith(xlsx.folder));
}

test("no file stays open, however it ends", async () => {
  const reading = createReadStream(xlsx.csvPath);
  await new Promise<void>((resolve) => reading.once("open", () => resolve()));
  expect(await openFiles()).toEqual([xlsx.csvPath]);
  await new Promise<void>((resolve) => reading.destroy().once("close", () => resolve()));

  await xlsx.convert(table);
  expect(await openFiles()).toEqual([]);
  await faultOf(() => xlsx.convert(claiming("xl/sheets/0.xml", { crc32: 7 })));
  expect(await openFiles()).toEqual([]);
  await faultOf(() => xlsx.convert(inSheet(`<row><c r="7"/></row>${"<row><c><v>1</v></c></row>".repeat(50_000)}`)));
  expect(await openFiles()).toEqual([]);
  await faultOf(() => xlsx.convert(zipOf([...entriesOf(table), { name: "../x", content: "" }])));
  expect(await openFiles()).toEqual([]);
  await faultOf(() => xlsx.convert(workbookOf(table).subarray(0, 200)));
  expect(await openFiles()).toEqual([]);
});

test("an aborted signal ends it with its reason, before and in the middle", async () => {
  const reason = new Error("gone");
  await expect(xlsx.convert(table, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);

  await rm(xlsx.csvPath, { force: true });
  const controller = new AbortController();
  const rows = padding("<row><c><v>1234567.5</v></c></row>", 60);
  const working = xlsx.convert(storedSheet(rows), { maxBytes: 100 * mebibyte, signal: controller.signal });
  const ended = working.then(
    () => "written",
    (error: unknown) => error,
  );
  while (((await stat(xlsx.csvPath).catch(() => undefined))?.size ?? 0) === 0) await setImmediate();
  controller.abort(reason);
  expect(await ended).toBe(reason);
  expect(await openFiles()).toEqual([]);
});

test("the event loop does other work while a sheet is read", async () => {
  let isWorking = true;
  let turns = 0;
  const working = xlsx.convert(storedSheet(padding("<row><c><v>1234567.5</v></c></row>", 8)), {
    maxBytes: 100 * mebibyte,
  });
  const counting = (async () => {
    while (isWorking) {
      await setImmediate();
      turns += 1;
    }
  })();
  await working;
  isWorking = false;
  await counting;
  // 8 MiB come in pieces of 64 KiB, and a little more where the stream holds some.
  expect(turns).toBeGreaterThan(75);
});
