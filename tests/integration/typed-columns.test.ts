import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningService, startService } from "../support/service.ts";

let service: RunningService;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const predict = (id: string, rows: readonly object[]) => service.call("POST", `/artifacts/${id}/predictions`, { rows });

describe("what an upload makes of dates and truths", () => {
  /** Sixty rows of a column's cells, in turn, and a target. */
  const table = (cells: readonly string[]): string =>
    `when,y\n${Array.from({ length: 60 }, (_, row) => `${cells[row % cells.length]},${row % 2 ? "a" : "b"}\n`).join("")}`;
  const typeIn = async (content: string, fields: Record<string, string> = {}): Promise<string> => {
    const { json } = await service.upload(content, { name: crypto.randomUUID(), ...fields });
    return json.understood?.columns[0].type ?? `${json.code}: ${json.detail}`;
  };

  test("day and month are asked for only where they make a difference to dates", async () => {
    expect(await typeIn(table(["01/01/2019", "1/1/2020", "02/02/2021"]))).toBe("date");
    const words = Array.from({ length: 500 }, (_, row) => `word${row % 5},${row % 2 ? "a" : "b"}\n`).join("");
    expect(await typeIn(table(["03/04/2024"]).concat(words))).toBe("text");
    const late = `when,y\n${",a\n,b\n".repeat(200)}${"03/04/2024,a\n".repeat(9)}`;
    expect(await typeIn(late)).toContain("DATE_ORDER_UNKNOWN: Column «when» has dates, as «03/04/2024»");
  });

  test("what is said of day and month is of the columns that don't tell it", async () => {
    const rows = Array.from(
      { length: 60 },
      (_, row) => `05/${13 + (row % 10)}/2024,0${(row % 9) + 1}/05/2024,${row % 2}\n`,
    );
    const { json } = await service.upload(`us,either,y\n${rows.join("")}`, { name: "both", dayFirst: "true" });
    expect(json.understood.dateForms).toEqual([
      { column: 1, form: "01/31/2024" },
      { column: 2, form: "31/01/2024" },
    ]);
  });

  test("a column is what it is said to be, though it is empty, all the same, or has dates long ago", async () => {
    const said = async (type: string, cells: readonly string[]) =>
      typeIn(table(cells), { types: JSON.stringify({ when: type }) });
    expect(await said("date", ["", "NA"])).toBe("date");
    expect(await said("boolean", ["", "NA"])).toBe("boolean");
    expect(await said("boolean", ["true"])).toBe("boolean");
    expect(await said("date", ["19850412", "99991231", "20010203"])).toBe("date");
    expect(await said("date", ["17", "nothing"])).toContain("and it has none in a form that is known");
    expect(await said("boolean", ["true", "false", "maybe"])).toContain("and it has other values");
  });

  test("it may be said of any column of a wide table", async () => {
    const flags = (cell: string): string => Array(450).fill(cell).join(",");
    const names = Array.from({ length: 450 }, (_, place) => `flag${place}`);
    const rows = Array.from(
      { length: 60 },
      (_, row) => `${flags(row % 3 ? "t" : "f")},2024-01-${10 + (row % 9)},${row % 2}\n`,
    );
    const { json } = await service.upload(`${names},day,y\n${rows.join("")}`, {
      name: "wide",
      types: '{"day":"date"}',
    });
    expect(json.understood.columns.at(450)).toMatchObject({ name: "day", type: "date" });
    expect(json.warnings).toMatchObject([{ code: "DATES_AND_TEXT", column: "flag400", place: 401 }]);
    expect(json.warnings[0].message).toMatch(/^50 further columns, /);
  });

  test("letters that would be one truth and are two codes stay apart", async () => {
    expect(await typeIn(table(["T", "N", "F"]))).toBe("text");
    expect(await typeIn(table(["T", "Y", "F"]))).toBe("text");
    expect(await typeIn(table(["Y", "n", "yes"]))).toBe("boolean");
  });
});

test("truths are one feature however they are spelled, and classes are told as they are", async () => {
  const spelled = ["TRUE", "true", "True", "yes", "FALSE", "false", "False", "no"];
  const rows = Array.from({ length: 160 }, (_, row) => {
    const cell = spelled[(row * 3) % 8]!;
    return `${cell},${row % 5},${/^(t|y)/i.test(cell) ? "1.0" : "0.0"}\n`;
  });
  const sent = await service.upload(`flag,size,label\n${rows.join("")}`, { name: "truths" });
  const { json: run } = await service.train(sent.json.id, { mode: "heavy" });
  expect(run.columns[0]).toEqual({ name: "flag", as: "boolean", missing: 0, imputed: 0, equalsTarget: true });
  expect(run.metrics.accuracy).toBe(1);
  const { json } = await predict(
    run.artifactId,
    [true, "True", "yes", 1, false, 0, "maybe"].map((flag) => ({ flag, size: 1 })),
  );
  expect(json.predictions.map(({ prediction }: { prediction: string }) => prediction).slice(0, 6)).toEqual([
    ...Array(4).fill("1.0"),
    ...Array(2).fill("0.0"),
  ]);
  expect(json.predictions[6].unknown).toEqual(["flag"]);
  const nested = await predict(run.artifactId, [{ flag: { toString: 1, valueOf: 1 }, size: 1 }]);
  expect([nested.status, nested.json.detail]).toEqual([
    400,
    'Row 1: column "flag" must be true or false, not an object.',
  ]);
  const table = await service.call("POST", `/artifacts/${run.artifactId}/predictions`, "flag,size\n1,1\n0,1\n", {
    "content-type": "text/csv",
  });
  expect(table.json.predictions.map(({ prediction }: { prediction: string }) => prediction)).toEqual(["1.0", "0.0"]);
  const target = await service.train(sent.json.id, { mode: "heavy", target: "flag", features: ["size", "label"] });
  const { json: other } = await predict(target.json.artifactId, [{ size: 1, label: 1 }]);
  expect(other.predictions[0].prediction).toBe("true");
});

test("classes of numbers stand by their values, however they are spelled", async () => {
  const rows = Array.from({ length: 60 }, (_, row) => `${row % 7},$${[10, 9, 2][row % 3]}.00\n`);
  const sent = await service.upload(`n,y\n${rows.join("")}`, { name: "dollars" });
  const { json: run } = await service.train(sent.json.id, { task: "classification" });
  expect(run.metrics.confusionMatrix.classes).toEqual(["$2.00", "$9.00", "$10.00"]);
});
