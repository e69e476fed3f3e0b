import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { nameOfKind } from "../../../src/tables/name-of-kind.ts";

test.each([
  ["gzip", gzipSync("a,b\n1,2\n")],
  ["zstd", zstdCompressSync("a,b\n1,2\n")],
  ["PDF", Buffer.from("%PDF-1.7\n")],
  ["JSON of lists", Buffer.from("[[1,2],[3,4]]")],
  ["HTML", Buffer.from("\n<!DOCTYPE html>\n<html><body>Log in</body></html>")],
  ["XML", Buffer.from("\uFEFF<?xml version='1.0'?><rows/>")],
  ["Git LFS", Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 12\n")],
])("%s is named", (name, bytes) => {
  expect(nameOfKind(bytes)).toContain(name);
});

test.each([
  "a,b\n1,2\n",
  "",
  "\uFEFFa;b\n1;2\n",
  "version,size\n1,2\n",
  "<5,>5\n1,2\n",
  "[a],{b}\n1,2\n",
  "[[a]],b\n",
  "PAR1,PAR2\n",
  "GIF8,b\n",
  "%PDF-size,b\n",
  "<body mass>,b\n",
])("a table is no other kind: %j", (text) => {
  expect(nameOfKind(Buffer.from(text))).toBeUndefined();
});
