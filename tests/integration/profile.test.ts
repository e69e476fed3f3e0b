import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { datasetWithProfile } from "../../src/datasets/answers/dataset-schemas.ts";
import { openStore } from "../../src/store/database.ts";
import type { ColumnProfile } from "../../src/store/schema.ts";
import { seattleWeatherCsv } from "../support/real-data.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";

let service: RunningService;
beforeAll(async () => {
  service = await startService({ env: { MAX_CSV_UPLOAD_BYTES: "150000000" } });
});
afterAll(() => service?.stop());

/** What a sent table is described as, by the names of its columns. */
async function profileOf(csv: string | Buffer, name: string): Promise<Record<string, ColumnProfile>> {
  const { status, json } = await service.upload(csv, { name });
  expect(status).toBe(201);
  const answer = await eventually(async () => {
    const one = await service.call("GET", `/datasets/${json.id}`);
    expect(one.json.profileFault).toBeNull();
    return one.json.profile === null ? undefined : one;
  });
  // As all answers are written, and not as the database writes what it keeps.
  expect(answer.text).toBe(JSON.stringify(answer.json));
  const { profile } = datasetWithProfile.strict().parse(answer.json);
  return Object.fromEntries((profile ?? []).map((column) => [column.name, column as ColumnProfile]));
}

const tableOf = (columns: Record<string, readonly unknown[]>): string => {
  const [first = []] = Object.values(columns);
  const lines = first.map((_, row) => Object.values(columns).map((cells) => cells[row]));
  return `${[Object.keys(columns), ...lines].map((cells) => cells.join(",")).join("\n")}\n`;
};

