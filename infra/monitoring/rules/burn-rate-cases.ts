import { allowedShare, type BurnRate, type ObjectiveKey, objectives, objectiveWindows } from "../objectives.ts";
import type { AlertCase, AlertRule, ExpectedAlert } from "./alert.ts";
import { caseSeries } from "./case-series.ts";
import { repeated } from "./case-values.ts";
import { knownCauseSeries } from "./known-causes.ts";
import { type Minute, objectiveSeries } from "./objective-series.ts";

/** Minutes between two evaluations of the cases: slots of 5 minutes must be evaluated once each. */
export const stepMinutes = { critical: 1, warning: 5 } as const;

const minutesOf = (window: keyof typeof objectiveWindows): number => objectiveWindows[window] / 60;

/** What a window sees of the minutes up to that one. */
interface Seen {
  readonly bad: number;
  readonly all: number;
}

/** Meant to be plain and to share nothing with the rules: what the alerts of an objective must do, minute by minute. */
class Expectation {
  readonly #key: ObjectiveKey;
  readonly #minutes: readonly Minute[];

  constructor(key: ObjectiveKey, minutes: readonly Minute[]) {
    this.#key = key;
    this.#minutes = minutes;
  }

  #seen(window: keyof typeof objectiveWindows, at: number): Seen {
    // `rate` over samples a minute apart sees one step less than the window has minutes.
    const isCounted = objectives[this.#key].counts !== "minutes" && window !== "1d" && window !== "3d";
    const first = Math.max(0, at - minutesOf(window) + (isCounted ? 1 : 0));
    let bad = 0;
    let all = 0;
    for (const minute of this.#minutes.slice(first, at)) {
      bad += minute.bad;
      all += minute.bad + minute.good;
    }
    // A gauge has a sample before the first minute; counters begin there.
    const hasFirst = objectives[this.#key].counts === "minutes" && at < minutesOf(window);
    return { bad, all: all + (hasFirst ? 1 : 0) };
  }

  /** The share of the long window, when the burn rate is too high. */
  #burns(burn: BurnRate, at: number): number | undefined {
    const threshold = burn.factor * allowedShare(this.#key);
    const long = this.#seen(burn.long, at);
    const short = this.#seen(burn.short, at);
    const isBurning =
      long.bad / long.all > threshold &&
      short.bad / short.all > threshold &&
      long.bad > objectives[this.#key].minimumBad - 0.5;
    return isBurning ? long.bad / long.all : undefined;
  }

  /** The share that an alert shows at each evaluation, undefined where it does not fire. */
  timeline(burn: BurnRate): (number | undefined)[] {
    const step = stepMinutes[burn.severity];
    const shown: (number | undefined)[] = [];
    let activeSince: number | undefined;
    let missingSince: number | undefined;
    let isFiring = false;
    let share = 0;
    for (let at = 0; at <= this.#minutes.length; at += step) {
      const now = this.#burns(burn, at);
      if (now !== undefined) {
        share = now;
        missingSince = undefined;
        activeSince ??= at;
        isFiring ||= (at - activeSince) * 60 >= burn.forSeconds;
      } else {
        missingSince ??= at;
        isFiring &&= (at - missingSince) * 60 < burn.keepFiringForSeconds;
        if (!isFiring) activeSince = undefined;
      }
      shown.push(isFiring ? share : undefined);
    }
    return shown;
  }
}

/** As the template function humanizePercentage writes it. */
const percentage = (share: number): string => `${Number((share * 100).toPrecision(4))}%`;

/** The alerts that the rules make of these minutes, checked wherever one comes or goes and at the minutes named. */
function caseOf(
  name: string,
  key: ObjectiveKey,
  rules: ReadonlyMap<BurnRate, AlertRule>,
  minutes: readonly Minute[],
  { alsoAt = [], withBystanders = false }: { alsoAt?: readonly number[]; withBystanders?: boolean } = {},
): AlertCase {
  const expectation = new Expectation(key, minutes);
  const timelines = [...rules].map(([burn, rule]) => ({ burn, rule, shown: expectation.timeline(burn) }));
  const step = stepMinutes[timelines[0]?.burn.severity ?? "critical"];
  const evaluations = Math.floor(minutes.length / step);
  const at = new Set(alsoAt.map((minute) => Math.floor(minute / step)));
  for (let index = 1; index <= evaluations; index += 1) {
    const hasChanged = timelines.some(({ shown }) => (shown[index] === undefined) !== (shown[index - 1] === undefined));
    if (hasChanged) at.add(index - 1).add(index);
  }
  at.add(evaluations);
  return {
    name,
    series: objectiveSeries(key, minutes, withBystanders),
    checks: [...at]
      .toSorted((first, second) => first - second)
      .map((index) => ({
        atSeconds: index * step * 60,
        fire: timelines.flatMap(({ rule, shown }): ExpectedAlert[] => {
          const share = shown[index];
          if (share === undefined) return [];
          const description = rule.description.replace("{{ $value | humanizePercentage }}", percentage(share));
          return [{ rule, labels: { job: "backend" }, description }];
        }),
      })),
  };
}

/** That share of each minute's events is bad; where minutes themselves count, that share of minutes. */
function mixed(key: ObjectiveKey, count: number, share: number): Minute[] {
  if (objectives[key].counts === "minutes") {
    return Array.from({ length: count }, (_, index) => {
      const isBad = Math.floor((index + 1) * share + 1e-9) > Math.floor(index * share + 1e-9);
      return isBad ? { bad: 1, good: 0 } : { bad: 0, good: 1 };
    });
  }
  // So many that a single minute is beyond the guard.
  const bad = Math.round(1_000 * share);
  return repeated(count, { bad, good: 1_000 - bad });
}

/** Minutes without any event; where minutes themselves count, good ones. */
function nothing(key: ObjectiveKey, count: number): Minute[] {
  return repeated(count, { bad: 0, good: objectives[key].counts === "minutes" ? 1 : 0 });
}

/** So many bad events, one each `period` minutes, and none good. */
function sparse(key: ObjectiveKey, count: number, period: number): Minute[] {
  return repeated(count, [...nothing(key, period - 1), { bad: 1, good: 0 }]).flat();
}

/**
 * Exactly at one of the three thresholds, and far beyond the other two, nothing fires: each job has another one. The
 * recorded series are given as they are, since counters make no share that is exact to the last digit.
 */
function boundaryCase(key: ObjectiveKey, burn: BurnRate): AlertCase {
  const threshold = Number((burn.factor * allowedShare(key)).toFixed(6));
  const least = objectives[key].minimumBad - 0.5;
  const minutes = Math.ceil(burn.forSeconds / 60) + 2 * stepMinutes[burn.severity];
  const jobs = [
    [threshold, 1, 1_000],
    [1, threshold, 1_000],
    [1, 1, least],
  ] as const;
  const series = jobs.flatMap(([long, short, bad], index) =>
    Object.entries({
      [`objective:errors:ratio_rate${burn.long}`]: long,
      [`objective:errors:ratio_rate${burn.short}`]: short,
      [`objective:bad:increase${burn.long}`]: bad,
    }).map(([name, value]) => ({
      series: `${name}{job="${index}",objective="${key}"}`,
      values: `${value}x${minutes}`,
    })),
  );
  return {
    name: `${burn.long}/${burn.short}: exactly at one threshold, beyond the others`,
    series,
    checks: [{ atSeconds: minutes * 60, fire: [] }],
  };
}

/**
 * Beyond all thresholds nothing is told where what causes it is, or was; where something else is explained, it is.
 * Only the alert that is told first is told, too, where it explains the others.
 */
function explainedCase(key: ObjectiveKey, burn: BurnRate, rule: AlertRule): AlertCase {
  const minutes = Math.ceil(burn.forSeconds / 60) + 2 * stepMinutes[burn.severity];
  const own = { job: "known", effect: rule.name, by: "cause" };
  const known = [own, { ...own, job: "another", effect: "AnotherAlert" }, { ...own, job: "burnt", by: "burn" }];
  const series = ["known", "another", "burnt", "free"].flatMap((job) => [
    ...[burn.long, burn.short].map((window) => ({
      series: `objective:errors:ratio_rate${window}{job="${job}",objective="${key}"}`,
      values: `1x${minutes}`,
    })),
    {
      series: `objective:bad:increase${burn.long}{job="${job}",objective="${key}"}`,
      // As few as count: they come so far apart in the cases above that a short wait for them is never over.
      values: `${objectives[key].minimumBad}x${minutes}`,
    },
  ]);
  const isFirst = burn === objectives[key].burnRates.find(({ severity }) => severity === "critical");
  const description = rule.description.replace("{{ $value | humanizePercentage }}", percentage(1));
  return {
    name: `${burn.long}/${burn.short}: its cause is told`,
    series: [...series, ...known.map((labels) => caseSeries(knownCauseSeries, labels, `1x${minutes}`))],
    checks: [
      {
        atSeconds: minutes * 60,
        fire: ["another", "free", ...(isFirst ? ["burnt"] : [])].map((job) => ({ rule, labels: { job }, description })),
      },
    ],
  };
}

/** For each burn rate: what must fire, and what close by must not. */
export function burnRateCases(
  key: ObjectiveKey,
  burns: readonly BurnRate[],
  made: readonly AlertRule[],
): readonly AlertCase[] {
  const rules = new Map(burns.map((burn, index) => [burn, made[index]!] as const));
  return burns.flatMap((burn) => {
    const threshold = burn.factor * allowedShare(key);
    const { minimumBad, counts } = objectives[key];
    const [long, short] = [minutesOf(burn.long), minutesOf(burn.short)];
    const [holdFor, keep] = [Math.ceil(burn.forSeconds / 60), Math.ceil(burn.keepFiringForSeconds / 60)];
    const step = stepMinutes[burn.severity];
    const pair = `${burn.long}/${burn.short}`;
    const good = (count: number) => mixed(key, count, 0);
    const bad = (count: number) => mixed(key, count, 1);
    const untilGone = short + keep + 2 * step;

    // Minutes count one by one: the guard is reached later than by a thousand requests a minute.
    const reached = counts === "minutes" ? Math.ceil((minimumBad + 1) / (1.4 * threshold)) : step;
    const fast = [...mixed(key, reached + holdFor + 2 * step, 1.4 * threshold), ...good(untilGone)];
    // The guard is reached exactly, within the long window.
    const period = Math.floor(long / (minimumBad + 2));
    const spike = Math.floor(0.9 * threshold * long);
    const wave = Math.ceil(0.1 * long) + 1;
    const isMinutes = counts === "minutes";
    const few = isMinutes ? bad(minimumBad - 1) : sparse(key, minimumBad - 1, period);
    const enough = isMinutes ? bad(minimumBad) : sparse(key, minimumBad, period);
    const after = (minute: number, ...more: readonly number[]) => ({
      alsoAt: [holdFor, holdFor + step, ...more].map((later) => minute + later),
    });
    const tail = holdFor + 2 * step;

    return [
      caseOf(`${pair}: a little more than allowed, then none`, key, rules, fast, { withBystanders: true }),
      caseOf(`${pair}: all bad, as few as count`, key, rules, [...enough, ...nothing(key, tail)]),
      caseOf(`${pair}: all bad, one too few to count`, key, rules, [...few, ...nothing(key, tail)], after(few.length)),
      boundaryCase(key, burn),
      explainedCase(key, burn, rules.get(burn)!),
      caseOf(`${pair}: a single one, bad`, key, rules, [...sparse(key, 1, 1), ...nothing(key, tail)], after(1)),
      caseOf(
        `${pair}: a spike too short for the long window`,
        key,
        rules,
        [...good(long), ...bad(spike), ...good(short)],
        after(long + spike, 0, short / 2),
      ),
      caseOf(`${pair}: over in the short window, though the long one remembers`, key, rules, [
        ...bad(wave),
        ...mixed(key, untilGone + 2 * holdFor, threshold / 1.8),
      ]),
    ];
  });
}
