import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { decoded, encodingNamed, guessEncoding } from "../../../src/tables/text-encoding.ts";
import { encodeText } from "../../support/encode-text.ts";
import { faultOf } from "../../support/fault-of.ts";

const russian = "город;цена;метка\nМосква;12,5;да\nСанкт-Петербург;8,1;нет\nНижний Новгород;1;да\n";

test.each([
  ["windows-1251", russian],
  ["windows-1251", "Пол;Возраст\nМ;12\nЖ;13\n"],
  ["windows-1251", "ГОРОД;ЦЕНА\nМОСКВА;1\n"],
  ["windows-1251", `name;price\n${"Smith;1\n".repeat(5_000)}Иванов;2\n`],
  ["windows-1251", "місто;ціна\nКиїв;1\nЛьвів;2\nОдеса;3\n"],
  ["koi8-r", russian],
  ["koi8-r", "ГОРОД;ЦЕНА\nМОСКВА;1\n"],
  ["koi8-r", "цена, руб;метка\n12;да\n13;нет\n"],
  ["windows-1252", "Straße;Größe;Art\nMüller;1;schön\nKöln;2;häßlich\n"],
  ["windows-1252", "ville;prix;été\nOrléans;1;élevé\nÉvreux;3;à\n"],
  ["windows-1252", "price;label\n12 €;yes\n13 €;no\n"],
  ["windows-1252", "temp °C;label\n12;yes\n"],
  ["windows-1252", "name;x\nZoë;1\n"],
  ["windows-1252", `temp;x\n${"5 °C;yes\n".repeat(60)}`],
  ["windows-1252", `size;x\n${"5 µm;x\n6 µm;z\n".repeat(60)}`],
  ["windows-1252", `price;x\n${"£1.50;x\n£2;z\n".repeat(60)}`],
  ["windows-1252", `city;x\n${"København;ja\nÅrhus;nej\nNæstved;ja\n".repeat(20)}`],
  ["windows-1252", `city;x\n${"Malmö;ja\nVäxjö;nej\nLuleå;ja\n".repeat(20)}`],
  ["windows-1251", `city;x\n${"Москва;ja\nКазань;nej\nОмск;ja\n".repeat(20)}`],
  ["windows-1250", "miasto;cena\nŁódź;1\nKraków;2\nGdańsk;3\nCzęstochowa;4\n"],
  ["windows-1253", "πόλη;τιμή\nΑθήνα;1\nΘεσσαλονίκη;2\n"],
])("letters tell that a text is %s: %j", async (encoding, text) => {
  const bytes = encodeText(text, encoding);
  const found = guessEncoding(bytes);
  expect(new TextDecoder(found).decode(bytes)).toBe(text);
});

test("UTF-8 that is damaged is told, and not read as something else", async () => {
  const bytes = Buffer.concat([Buffer.from(russian), Buffer.from([0xff, 0x0a])]);
  expect(await faultOf(() => guessEncoding(bytes))).toMatchObject({ code: "WRONG_ENCODING" });
  const mixed = Buffer.concat([Buffer.from("Müller;1\n"), encodeText("Müller;2\n", "windows-1252")]);
  expect(await faultOf(() => guessEncoding(mixed))).toMatchObject({ code: "WRONG_ENCODING" });
});

describe("decoding", () => {
  async function decode(chunks: Buffer[], encoding: string): Promise<string> {
    let text = "";
    for await (const piece of decoded(Readable.from(chunks), encoding)) text += piece;
    return text;
  }

  test.each(["utf-16le", "utf-16be", "utf-8", "gb18030"])("%s is the same however it is cut", async (encoding) => {
    const text = "a,b\n1,é😀\n";
    const little = Buffer.from(`\uFEFF${text}`, "utf16le");
    const bytes =
      encoding === "gb18030"
        ? Buffer.from("a,b\n1,x\n")
        : encoding === "utf-8"
          ? Buffer.from(text)
          : encoding === "utf-16le"
            ? little
            : little.swap16();
    const whole = await decode([bytes], encoding);
    expect(
      await decode(
        Array.from(bytes, (byte) => Buffer.from([byte])),
        encoding,
      ),
    ).toBe(whole);
    if (encoding !== "gb18030") expect(whole).toBe(text);
  });

  test("a letter that the encoding lacks is named by its line", async () => {
    const fault = await faultOf(() => decode([Buffer.from("a,b\n1,2\n3,"), Buffer.from([0xff, 0x0a])], "utf-8"));
    expect([fault.code, fault.message]).toEqual(["WRONG_ENCODING", expect.stringContaining("line 3")]);
  });
});

test("an encoding has the names that the Encoding Standard knows", async () => {
  expect([encodingNamed("cp1251"), encodingNamed("Latin1"), encodingNamed("UTF-16")]).toEqual([
    "windows-1251",
    "windows-1252",
    "utf-16le",
  ]);
  expect(await faultOf(() => encodingNamed("klingon"))).toMatchObject({ code: "FIELD_INVALID" });
});
