/** First bytes of what is no table of text; Wikipedia's «List of file signatures» has them with their sources. */
const signatures: readonly (readonly [Buffer, string])[] = [
  [Buffer.from([0xd0, 0xcf, 0x11, 0xe0]), "an old Excel or Word file"],
  [Buffer.from([0x1f, 0x8b]), "a gzip file within a compressed one"],
  [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), "a zstd file within a compressed one"],
  [Buffer.from("%PDF-1."), "a PDF"],
  [Buffer.from([0x89, 0x50, 0x4e, 0x47]), "a PNG image"],
  [Buffer.from([0xff, 0xd8, 0xff]), "a JPEG image"],
  [Buffer.from("GIF87a"), "a GIF image"],
  [Buffer.from("GIF89a"), "a GIF image"],
  [Buffer.from("SQLite format 3"), "an SQLite database"],
  [Buffer.from([0x80, 0x04, 0x95]), "a Python pickle"],
  [Buffer.from("version https://git-lfs."), "a Git LFS pointer, not the file it points at: run `git lfs pull`"],
];

const texts: readonly (readonly [RegExp, string])[] = [
  [/^\s*<(!doctype html|html|head)[\s>]/i, "an HTML page: the download may have wanted a login"],
  [/^\s*<\?xml/i, "an XML file"],
  [/^\s*\[\s*\[\s*(["\d-]|true|false|null)/, "JSON of lists in a list: a row is an object of column and value"],
];

/** What a file is that is no table, by its first bytes, in words for who sent it; undefined where they don't tell. */
export function nameOfKind(firstBytes: Buffer): string | undefined {
  const signature = signatures.find(([bytes]) => firstBytes.subarray(0, bytes.length).equals(bytes));
  if (signature !== undefined) return signature[1];
  const begin = firstBytes
    .subarray(0, 200)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  return texts.find(([pattern]) => pattern.test(begin))?.[1];
}
