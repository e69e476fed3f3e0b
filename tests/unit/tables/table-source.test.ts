import { describe, expect, test } from "vitest";
import { atFirstSight } from "../../../src/tables/table-source.ts";
import { encodeText } from "../../support/encode-text.ts";

const csv = { format: "csv", encoding: undefined };
const utf16 = (text: string) => Buffer.from(text, "utf16le");

test.each([
  ["CSV", "a,b\n1,2\n", csv],
  ["CSV with braces", "{a},[b]\n1,2\n", csv],
  ["a header that begins as Parquet does", "PAR1,PAR2\n1,2\n", csv],
  ["JSON lines", '{"a": 1}\n{"a": 2}\n', { format: "jsonl", encoding: undefined }],
  ["JSON lines behind a byte order mark", '\uFEFF{"a\\"b": 1}\n', { format: "jsonl", encoding: undefined }],
  ["a JSON list", '[\n  {"a": 1}\n]', { format: "json", encoding: undefined }],
  ["a workbook", Buffer.from("PK\u0003\u0004\u0014"), { format: "xlsx", encoding: "utf-8" }],
  ["Parquet", Buffer.from("PAR1\u0015\u0004"), { format: "parquet", encoding: "utf-8" }],
])("%s", (_what, content, sight) => {
  expect(atFirstSight(Buffer.from(content as string))).toEqual(sight);
});

describe("UTF-16", () => {
  test.each([
    ["little end first", utf16("\uFEFFa,b\n"), "utf-16le"],
    ["big end first", utf16("\uFEFFa,b\n").swap16(), "utf-16be"],
    ["without a mark", utf16("a,b\n1,2\n"), "utf-16le"],
    ["without a mark, big end first", utf16("a,b\n1,2\n").swap16(), "utf-16be"],
    ["without a mark, of Cyrillic", utf16("город;метка\nМосква;да\nНижний Новгород;нет\n"), "utf-16le"],
    ["a lone NUL in a text", Buffer.from("a,b\n1,\u00002\n3,4\n"), undefined],
    ["NULs at the end", Buffer.from("a,b\n1,2\n\u0000\u0000\u0000\u0000"), undefined],
    ["a code page", encodeText("город;метка\n", "windows-1251"), undefined],
    ["nothing", Buffer.alloc(0), undefined],
  ])("%s", (_what, bytes, encoding) => {
    expect(atFirstSight(bytes)).toEqual({ format: "csv", encoding });
  });
});
