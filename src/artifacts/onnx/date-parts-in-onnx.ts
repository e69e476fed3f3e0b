import { type DatePart, dateParts } from "../../models/date-parts.ts";
import type { DateFeature } from "../../models/model.ts";
import type { GraphBuilder } from "./onnx-graph.ts";

const secondsOfDay = 86_400;

/**
 * Adds the parts of dates, in 64-bit floats as `datePartOf` has them: all columns' years, then all columns' months and so on, in
 * the order of `dateParts`. Years, months and days are counted by Howard Hinnant's `civil_from_days`
 * (https://howardhinnant.github.io/date_algorithms.html), whose divisions are exact here: whole numbers far below 2^53.
 * @param seconds [N, columns] of Unix time
 */
export function addDateParts(graph: GraphBuilder, seconds: string, features: readonly DateFeature[]): string {
  const { by, floorBy } = arithmeticOf(graph);
  const days = floorBy(seconds, secondsOfDay);
  const rest = (of: string, size: number): string => by("Sub", of, by("Mul", floorBy(of, size), size));
  const calendar = addCalendar(graph, days);
  const origins = { type: "double", dims: [1, features.length], values: features.map(({ origin }) => origin) } as const;
  const nodes: Record<DatePart, string> = {
    ...calendar,
    // 1 January 1970 was a Thursday.
    dayofweek: rest(by("Add", days, 3), 7),
    hour: floorBy(by("Sub", seconds, by("Mul", days, secondsOfDay)), 3_600),
    days: by("Div", by("Sub", seconds, graph.constant(origins)), secondsOfDay),
  };
  return graph.node(
    "Concat",
    dateParts.map((part) => nodes[part]),
    { axis: { int: 1 } },
  );
}

/** Years begin in March, so that the day of a leap year is the last one. */
function addCalendar(graph: GraphBuilder, days: string): Record<"year" | "month" | "day", string> {
  const { by, floorBy } = arithmeticOf(graph);
  const shifted = by("Add", days, 719_468);
  const era = floorBy(shifted, 146_097);
  const dayOfEra = by("Sub", shifted, by("Mul", era, 146_097));
  const leapDays = by(
    "Sub",
    by("Add", floorBy(dayOfEra, 36_524), by("Sub", dayOfEra, floorBy(dayOfEra, 1_460))),
    floorBy(dayOfEra, 146_096),
  );
  const yearOfEra = floorBy(leapDays, 365);
  const daysBefore = by("Sub", by("Add", by("Mul", yearOfEra, 365), floorBy(yearOfEra, 4)), floorBy(yearOfEra, 100));
  const dayOfYear = by("Sub", dayOfEra, daysBefore);
  const monthFromMarch = floorBy(by("Add", by("Mul", dayOfYear, 5), 2), 153);
  const firstOfMonth = floorBy(by("Add", by("Mul", monthFromMarch, 153), 2), 5);
  /** 1 in January and February, which are of the next year. */
  const isNext = floorBy(monthFromMarch, 10);
  return {
    year: by("Add", by("Add", by("Mul", era, 400), yearOfEra), isNext),
    month: by("Sub", by("Add", monthFromMarch, 3), by("Mul", isNext, 12)),
    day: by("Add", by("Sub", dayOfYear, firstOfMonth), 1),
  };
}

function arithmeticOf(graph: GraphBuilder) {
  const nameOf = (operand: string | number): string =>
    typeof operand === "string" ? operand : graph.constant({ type: "double", dims: [], values: [operand] });
  const by = (operator: "Add" | "Sub" | "Mul" | "Div", one: string, other: string | number): string =>
    graph.node(operator, [one, nameOf(other)]);
  return { by, floorBy: (of: string, size: number): string => graph.node("Floor", [by("Div", of, size)]) };
}