describe("numbers", () => {
  test("figures that can be worked out by hand", async () => {
    const { marks, change } = await profileOf(
      tableOf({
        marks: [2, 4, 4, 4, 5, 5, 7, 9],
        change: [-1.5, 0, "0.0", "", 3, "NA", -2, 0.5],
        label: ["a", "b", "a", "b", "a", "b", "a", "b"],
      }),
      "by hand",
    );
    expect(marks).toEqual({
      name: "marks",
      type: "number",
      nullRatio: 0,
      missing: 0,
      distinct: 5,
      min: 2,
      max: 9,
      mean: 5,
      // The squares of the differences are 9, 1, 1, 1, 0, 0, 4 and 16: 32 of them, and seven degrees of freedom.
      std: expect.closeTo(Math.sqrt(32 / 7), 12),
      // The p-th of n sorted numbers is at (n - 1) * p: 7 * 0.05 = 0.35 of the way from 2 to 4.
      quantiles: {
        p5: 2.7,
        p25: 4,
        p50: 4.5,
        p75: 5.5,
        p95: 8.3,
      },
      zeros: 0,
      negatives: 0,
      notFinite: 0,
      // Five values, so five bins.
      histogram: { binEdges: [2, 3.4, 4.8, 6.2, 7.6, 9], counts: [1, 3, 2, 1, 1] },
      topValues: [
        { value: "4", count: 3 },
        { value: "5", count: 2 },
        { value: "2", count: 1 },
        { value: "7", count: 1 },
        { value: "9", count: 1 },
      ],
    });
    expect(change).toMatchObject({ nullRatio: 0.25, missing: 2, zeros: 2, negatives: 2, min: -2, max: 3, mean: 0 });
    expect(change?.std).toBeCloseTo(Math.sqrt(15.5 / 5), 12);
  });

  test("the weather of Seattle, as pandas describes it", async () => {
    const { precipitation, temp_max: warmest, wind } = await profileOf(seattleWeatherCsv(), "weather");
    const described = (column: ColumnProfile | undefined) =>
      [column?.mean, column?.std, ...Object.values(column?.quantiles ?? {}), column?.max].map((value) =>
        Number(Number(value).toFixed(6)),
      );
    // mean, std, p5, 25 %, 50 %, 75 %, p95, max
    expect(described(precipitation)).toEqual([3.029432, 6.680194, 0, 0, 0, 2.8, expect.any(Number), 55.9]);
    expect(described(warmest).toSpliced(2, 1).toSpliced(5, 1)).toEqual([16.439083, 7.349758, 10.6, 15.6, 22.2, 35.6]);
    expect(described(wind).toSpliced(2, 1).toSpliced(5, 1)).toEqual([3.241136, 1.437825, 2.2, 3, 4, 9.5]);
    const { binEdges = [], counts = [] } = precipitation?.histogram ?? {};
    expect([binEdges.length, binEdges[0], binEdges[1], binEdges[20]]).toEqual([21, 0, 2.795, 55.9]);
    const rain = seattleWeatherCsv().toString().trim().split("\n").slice(1);
    const inFirst = rain.filter((line) => Number(line.split(",")[1]) < 2.795).length;
    expect([counts[0], counts.reduce((sum, count) => sum + count)]).toEqual([inFirst, 1461]);
  });

  test("a number at an edge is in the upper bin, and the greatest in the last", async () => {
    const { n } = await profileOf(
      tableOf({
        n: Array.from({ length: 31 }, (_, row) => row),
        label: Array.from({ length: 31 }, (_, row) => row % 2),
      }),
      "edges",
    );
    // 20 bins of 1.5: 0 and 1 in the first, 2 alone in the second (3 is the edge of the third).
    expect(n?.histogram?.binEdges.slice(0, 4)).toEqual([0, 1.5, 3, 4.5]);
    expect(n?.histogram?.counts).toEqual([...Array.from({ length: 19 }, (_, bin) => 2 - (bin % 2)), 2]);
    expect(n?.topValues).toHaveLength(10);
  });

  test("what is infinite or no number at all is counted, and the rest is described", async () => {
    const profile = await profileOf(
      tableOf({
        ratio: [1, 2, 3, 4, "inf", "-Infinity", "1e999", "NAN"],
        endless: Array.from({ length: 8 }, (_, row) => (row % 2 ? "inf" : "-inf")),
        huge: ["1e200", "-1e200", 0, 5, 0, 0, 0, 0],
        all: ["1.7e308", "-1.7e308", 0, 0, 0, 0, 0, 0],
        close: [1, "1.0000000000000002", 1, 1, 1, 1, 1, 1],
        tiny: ["5e-324", 0, 0, 0, 0, 0, 0, 0],
        same: [7, "7.0", 7, 7, 7, 7, 7, 7],
        label: ["a", "b", "a", "b", "a", "b", "a", "b"],
      }),
      "not finite",
    );
    expect(profile.ratio).toMatchObject({
      ...{ min: null, max: null, mean: null, std: null, missing: 0, negatives: 1, notFinite: 4, distinct: 8 },
      quantiles: { p25: 1.75, p50: 2.5, p75: 3.25 },
      histogram: { counts: [1, 0, 1, 0, 0, 1, 0, 1] },
    });
    expect(profile.endless).toMatchObject({ std: null, notFinite: 8, quantiles: { p5: null, p50: null, p95: null } });
    expect(profile.endless).not.toHaveProperty("histogram");
    // Squares of these are none: DuckDB would end its statement over them.
    expect(profile.huge).toMatchObject({
      std: null,
      max: 1e200,
      notFinite: 0,
      histogram: { counts: [1, 0, 7 - 1, 1] },
    });
    expect(profile.all?.histogram?.counts).toEqual([1, 6, 1]);
    expect(profile.close?.histogram).toEqual({ binEdges: [1, 1.0000000000000002], counts: [8] });
    expect(profile.tiny?.histogram).toEqual({ binEdges: [0, 5e-324], counts: [8] });
    expect(profile.same).toMatchObject({
      std: 0,
      distinct: 2,
      quantiles: { p5: 7, p95: 7 },
      histogram: { binEdges: [7, 7], counts: [8] },
    });
  });

  test("a single number has no deviation", async () => {
    const { one } = await profileOf(
      tableOf({ one: [5, "", ""], kg: [1, 2, 3], label: ["a", "b", "a"] }),
      "a single number",
    );
    expect(one).toMatchObject({ missing: 2, std: null, quantiles: { p5: 5, p95: 5 } });
  });
});

