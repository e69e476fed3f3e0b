import { expect, test } from "vitest";
import { ru } from "../../../src/console/texts/ru.ts";
import { createFormats } from "../../../src/console/words/formats.ts";

const [english, russian] = [createFormats("en-GB"), createFormats("ru")];
/** Intl's blanks are of several kinds. */
const plain = (text: string): string => text.replaceAll(/\s/g, " ");

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [999, "999 bytes"],
  [48_219, "48.2 kB"],
  [10_485_760, "10.5 MB"],
  [5e12, "5,000 GB"],
])("%d bytes are %s", (bytes, text) => expect(plain(english.size(bytes))).toBe(text));

test.each([
  [0, "now"],
  [59, "59 seconds ago"],
  [130, "2 minutes ago"],
  [7_200, "2 hours ago"],
  [86_400 * 3, "3 days ago"],
])("%d s are told as %s", (seconds, text) => {
  const iso = "2026-11-30T12:00:00.000Z";
  expect(english.ago(iso, Date.parse(iso) + seconds * 1000)).toBe(text);
});

test("numbers are written as the language writes them, measured ones without digits that nobody knows", () => {
  expect(english.measured(0.876712328)).toBe("0.8767");
  expect(english.value(0.1 + 0.2)).toBe("0.3");
  expect(plain(russian.count(1461))).toBe("1 461");
  expect(plain(russian.percent(0.8767, 1))).toBe("87,7 %");
  expect(plain(english.duration(4.66))).toBe("4.7 secs");
  expect(plain(english.duration(150))).toBe("2.5 mins");
});

test.each([
  [1, "1 строка, 2 столбца"],
  [3, "3 строки, 2 столбца"],
  [11, "11 строк, 2 столбца"],
  [21, "21 строка, 2 столбца"],
])("Russian has the form that goes with %d", (rows, text) => {
  expect(ru.dataset.rowsAndColumns(rows, String(rows), 2, "2")).toBe(text);
});
