import { defaultPrefix } from "../../../otel/api/catalogue/metric-names.ts";
import type { AlertCase, AlertFamily, AlertRule, CaseSeries } from "./alert.ts";
import { valuesOf } from "./case-values.ts";
import { type RuleScope, ruleScope } from "./rule-scope.ts";

/** The rule of an alert; name and file are the family's. */
export type RuleParts = Omit<AlertRule, "name">;

/** An alert with its rules, and its cases, which are told those rules as they are in production. */
export function alertFamily(
  file: string,
  name: string,
  makeRules: (scope: RuleScope) => readonly RuleParts[],
  makeCases: (...rules: readonly AlertRule[]) => readonly AlertCase[],
): AlertFamily {
  const rules = (scope: RuleScope): AlertRule[] => makeRules(scope).map((parts) => ({ name, ...parts }));
  return { name, file, rules, cases: makeCases(...rules(ruleScope({ prefix: defaultPrefix, timeScale: 1 }))) };
}

/** What a case says of the alert that fires in it. */
export interface Firing {
  readonly rule: AlertRule;
  /** Labels that come from the series. */
  readonly labels: Readonly<Record<string, string>>;
  readonly description: string;
  /** The minute of the evaluation before it fires, and that in which it does: together they hold `for`. */
  readonly pendingAt?: number;
  readonly firesAt: number;
  /** The last minute in which it fires and the next one: together they hold `keep_firing_for`. */
  readonly stillAt?: number;
  readonly goneAt?: number;
  /** What it says then, if something else. */
  readonly stillDescription?: string;
}

/** A case in which one alert fires, and nothing else of that name. */
export function firingCase(name: string, series: readonly CaseSeries[], firing: Firing): AlertCase {
  const { rule, labels, description, pendingAt, firesAt, stillAt, goneAt, stillDescription = description } = firing;
  const shows = (minute: number | undefined, text?: string) =>
    minute === undefined
      ? []
      : [{ atSeconds: minute * 60, fire: text === undefined ? [] : [{ rule, labels, description: text }] }];
  return {
    name,
    series,
    checks: [
      ...shows(pendingAt),
      ...shows(firesAt, description),
      ...shows(stillAt, stillDescription),
      ...shows(goneAt),
    ],
  };
}

/** A case in which no alert of that name fires in any of these minutes. */
export function quietCase(name: string, series: readonly CaseSeries[], ...minutes: readonly number[]): AlertCase {
  return { name, series, checks: minutes.map((minute) => ({ atSeconds: minute * 60, fire: [] })) };
}

/** What a gauge shows: values with the number of minutes that each stays. */
export function held(...parts: readonly (readonly [value: number, minutes: number])[]): string {
  return valuesOf(parts.flatMap(([value, minutes]) => new Array<number>(minutes).fill(value)));
}