test("text is told by its lengths in characters, and by ten of its values", async () => {
  const { city } = await profileOf(
    tableOf({
      city: ["東京", "Ulm", "😀", "", ...Array.from({ length: 12 }, (_, n) => `city-${n}`), "Ulm"],
      n: Array.from({ length: 17 }, (_, n) => n),
      label: Array.from({ length: 17 }, (_, n) => (n % 2 ? "a" : "b")),
    }),
    "cities",
  );
  expect(city).toMatchObject({ type: "text", missing: 1, distinct: 15, mean: null, minLength: 1, maxLength: 7 });
  expect(city?.topValues.map(({ value }) => value)).toEqual([
    ..."Ulm city-0 city-1 city-10 city-11 city-2 city-3 city-4 city-5 city-6".split(" "),
  ]);
  expect(Object.keys(city ?? {})).not.toContain("std");
});

test("a wide table is told in less detail, so that its profile stays small", async () => {
  const columns = Array.from({ length: 201 }, (_, column) => [
    `c${column}`,
    Array.from({ length: 24 }, (_, row) => ((row + 1) * (column + 1)) / 7),
  ]);
  const profile = await profileOf(tableOf(Object.fromEntries(columns)), "wide");
  for (const { histogram, topValues } of Object.values(profile))
    expect([histogram?.counts.length, topValues.length]).toEqual([10, 5]);
  // 1.5 MB for 2,000 columns.
  expect(JSON.stringify(Object.values(profile)).length).toBeLessThan(201 * 750);
});

describe("dates", () => {
  const days = Array.from({ length: 41 }, (_, day) => new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10));
  const labels = days.map((_, row) => (row % 2 ? "a" : "b"));

  test("are spread as numbers are, and told by ISO 8601", async () => {
    const german = days.map((day) => day.split("-").reverse().join("."));
    const times = days.map((day, row) => (row === 3 ? "NA" : `${day} ${row % 2 ? "11:30:00.25" : "23:59"}`));
    const { german: told, times: atTimes } = await profileOf(tableOf({ german, times, label: labels }), "days");
    expect(told).toEqual({
      name: "german",
      type: "date",
      nullRatio: 0,
      missing: 0,
      distinct: 41,
      min: "2024-01-01",
      max: "2024-02-10",
      mean: null,
      quantiles: { p5: "2024-01-03", p25: "2024-01-11", p50: "2024-01-21", p75: "2024-01-31", p95: "2024-02-08" },
      // 40 days in 20 bins; the last has both of its edges.
      histogram: { binEdges: days.filter((_, day) => day % 2 === 0), counts: [...Array(19).fill(2), 3] },
      topValues: expect.any(Array),
    });
    expect(atTimes).toMatchObject({ missing: 1, min: "2024-01-01T23:59:00", max: "2024-02-10T23:59:00" });
    const { binEdges = [], counts = [] } = atTimes?.histogram ?? {};
    expect([binEdges[0], binEdges[20], counts.length]).toEqual([atTimes?.min, atTimes?.max, 20]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(40);
    const moments = times.filter((time) => time !== "NA").map((time) => Date.parse(`${time.replace(" ", "T")}Z`));
    const edges = binEdges.map((edge) => Date.parse(String(edge).replace(/(T.*)?$/, (time) => `${time || "T00:00"}Z`)));
    const within = (bin: number) => (time: number) =>
      time >= edges[bin]! && (time < edges[bin + 1]! || (bin === 19 && time === edges[20]));
    expect(counts).toEqual(counts.map((_, bin) => moments.filter(within(bin)).length));
  });

  test("at both ends of what is read, all alike, and none", async () => {
    const { ends, same, two, micro, late } = await profileOf(
      tableOf({
        ends: days.map((_, row) => (row % 2 ? "1000-01-01" : "9999-12-31")),
        same: days.map((_, row) => (row % 3 ? "2024-05-06T07:08:09" : "")),
        two: days.map((_, row) => (row % 2 ? "2024-01-01T00:00:00.001" : "2024-01-01T00:00:00.002")),
        micro: days.map((_, row) => `1969-12-31T23:59:59.9990${row + 10}`),
        late: days.map((day, row) => (row % 2 ? `${day}T00:00:00+00:00` : "9999-12-31T23:59:59-12:00")),
        label: labels,
      }),
      "ends",
    );
    expect(ends).toMatchObject({ type: "date", histogram: { counts: [20, 21] }, quantiles: { p5: "1000-01-01" } });
    expect([ends?.histogram?.binEdges[0], ends?.histogram?.binEdges[2]]).toEqual([ends?.min, ends?.max]);
    expect(same?.histogram).toEqual({ binEdges: ["2024-05-06T07:08:09", "2024-05-06T07:08:09"], counts: [27] });
    expect(micro).toMatchObject({ min: "1969-12-31T23:59:59.99901", quantiles: { p5: "1969-12-31T23:59:59.999" } });
    expect(micro?.histogram?.binEdges).toEqual(["1969-12-31T23:59:59.999", "1969-12-31T23:59:59.999"]);
    expect(late).toMatchObject({ max: "10000-01-01T11:59:59", quantiles: { p95: "10000-01-01T11:59:59" } });
    expect(late?.histogram?.binEdges.at(-1)).toBe("10000-01-01T11:59:59");
    expect(two?.histogram).toEqual({ binEdges: ["2024-01-01T00:00:00.001", "2024-01-01T00:00:00.002"], counts: [41] });
  });
});

