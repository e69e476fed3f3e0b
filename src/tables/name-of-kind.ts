/** First bytes of what is no table of text; Wikipedia's «List of file signatures» has them with their sources. */
const signatures: readonly (readonly [Buffer, string])[] = [
  // Behind the letters, which a header may have: the first page's header, a Thrift structure.
  [Buffer.from("PAR1\u0015"), "a Parquet file"],
  [Buffer.from("PK\u0003\u0004"), "a zip archive, as Excel's .xlsx is one"],
  [Buffer.from([0xd0, 0xcf, 0x11, 0xe0]), "an old Excel or Word file"],
  [Buffer.from([0x1f, 0x8b]), "a gzip file: send it under a name that ends in .gz"],
  [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), "a zstd file"],
  [Buffer.from("%PDF-1."), "a PDF"],
  [Buffer.from([0x89, 0x50, 0x4e, 0x47]), "a PNG image"],
  [Buffer.from([0xff, 0xd8, 0xff]), "a JPEG image"],
  [Buffer.from("GIF87a"), "a GIF image"],
  [Buffer.from("GIF89a"), "a GIF image"],
  [Buffer.from([0xff, 0xfe]), "UTF-16 text: save it as CSV UTF-8"],
  [Buffer.from([0xfe, 0xff]), "UTF-16 text: save it as CSV UTF-8"],
  [Buffer.from("SQLite format 3"), "an SQLite database"],
  [Buffer.from([0x80, 0x04, 0x95]), "a Python pickle"],
  [Buffer.from("version https://git-lfs."), "a Git LFS pointer, not the file it points at: run `git lfs pull`"],
];

const texts: readonly (readonly [RegExp, string])[] = [
  [/^\s*<(!doctype html|html|head)[\s>]/i, "an HTML page: the download may have wanted a login"],
  [/^\s*<\?xml/i, "an XML file"],
  [/^\s*(\{\s*"[^"]*"\s*:|\[\s*\{\s*"|\[\s*\[\s*(["\d-]|true|false|null))/, "JSON"],
];

/** What a file is that is no CSV, by its first bytes, in words for who sent it; undefined where they don't tell. */
export function nameOfKind(firstBytes: Buffer): string | undefined {
  const signature = signatures.find(([bytes]) => firstBytes.subarray(0, bytes.length).equals(bytes));
  if (signature !== undefined) return signature[1];
  const begin = firstBytes
    .subarray(0, 200)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  return texts.find(([pattern]) => pattern.test(begin))?.[1];
}