test("numbers that don't fit into the memory are estimated, and say so", async () => {
  const zeros = "0".repeat(170);
  const rows = Array.from({ length: 700_000 }, (_, row) => `${row}.${zeros},${row % 2 ? "a" : "b"}`);
  const { n, label } = await profileOf(`n,label\n${rows.join("\n")}\n`, "too large");
  expect(n).toMatchObject({ missing: 0, min: 0, max: 699_999, mean: 349_999.5, zeros: 1, negatives: 0, topValues: [] });
  // Of the numbers from 0 to n - 1 the variance is n (n + 1) / 12.
  expect(n?.std).toBeCloseTo(Math.sqrt((700_000 * 700_001) / 12), 3);
  expect(Math.abs(Number(n?.quantiles?.p25) - 175_000)).toBeLessThan(7_000);
  expect(Math.abs(Number(n?.quantiles?.p95) - 665_000)).toBeLessThan(7_000);
  expect(n?.distinct).toBeLessThanOrEqual(700_000);
  expect(n?.distinct).toBeGreaterThan(300_000);
  expect(n?.note).toContain("distinct and quantiles are estimates");
  expect(n).not.toHaveProperty("histogram");
  expect(label).toMatchObject({ distinct: 2, minLength: 1, maxLength: 1, topValues: [{ value: "a" }, { value: "b" }] });
});

test("a profile from before is answered as it was kept", async () => {
  const before: ColumnProfile[] = [
    { name: "a", type: "number", nullRatio: 0, distinct: 3, min: 1, max: 5, mean: 3, topValues: [] },
    { name: "label", type: "text", nullRatio: 0, distinct: 2, min: "x", max: "y", mean: null, topValues: [] },
  ];
  const first = await startService({ env: { SERVICE_ROLE: "api" } });
  const { id } = (await first.upload("a,label\n1,x\n3,y\n5,x\n")).json;
  await first.halt();
  const store = await openStore(first);
  await store.db
    .updateTable("datasets")
    .set({ profile: JSON.stringify(before) })
    .where("id", "=", id)
    .execute();
  await store.stop();
  const second = await startService({ on: first });
  try {
    const { status, json } = await second.call("GET", `/datasets/${id}`);
    expect([status, json.profile]).toEqual([200, before]);
    expect(datasetWithProfile.strict().parse(json).profile).toEqual(before);
  } finally {
    await second.stop();
  }
});
